# ruff: noqa: E501
"""Fifty and more ways out of a template sandbox: none reaches anything, none takes much."""

from __future__ import annotations

import pytest

from .conftest import SECRET

PAYLOADS = """
{{ ''.__class__ }}
{{ ''.__class__.__mro__[1].__subclasses__() }}
{{ ''.__class__.__base__.__subclasses__()[40]('/etc/passwd').read() }}
{{ [].__class__.__bases__[0].__subclasses__() }}
{{ {}.__class__.__mro__ }}
{{ (1).__class__.__mro__ }}
{{ messages.__class__.__init__.__globals__ }}
{{ messages.__getattribute__('__class__') }}
{{ messages['__class__'] }}
{{ messages|attr('__class__') }}
{{ messages|attr('\\x5f\\x5fclass\\x5f\\x5f') }}
{{ messages|attr(['_'*2,'class','_'*2]|join) }}
{{ messages|map(attribute='__class__')|list }}
{{ messages|map(attribute='__class__.__mro__')|first }}
{{ messages|map('attr','__class__')|list }}
{{ messages|selectattr('__class__')|list }}
{{ messages|groupby('__class__') }}
{{ messages|sort(attribute='__class__') }}
{{ self.__init__.__globals__ }}
{{ self._TemplateReference__context }}
{{ self.__dict__ }}
{{ cycler.__init__.__globals__.os.popen('id').read() }}
{{ joiner.__init__.__globals__.os.environ }}
{{ lipsum.__globals__['os'].environ['SECRET'] }}
{{ lipsum.__globals__.__builtins__.open('/etc/passwd').read() }}
{{ namespace.__init__.__globals__ }}
{{ namespace(a=1).__class__ }}
{{ namespace.__subclasses__() }}
{{ dict.__base__.__subclasses__() }}
{{ dict.mro() }}
{{ range.__class__('X', (), {}) }}
{{ raise_exception.__globals__ }}
{{ raise_exception.__code__ }}
{{ strftime_now.__globals__['json'] }}
{{ strftime_now('%' ~ 'Y'*9999) }}
{{ config }}{{ request.application.__globals__ }}
{{ get_flashed_messages.__globals__ }}
{{ url_for.__globals__.os }}
{{ os.environ }}{{ sys.modules }}{{ __import__('os') }}
{{ loop.__init__ }}{% for m in messages %}{{ loop.__init__.__globals__ }}{% endfor %}
{% for m in messages %}{{ loop._iterator }}{{ loop.__class__ }}{% endfor %}
{% macro m() %}{% endmacro %}{{ m.__globals__ }}{{ m._func }}{{ m._environment }}
{% macro m() %}{{ caller.__class__ }}{{ varargs.__class__ }}{% endmacro %}{{ m() }}
{{ '{0.__class__.__init__.__globals__}'.format(messages) }}
{{ '{m.__class__}'.format_map({'m': messages}) }}
{{ '%(a)s' % {'a': messages.__class__} }}
{{ ('{0.__class__}'|safe).format(messages) }}
{{ '%1000000000d' % 1 }}
{{ '{:>1000000000}'.format('a') }}
{{ '%s' | format(messages.__class__) }}
{{ 'a' * 10**9 }}
{{ 'a' * 1000000000 }}
{{ ['a'] * 1000000000 }}
{{ ([0] * 100000) * 100000 }}
{{ 9 ** 9 ** 9 }}
{{ 10 ** 1000000 }}
{{ (1000000000000 * 1000000000000) * (1000000000000 * 1000000000000) }}
{{ range(10**9) | list }}
{{ range(1000000000)|join }}
{{ range(99999)|list|length * range(99999)|length }}
{{ range(100000) | map('string') | join(range(100000) | join) }}
{% for i in range(1000000000) %}{% endfor %}
{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}
{% for i in range(40000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}
{% set n = namespace(s='aa') %}{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}
{% set n = namespace(s='aa') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}
{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}
{% set n = namespace(l=[1]) %}{% for i in range(60) %}{% set n.l = n.l + n.l %}{% endfor %}
{% set n = namespace(s='aa') %}{% for i in range(60) %}{% set n.s = n.s.replace('a', n.s) %}{% endfor %}
{% set n = namespace(s='a') %}{% for i in range(60) %}{% set n.s = n.s|replace('', n.s) %}{% endfor %}
{% set n = namespace(s='aa') %}{% for i in range(60) %}{% set n.s = [n.s, n.s]|join %}{% endfor %}
{% set n = namespace(s='aa') %}{% for i in range(60) %}{% set n.s %}{{ n.s }}{{ n.s }}{% endset %}{% endfor %}
{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}
{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{{ a() }}{% endmacro %}{{ a() }}
{% for i in [[[1]]] recursive %}{{ loop([i]) }}{% endfor %}
{% include '/etc/passwd' %}
{% include ['/etc/passwd', 'x'] ignore missing %}
{% import '/etc/passwd' as p %}{{ p }}
{% from 'os' import environ %}{{ environ }}
{% extends '/etc/passwd' %}
{% do messages.append(1) %}
{{ messages.append(1) }}{{ messages.clear() }}{{ messages[0].update({}) }}
{{ messages.pop() }}{{ messages[0].pop('role') }}{{ messages[0].setdefault('a', 1) }}
{{ 'a'|center(1000000000) }}
{{ 'a'|indent(1000000000) }}{{ 'a'|wordwrap(1) }}
{{ 'a'.ljust(1000000000) }}{{ 'a'.zfill(1000000000) }}{{ 'a'.center(1000000000) }}
{{ 'a'.encode().hex() }}{{ 'a'.translate({97: 'x'}) }}
{{ messages|tojson(1000000000) }}
{{ messages|pprint }}{{ messages|xmlattr }}{{ messages|urlize }}
{{ lipsum(1000000) }}
{% set x = messages.__class__ %}{{ x }}
{% set messages = lipsum %}{{ messages }}
{% filter upper %}{{ ''.__class__ }}{% endfilter %}
{% call(x) messages.__class__() %}{% endcall %}
{% set ns = namespace() %}{% set ns.__class__ = 1 %}{{ ns.__class__ }}
{{ ()|select('callable')|list }}{{ [1]|map('eval')|list }}
{% trans %}{% endtrans %}
{% debug %}
{{ 1/0 }}
{{ messages[9999999999999999999999] }}
""".strip().splitlines()
# n.s has half a million characters.
LONG = "{% set n = namespace(s='a') %}{% for i in range(19) %}{% set n.s = n.s ~ n.s %}{% endfor %}"
# Whole files rather than lines.
LARGE = {
    "deep brackets": "{{ " + "(" * 30_000 + "1" + ")" * 30_000 + " }}",
    "deep lists": "{{ " + "[" * 30_000 + "]" * 30_000 + " }}",
    "deep ifs": "{% if 1 %}" * 4_000 + "{% endif %}" * 4_000,
    "long chain": "{{ 1" + " + 1" * 20_000 + " }}",
    "long filters": "{{ 'a'" + "|string" * 10_000 + " }}",
    "long text": "a" * 3_000_000,
    "wide block": LONG + "{% set x %}" + "{{ n.s }}" * 9_000 + "{% endset %}",
    "wide macro": LONG + "{% macro m() %}" + "{{ n.s }}" * 9_000 + "{% endmacro %}{{ m() }}",
    "wide filter": LONG + "{% filter upper %}" + "{{ n.s }}" * 9_000 + "{% endfilter %}",
    "wide sum": LONG + "{{ n.s" + " ~ n.s" * 9_000 + " }}",
    "zeros": "\0" * 50_000,
}
LEAKS = ("<class", "<function", "<module", "<built-in", "<bound", " at 0x", "root:", SECRET)
MOST_GROWTH = 200 << 20


@pytest.mark.parametrize(
    "source", [*PAYLOADS, *LARGE.values()], ids=[*map(str, range(len(PAYLOADS))), *LARGE]
)
def test_a_hostile_template_is_refused_or_does_nothing(bounded, source):
    done = bounded(template=source)
    if done.code == 0:
        assert not [leak for leak in LEAKS if leak in done.out]
        assert len(done.out) < 2_000_000
    else:
        assert done.code == 4, done
        assert done.sentence().startswith("chat template: ")
    assert done.grew < MOST_GROWTH
    assert done.cpu_s < 10


def test_the_secret_would_be_seen(bounded):
    """The marks that the test above looks for are what Python prints."""
    done = bounded(template="{{ messages }} " + SECRET)
    assert done.code == 0
    assert SECRET in done.out
    assert all(any(mark in f"{thing}" for mark in LEAKS) for thing in (str, len, pytest, print))

"""Chat templates: rendered as transformers renders them, and no way out for hostile ones."""

from __future__ import annotations

import json
import time

import pytest

from edgeval.chat.template import MAX_SOURCE_CHARS, Template, read_template
from edgeval.errors import ManifestError

ASK = [{"role": "user", "content": [{"type": "text", "text": "Why?"}]}]


def test_blocks_are_trimmed():
    source = "{% for m in messages %}\n  {% if true %}\n{{ m.role }}\n  {% endif %}\n{% endfor %}"
    assert Template(source).render(ASK) == "user\n"


def test_tokens_are_there():
    assert Template("{{ bos_token }}|{{ eos_token }}", bos_token="<s>").render(ASK) == "<s>|"


def test_tojson_leaves_html_alone():
    assert Template("{{ '<a> & é' | tojson }}").render(ASK) == '"<a> & é"'


def test_a_loop_knows_its_place():
    source = (
        "{% for c in 'abc' %}{{ loop.index0 }}{{ c }}{{ '' if loop.last else ',' }}{% endfor %}"
    )
    assert Template(source).render(ASK) == "0a,1b,2c"


def test_macros_and_call_blocks_work():
    source = "{% macro b() %}<{{ caller() }}>{% endmacro %}{% call b() %}x{% endcall %}"
    assert Template(source).render(ASK) == "<x>"


def test_namespaces_carry_a_value_out_of_a_loop():
    source = (
        "{% set ns = namespace(n=0) %}"
        "{% for c in 'ab' %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}"
    )
    assert Template(source).render(ASK) == "2"


def test_a_template_may_refuse_in_its_own_words():
    with pytest.raises(ManifestError, match="roles must alternate"):
        Template("{{ raise_exception('roles must alternate') }}").render(ASK)


HOSTILE = {
    "class": "{{ ''.__class__.__mro__ }}",
    "init": "{{ namespace.__init__.__globals__['os'] }}",
    "format": "{{ '{0.__class__}'.format(messages) }}",
    "width": "{{ '{:1000000000}'.format(1) }}",
    "endless": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "long output": "{% for a in range(40000) %}" + "x" * 100 + "{% endfor %}",
    "times": "{{ 'a' * 10**9 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "center": "{{ 'a' | center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "doubling": "{% set n = namespace(s='ab') %}"
    "{% for i in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "adding": "{% set n = namespace(s='ab') %}"
    "{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "nesting": "{% set n = namespace(l=[1]) %}"
    "{% for i in range(99) %}{% set n.l = [n.l, n.l] %}{% endfor %}{{ n.l }}",
    "replace": "{% set n = namespace(s='aa') %}"
    "{% for i in range(99) %}{% set n.s = n.s.replace('a', n.s) %}{% endfor %}",
    "join": "{% set s = 'a' * 1 %}{{ range(99999) | join(range(99999) | join) }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "mutation": "{{ messages.append(1) }}",
    "include": "{% include '/etc/passwd' %}",
    "syntax": "{% for %}",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_templates_end_in_one_sentence(source):
    start = time.thread_time()
    with pytest.raises(ManifestError, match=r"^chat template: [^\n]+$"):
        Template(source).render(ASK)
    assert time.thread_time() - start < 10


@pytest.mark.parametrize("name", ["raise_exception.__globals__", "messages.__class__", "cycler"])
def test_python_is_out_of_sight(name):
    assert Template("{{ " + name + " }}").render(ASK) == ""


def test_an_oversized_template_is_not_parsed():
    with pytest.raises(ManifestError, match="characters"):
        Template("x" * (MAX_SOURCE_CHARS + 1))


def test_a_json_file_holds_its_template_under_a_key(tmp_path):
    path = tmp_path / "chat_template.json"
    path.write_text(json.dumps({"chat_template": "{{ 1 }}"}), "utf-8")
    assert read_template(path) == "{{ 1 }}"


def test_a_json_file_without_the_key_is_named(tmp_path):
    path = tmp_path / "chat_template.json"
    path.write_text("{}", "utf-8")
    with pytest.raises(ManifestError, match="chat_template"):
        read_template(path)


def test_what_is_marked_for_training_is_just_said():
    source = "{% generation %}{% for m in messages %}{{ m.role }}{% endfor %}{% endgeneration %}."
    assert Template(source).render([{"role": "user"}]) == "user."

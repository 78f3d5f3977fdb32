"""Chat templates: jinja2 in a sandbox that a hostile template can neither leave nor exhaust.

jinja2's ImmutableSandboxedEnvironment keeps a template from reaching Python. It does not keep one
from running for ever or filling the memory, so here every loop step and every value that can grow
is counted against a budget, the thread's CPU time is limited, and only the filters and methods that
chat templates use are there.
The surroundings are those of transformers 5.23, utils/chat_template_utils.py: trimmed blocks,
raise_exception, tojson without HTML escapes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from jinja2 import Environment, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from edgeval.errors import ManifestError
from edgeval.modelfolder.text import read_json, read_text

MAX_SOURCE_CHARS = 100_000
MAX_VALUE_WEIGHT = 1_000_000
MAX_STEPS = 50_000
MAX_CPU_S = 5.0
# fmt: off
FILTERS = (
    "capitalize", "count", "d", "default", "first", "float", "int", "items", "join", "last",
    "length", "list", "lower", "map", "reject", "rejectattr", "replace", "round", "safe",
    "select", "selectattr", "sort", "string", "title", "trim", "unique", "upper",
)
TEXT_METHODS = frozenset((
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith",
    "lower", "upper", "title", "capitalize", "replace", "find", "index", "count", "isdigit",
))
# fmt: on
METHODS = {
    str: TEXT_METHODS,
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
}
WEIGHED = (nodes.List, nodes.Tuple, nodes.Dict, nodes.Call, nodes.Filter, nodes.Compare)

Messages = Sequence[Mapping[str, object]]


class Template:
    """One compiled chat template. Raises ManifestError when it is too large or not a template."""

    def __init__(self, source: str, *, bos_token: str = "", eos_token: str = "") -> None:
        if len(source) > MAX_SOURCE_CHARS:
            raise ManifestError(
                f"chat template: got {len(source)} characters; wants at most {MAX_SOURCE_CHARS}"
            )
        self._tokens = {"bos_token": bos_token, "eos_token": eos_token}
        self._environment = _Environment()
        try:
            tree = _metered(self._environment.parse(source))
            self._template = self._environment.from_string(tree)
        except (TemplateError, SyntaxError, RecursionError, MemoryError) as error:
            raise ManifestError(f"chat template: not a template ({_line(error)})") from error

    def render(self, messages: Messages, *, add_generation_prompt: bool = True) -> str:
        """The prompt for a conversation; ManifestError when the template refuses or runs away."""
        self._environment.start()
        pieces: list[str] = []
        size = 0
        try:
            for piece in self._template.generate(
                messages=messages,
                add_generation_prompt=add_generation_prompt,
                tools=None,
                documents=None,
                **self._tokens,
            ):
                pieces.append(piece)
                size += len(piece)
                if size > MAX_VALUE_WEIGHT:
                    raise SecurityError(f"more than {MAX_VALUE_WEIGHT} characters of prompt")
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
            RecursionError,
            MemoryError,
        ) as error:
            raise ManifestError(f"chat template: {_line(error)}") from error
        return "".join(pieces)


def read_template(path: Path) -> str:
    """The source in a .jinja file or, in older repositories, under "chat_template" in a .json."""
    if path.suffix == ".json":
        source = read_json(path).get("chat_template")
        if isinstance(source, list):  # several by name; "default" is for what we ask
            named = {str(one.get("name")): one for one in source if isinstance(one, dict)}
            source = named.get("default", {}).get("template")
        if not isinstance(source, str):
            raise ManifestError(f"{path}: got no text under 'chat_template'")
        return source
    return read_text(path)


class _Generation(Extension):
    """``{% generation %}``: what the assistant says, marked for training; here just said."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The nodes between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox with budgets, of one rendering at a time; ``start`` fills them."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            extensions=[loopcontrols, _Generation],
        )
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters |= {"tojson": _tojson, "join": _join, "replace": _replace}
        self.filters |= {"_stepped": self._stepped, "_weighed": self._weighed}
        self.globals = {
            "namespace": self.globals["namespace"],
            "range": self.globals["range"],
            "dict": dict,
            "raise_exception": _raise_exception,
            "strftime_now": _strftime_now,
        }

        self.start()

    def start(self) -> None:
        """Fill the budgets."""
        self._steps_left = MAX_STEPS
        self._ends_s = time.thread_time() + MAX_CPU_S

    def concat(self, pieces: Iterable[str]) -> str:
        """What a block or a macro says, put together only where it is not too long."""
        parts = list(pieces)
        _bound(sum(map(len, parts)))
        return "".join(parts)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        for kind, allowed in METHODS.items():
            if isinstance(obj, kind):
                return attr in allowed
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: object) -> Callable[..., str] | None:
        """str.format can ask for any width."""
        if getattr(value, "__name__", "") in ("format", "format_map"):
            raise SecurityError("str.format is not for templates")
        return None

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        numbers = isinstance(left, (int, float)) and isinstance(right, (int, float))
        if operator in ("*", "**", "%") and not numbers:
            raise SecurityError(f"operator {operator} is for numbers here")
        if operator == "**" or (operator == "*" and _large(left, right)):
            raise SecurityError(f"operator {operator} on such numbers")
        return self._weighed(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: object, *args: object, **kwargs: object) -> object:
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str) and name == "replace":
            return _replace(owner, *args, **kwargs)
        return super().call(context, obj, *args, **kwargs)

    def _stepped(self, values: object) -> Iterator[object]:
        """Count each step of a loop."""
        if isinstance(values, Undefined) or not isinstance(values, Iterable):
            raise SecurityError("a loop over what is not a sequence")
        for value in values:
            self._steps_left -= 1
            if self._steps_left < 0:
                raise SecurityError(f"more than {MAX_STEPS} loop steps")
            self._in_time()
            yield value

    def _weighed(self, value: object) -> object:
        self._in_time()
        return _weigh(value)

    def _in_time(self) -> None:
        if time.thread_time() > self._ends_s:
            raise SecurityError(f"more than {MAX_CPU_S} s of work")


def _metered(tree: nodes.Template) -> nodes.Template:
    """Put every loop and every growing expression of a template under its budget."""
    for node in list(tree.find_all(nodes.For)):
        node.iter = nodes.Filter(node.iter, "_stepped", [], [], None, None)
    _wrap(tree)
    return tree


def _wrap(node: nodes.Node) -> None:
    for name, value in list(node.iter_fields()):
        if isinstance(node, (nodes.CallBlock, nodes.FilterBlock)) and name in ("call", "filter"):
            _wrap(value)  # these two must stay a Call and a Filter
        elif isinstance(value, list):
            setattr(node, name, [_weigh_node(v) if isinstance(v, nodes.Node) else v for v in value])
        elif isinstance(value, nodes.Node):
            setattr(node, name, _weigh_node(value))


def _weigh_node(node: nodes.Node) -> nodes.Node:
    _wrap(node)
    if isinstance(node, nodes.Concat):
        return nodes.Filter(nodes.List(node.nodes), "join", [], [], None, None)
    stored = getattr(node, "ctx", "load") != "load"
    if isinstance(node, WEIGHED) and not stored:
        return nodes.Filter(node, "_weighed", [], [], None, None)
    return node


def _weigh(value: object) -> object:
    """``value`` unless it holds more than the budget; nested parts count as often as they occur."""
    left = MAX_VALUE_WEIGHT
    todo = [value]
    while todo:
        part = todo.pop()
        left -= 1 + (len(part) if isinstance(part, str) else 0)
        if isinstance(part, int) and part.bit_length() > 64:
            raise SecurityError("a number of more than 64 bits")
        if isinstance(part, (list, tuple)):
            todo += part[: left + 1]
        elif isinstance(part, dict):
            todo += [*part.keys(), *part.values()]
        if left < 0:
            raise SecurityError(f"a value of more than {MAX_VALUE_WEIGHT} parts")
    return value


def _large(left: object, right: object) -> bool:
    return any(isinstance(side, int) and side.bit_length() > 32 for side in (left, right))


def _tojson(value: object, indent: int | None = None) -> str:
    return json.dumps(_weigh(value), ensure_ascii=False, indent=min(indent, 8) if indent else None)


def _join(values: object, separator: str = "") -> str:
    if not isinstance(values, (list, tuple, Iterator)):
        raise SecurityError("join of what is not a list")
    parts = [str(value) for value in values]
    _bound(sum(map(len, parts)) + len(separator) * len(parts))
    return str(separator).join(parts)


def _replace(text: str, old: object = "", new: object = "", count: object = -1) -> str:
    text, old, new = str(text), str(old), str(new)
    _bound(len(text) + text.count(old) * len(new))
    return text.replace(old, new, count if isinstance(count, int) else -1)


def _bound(size: int) -> None:
    if size > MAX_VALUE_WEIGHT:
        raise SecurityError(f"a text of more than {MAX_VALUE_WEIGHT} characters")


def _raise_exception(message: object) -> None:
    raise TemplateError(f"refused: {message}")


def _strftime_now(form: str) -> str:
    """What templates that tell the date get: a fixed day, so that a prompt is the same tomorrow."""
    return datetime(2025, 1, 1, tzinfo=timezone.utc).strftime(str(form)[:100])


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__

"""Values out of JSON held to the types that their dataclasses declare."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

Holds = Callable[[Any], bool]
_NUMBERS: dict[object, set[type]] = {int: {int}, float: {int, float}}


def check(value: object) -> None:
    """Raise TypeError where a field of a dataclass, or of one within it, is of another type."""
    for name, holds in _fields(cast(Hashable, type(value))):
        if not holds(getattr(value, name)):
            raise TypeError(f"{type(value).__name__}.{name}: got {getattr(value, name)!r:.80}")


@cache
def _fields(kind: object) -> tuple[tuple[str, Holds], ...]:
    return tuple((name, _holder(hint)) for name, hint in get_type_hints(kind).items())


@cache
def _holder(hint: object) -> Holds:
    """What says whether a value is of a type; made once, since records are many."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return lambda value: isinstance(value, str)
    if origin in (Union, UnionType):
        ways = [_holder(one) for one in inner]
        return lambda value: any(holds(value) for holds in ways)
    if origin is tuple:
        return _tuple_holder(inner)
    if origin is Mapping:
        key, one = map(_holder, inner)
        return lambda value: (
            isinstance(value, Mapping) and all(map(key, value)) and all(map(one, value.values()))
        )
    if hint in _NUMBERS:
        numbers = _NUMBERS[hint]
        return lambda value: type(value) in numbers
    assert isinstance(hint, type)
    if is_dataclass(hint):
        fields = _fields(hint)
        return lambda value: (
            isinstance(value, hint) and all(holds(getattr(value, name)) for name, holds in fields)
        )
    return lambda value: isinstance(value, hint)


def _tuple_holder(inner: tuple[Any, ...]) -> Holds:
    if inner[-1] is not Ellipsis:
        if len(set(inner)) == 1 and inner[0] in _NUMBERS:
            n, kinds = len(inner), _NUMBERS[inner[0]]
            return lambda value: (
                isinstance(value, tuple) and len(value) == n and set(map(type, value)) <= kinds
            )
        each = [_holder(one) for one in inner]
        return lambda value: (
            isinstance(value, tuple)
            and len(value) == len(each)
            and all(holds(one) for holds, one in zip(each, value, strict=True))
        )
    if inner[0] in _NUMBERS:  # Thousands of tokens and their seconds.
        numbers = _NUMBERS[inner[0]]
        return lambda value: isinstance(value, tuple) and set(map(type, value)) <= numbers
    every = _holder(inner[0])
    return lambda value: isinstance(value, tuple) and all(map(every, value))

"""The wire format of protobuf: the fields of a message, one after the other, nothing copied."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

Span = tuple[int, int]


def fields(view: mmap.mmap, span: Span) -> Iterator[tuple[int, int | Span]]:
    """(field number, value) pairs of a message; a length-delimited value is its span.

    Raises ValueError or IndexError for what is no message.
    """
    at, end = span
    while at < end:
        key, at = varint(view, at)
        field, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = varint(view, at)
            yield field, value
        elif wire == BYTES:
            length, at = varint(view, at)
            if length > end - at:
                raise ValueError("cut off")
            yield field, (at, at + length)
            at += length
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")


def varint(view: mmap.mmap, at: int) -> tuple[int, int]:
    """A number and where it ends."""
    value = shift = 0
    while True:
        byte = view[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
        if shift > 63:
            raise ValueError("a number that does not end")


def packed(view: mmap.mmap, span: Span) -> list[int]:
    """Numbers one behind the other."""
    at, values = span[0], []
    while at < span[1]:
        value, at = varint(view, at)
        values.append(value)
    return values


def text(view: mmap.mmap, span: Span) -> str:
    """UTF-8 text."""
    return view[span[0] : span[1]].decode("utf-8")


def strings(view: mmap.mmap, span: Span, wanted: int) -> list[str]:
    """The texts of a field."""
    return [
        text(view, value)
        for field, value in fields(view, span)
        if field == wanted and isinstance(value, tuple)
    ]

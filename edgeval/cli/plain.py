"""Texts of strangers on a terminal: what would move its cursor or write its clipboard is shown."""

from __future__ import annotations

import re

# C0 but line ends and tabs, DEL, C1, and what turns the direction of writing.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def plain(text: str) -> str:
    """The text with control characters spelled out, as Python does it."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)

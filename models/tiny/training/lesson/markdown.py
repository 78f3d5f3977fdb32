"""Markdown that is safe with any model's words in it, and reads well as text too."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

LONGEST, WIDTH = 56, 110
# A full stop, colon or slash inside a word may make a link of it.
_SPECIAL = re.compile(r"[^A-Za-z0-9 +=().,:;?'-]|[.:](?=\S)")


def shown(text: str, longest: int = LONGEST) -> str:
    """What a model said, safe in a Markdown table: everything that is not plain is an entity."""
    cut = text if len(text) <= longest else f"{text[:longest]}\u2026"
    return _SPECIAL.sub(lambda found: f"&#{ord(found.group())};", " ".join(cut.split()))


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def filled(part: str) -> str:
    """Prose and items of lists in lines of WIDTH; tables, code, headings, pictures as they are."""
    if part.startswith(("|", "#", "!", "`" * 3, "    ")):
        return part
    return "\n".join(
        textwrap.fill(
            line,
            width=WIDTH,
            subsequent_indent="  " if line.startswith("- ") else "",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in part.split("\n")
    )


def fenced(text: str) -> str:
    """A block of text as it is, whatever stands in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"

"""The turns of a conversation in the two forms that chat templates take: parts, or plain texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeval.types import Turn

Said = tuple[str, str]
Message = Mapping[str, object]


def said(
    question: str, history: Sequence[Turn], *, system: str = "", before: Sequence[str] = ()
) -> list[Said]:
    """(role, text) of every turn, a system turn first where there is one.

    ``before``: lines to stand before the first user's text.
    """
    turns = [*history, Turn(role="user", text=question)]
    texts = [(turn.role, turn.text) for turn in turns]
    role, first = texts[0]
    texts[0] = (role, "\n".join([*before, first]))
    return [("system", system), *texts] if system else [*texts]


def in_parts(turns: Sequence[Said], seen: Sequence[str] = ()) -> list[Message]:
    """Messages of typed parts; parts of the types ``seen`` before the first user's text."""
    messages: list[Message] = []
    left = list(seen)
    for role, text in turns:
        parts = [{"type": "text", "text": text}]
        if role == "user":
            parts = [*({"type": kind} for kind in left), *parts]
            left = []
        messages.append({"role": role, "content": parts})
    return messages


def as_texts(turns: Sequence[Said]) -> list[Message]:
    """Messages whose content is the text."""
    return [{"role": role, "content": text} for role, text in turns]

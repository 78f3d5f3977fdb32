"""The one source of random draws of the generators.

Lessons must be the same for the same seed for ever: the shipped model was trained on them. So this
is Python's own Mersenne Twister with the methods of ``random.Random``, whose draws a golden test
pins on every Python we support. Nothing here scores.
"""

from __future__ import annotations

from random import Random as Draws  # noqa: TID251 - lessons are drawn, not scored; see the module's docstring

__all__ = ["Draws", "lesson_draws", "question_draws", "scene_draws"]


def lesson_draws(seed: int) -> Draws:
    """Draws that decide what lesson ``seed`` teaches."""
    return Draws(seed * 7919 + 13)  # noqa: S311 - no secret is drawn


def question_draws(seed: int) -> Draws:
    """Draws that decide what is asked about lesson ``seed``; independent of those that made it."""
    return Draws(seed * 104729 + 7)  # noqa: S311 - no secret is drawn


def scene_draws(seed: int, name: str) -> Draws:
    """Draws that decide what is asked about the scene ``name``."""
    return Draws(f"{seed}:{name}")  # noqa: S311 - no secret is drawn

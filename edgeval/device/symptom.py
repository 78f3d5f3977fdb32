"""What a reader thinks of what it read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["ok", "note", "warning", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Symptom:
    """One thing seen on this machine, how bad it is for an evaluation, and what to do about it.

    ``ok`` and ``note`` need nothing done; ``warning`` makes results slower or less sure; ``stop``
    means that no evaluation can run here. ``fix`` is empty for ``ok`` alone.
    """

    subject: str
    severity: Severity
    found: str
    fix: str = ""

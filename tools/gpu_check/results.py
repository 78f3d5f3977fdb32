"""What was found, as one JSON file that is valid after every line written to it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Literal, get_args

SCHEMA = 1
Status = Literal["running", "done", "refused", "failed", "out of time", "not started"]
STATUSES: tuple[Status, ...] = get_args(Status)
FACTS = ("date", "started", "rehearsal", "commit", "python", "system", "packages", "minutes")
FACTS_OF_A_GPU = ("device", "sm", "driver_cuda")
Table = dict[str, Any]


class Results:
    """The file. Every change reads it, and replaces it whole, so that processes may take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, facts: Table, parts: tuple[str, ...]) -> None:
        """Begin a file: what is checked where, no part of it begun."""
        waiting = {name: {"status": "not started"} for name in parts}
        self._write({"schema": SCHEMA, "facts": facts, "parts": waiting})

    def read(self) -> Table:
        """All of it. ValueError for a file of another schema."""
        found: Table = json.loads(self.path.read_text("utf-8"))
        check(found)
        return found

    def mark(self, part: str, status: Status, **more: object) -> None:
        """How a part stands."""
        found = self.read()
        found["parts"].setdefault(part, {}).update(status=status, **more)
        self._write(found)

    def put(self, part: str, key: str, value: object) -> None:
        """Something that a part found."""
        found = self.read()
        found["parts"].setdefault(part, {}).setdefault("found", {})[key] = value
        self._write(found)

    def _write(self, found: Table) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(self.path.name + ".part")
        with beside.open("w", encoding="utf-8") as file:
            file.write(json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)


def check(found: Table) -> None:
    """ValueError for what is no result: facts and parts with how each one stands."""
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"wants schema {SCHEMA}")
    facts, parts = found.get("facts"), found.get("parts")
    if not isinstance(facts, dict) or not isinstance(parts, dict):
        raise ValueError("wants facts and parts")
    wanted = FACTS if facts.get("rehearsal") else (*FACTS, *FACTS_OF_A_GPU)
    if missing := [key for key in wanted if key not in facts]:
        raise ValueError(f"its facts lack {missing[0]}")
    for name, part in parts.items():
        if part.get("status") not in STATUSES:
            raise ValueError(f"part {name}: got status {part.get('status')!r}")


def file_name(date: str, device: str) -> str:
    """<date>-<device>.json, where ``edgeval doctor`` looks for it."""
    slug = re.sub(r"[^a-z0-9]+", "-", device.lower()).strip("-") or "gpu"
    return f"{date}-{slug}.json"

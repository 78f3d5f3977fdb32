"""What a part is told: one value, handed to its process as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from gpu_check.results import Results

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``engines`` to check, the torch ``device`` of the peers, ``size`` of what speed is of.

    ``seconds``: how long the part may take. ``work``: what is made and may be used again.
    """

    part: str
    out: str
    work: str
    seconds: float
    engines: tuple[str, ...] = ("cuda", "trt", "trt-inplace")
    device: str = "cuda"
    size: str = "2b"

    def put(self, key: str, value: object) -> None:
        """Something found: on disk when this returns."""
        Results(Path(self.out)).put(self.part, key, value)

    def text(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))


def read(text: str) -> Job:
    """What ``Job.text`` gave."""
    found = json.loads(text)
    return Job(**{**found, "engines": tuple(found["engines"])})

"""What a run shows on stderr: rich on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType

import click
import numpy as np
from rich.console import Console
from rich.live import Live
from rich.text import Text

from edgeval import stats
from edgeval.report import seconds
from edgeval.run import Step
from edgeval.trace import Trace
from edgeval.types import Record

PLAIN_EVERY_S = 10.0
INTERVAL_EVERY_S = 2.0
INTERVAL_RESAMPLES = 1_000
MIN_CLIPS = 5


class Progress:
    """An observer that counts, estimates and shows, and hands every step to the trace."""

    def __init__(self, how: str, rule: str, trace: Trace | None) -> None:
        self.wants_digests = trace is not None
        self._how = _resolved(how)
        self._rule = rule
        self._trace = trace
        self._total = 0
        self._done_before = 0
        self._records: list[Record] = []
        self._began = time.monotonic()
        self._shown = 0.0
        self._score = ""
        self._scored_at = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        """Start showing."""
        if self._how == "rich":
            self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing; leave one last plain line."""
        if self._live is not None:
            self._live.stop()
        if self._how != "none" and self._records:
            click.echo(self._line(final=True), err=True)

    def started(self, *, total: int, records: Sequence[Record]) -> None:
        """Take over what a resumed run already has."""
        self._total = total
        self._records = list(records)
        self._done_before = len(self._records)
        if self._done_before and self._how != "none":
            click.echo(f"edgeval: resuming, {self._done_before} of {total} answered", err=True)

    def asked(self, step: Step) -> None:
        """Trace before the record is durable: a line too many is dropped on resume."""
        if self._trace is not None:
            self._trace.write(step)

    def recorded(self, record: Record) -> None:
        """Count one more."""
        self._records.append(record)
        now = time.monotonic()
        if self._live is not None:
            self._live.update(Text(self._line(final=False)))
        elif self._how == "plain" and now - self._shown >= PLAIN_EVERY_S:
            self._shown = now
            click.echo(self._line(final=False), err=True)

    def _line(self, *, final: bool) -> str:
        done = len(self._records)
        fresh = done - self._done_before
        elapsed = max(time.monotonic() - self._began, 1e-9)
        rate = fresh / elapsed
        left = (self._total - done) / rate if rate > 0 else 0.0
        ahead = f"{elapsed:.0f} s" if final else f"ETA {_clock(left)}"
        return (
            f"{done}/{self._total} questions, {rate:.2f}/s, {ahead} | {self._shares()} | "
            f"{self._running_score(final=final)}"
        )

    def _shares(self) -> str:
        spent = seconds(self._records)
        parts = {
            "decode": spent.decode_s,
            "vision": spent.preprocess_s + spent.vision_s,
            "prefill": spent.prefix_s + spent.prefill_s,
            "generate": sum(spent.step_s) + spent.other_turns_s,
        }
        total = sum(parts.values()) or 1.0
        return ", ".join(f"{name} {100 * value / total:.0f} %" for name, value in parts.items())

    def _running_score(self, *, final: bool) -> str:
        now = time.monotonic()
        if self._score and not final and now - self._scored_at < INTERVAL_EVERY_S:
            return self._score
        self._scored_at = now
        # Passes with and without the video are different things: the current one's score.
        setting = self._records[-1].setting if self._records else ""
        rows = [
            (record.question.clip_id, score.value or 0.0)
            for record in self._records
            if record.setting == setting
            and not record.variant
            and (score := record.scores.get(self._rule)) is not None
            and score.status != "excluded"
        ]
        if len({clip for clip, _ in rows}) < MIN_CLIPS:
            return "no score yet"
        columns = np.array([[value, 1.0] for _, value in rows])
        low, high = stats.clustered_interval(
            columns,
            [clip for clip, _ in rows],
            lambda sums: sums[:, 0] / sums[:, 1],
            resamples=INTERVAL_RESAMPLES,
        )
        mean = 100 * float(columns[:, 0].mean())
        self._score = (
            f"{setting}, {self._rule}: {mean:.1f} [{100 * low:.1f}, {100 * high:.1f}] so far"
        )
        return self._score


def _resolved(how: str) -> str:
    if how != "auto":
        return how
    # None where the process was started with standard error closed.
    shown = sys.stderr is not None and sys.stderr.isatty()
    return "rich" if shown else "plain"


def _clock(seconds_left: float) -> str:
    minutes, rest = divmod(int(seconds_left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"

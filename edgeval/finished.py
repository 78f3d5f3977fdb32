"""The run card of a finished run: what is known only at the end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from edgeval import report
from edgeval.costs.figures import costs
from edgeval.device import timeline
from edgeval.runfolder.journal import Journal


def completed(journal: Journal, seconds: float) -> dict[str, Any]:
    """The card with videos, times and costs, all summed over the sessions of the run.

    ``seconds``: what the last session took.
    """
    before: Mapping[str, Any] = journal.card
    videos = {
        record.video: record.video_sha256 for record in journal.records if record.video_sha256
    }
    times = report.seconds(journal.records)
    sessions = timeline.sessions(journal.folder, before)
    return {
        **before,
        "videos": dict(sorted(videos.items())),
        "seconds": round(before.get("seconds", 0.0) + seconds, 3),
        "seconds_by_stage": {
            "decode": round(times.decode_s, 3),
            "preprocess": round(times.preprocess_s, 3),
            "vision": round(times.vision_s, 3),
            "prefix": round(times.prefix_s, 3),
            "prefill": round(times.prefill_s, 3),
            "generate": round(sum(times.step_s), 3),
            "other_turns": round(times.other_turns_s, 3),
        },
        "seconds_a_question": report.seconds_a_question(journal.records),
        "costs": costs(
            journal.records,
            [(session.facts, session.sums) for session in sessions],
            rule=str(before["identity"]["rules"][0]),
            shared=bool(before["invocation"]["share"]),
        ),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }

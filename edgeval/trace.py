"""One JSON line per question with everything that went into its answer, for replays."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from edgeval.errors import Interrupted, RunFolderError
from edgeval.run import Step
from edgeval.types import Record, Score


class Trace:
    """Writes FILE line by line; a resumed run keeps the lines whose record is durable."""

    def __init__(self, path: Path, keep: Sequence[Record]) -> None:
        kept = _lines_of(path, {record.question.id for record in keep})
        try:
            self._stream = path.open("w", encoding="utf-8", newline="\n")
            self._stream.writelines(kept)
            self._stream.flush()
        except OSError as error:
            raise RunFolderError(
                f"{path}: the trace cannot be written ({error.strerror}); choose another --trace"
            ) from error

    def write(self, step: Step) -> None:
        """Append one question. Raises Interrupted when the disk does not take it."""
        try:
            self._stream.write(json.dumps(row(step), ensure_ascii=False, sort_keys=True) + "\n")
            self._stream.flush()
        except OSError as error:
            raise Interrupted(
                f"{self._stream.name}: the trace cannot be written ({error.strerror}); every "
                f"answer so far is safe, free the disk and run 'edgeval run --resume'"
            ) from error

    def close(self) -> None:
        """Close the file."""
        # Every line was flushed; what a full disk did not take was told by write.
        with suppress(OSError):
            self._stream.close()


def row(step: Step) -> dict[str, object]:
    """What one line says. ``score`` and ``parsed`` are lmms-eval's rule where there is one.

    ``frame_indices`` are as the frame rule names them, which may count frames that are not shown.
    """
    record = step.record
    leading = _leading(record.scores)
    named = step.frames.plan.named if step.frames else ()
    return {
        "id": record.question.id,
        "task": record.question.task,
        "doc_key": record.question.row_id,
        "setting": record.setting,
        "video": record.video,
        "video_sha256": record.video_sha256,
        "frame_indices": list(named or record.frame_indices),
        "frames_sha256": list(step.frames.digests) if step.frames else [],
        "pixel_sha256": step.view.pixel_sha256() if step.view and step.frames else None,
        "prompt": step.prompt.text if step.prompt else None,
        "input_ids": list(step.prompt.token_ids) if step.prompt else [],
        "generated_ids": _generated(record),
        "response": record.answer.strip() if record.generation else None,
        "parsed": leading.parsed if leading else None,
        "score": leading.value if leading else None,
        "scores": {
            rule: {"value": score.value, "parsed": score.parsed, "status": score.status}
            for rule, score in record.scores.items()
        },
        "failure": record.failure.message if record.failure else None,
    }


def _generated(record: Record) -> list[int]:
    """Every new token with the one that stopped it, as transformers' generate() returns them."""
    said = record.generation
    if said is None:
        return []
    return [*said.token_ids, *(() if said.stop_id is None else (said.stop_id,))]


def _leading(scores: Mapping[str, Score]) -> Score | None:
    return scores.get("lmms-eval") or next(iter(scores.values()), None)


def _lines_of(path: Path, ids: set[str]) -> list[str]:
    if not ids or not path.exists():
        return []
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise RunFolderError(
            f"{path}: the trace cannot be read ({error.strerror}); put it back or move it away"
        ) from error
    kept = []
    for line in lines:
        try:
            if line.endswith(b"\n") and json.loads(line)["id"] in ids:
                kept.append(line.decode())
        except (ValueError, KeyError, TypeError, RecursionError):
            continue  # A line torn by a kill; its question is asked, and written, again.
    return kept

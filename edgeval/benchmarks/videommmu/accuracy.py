"""Accuracy as the authors add it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from edgeval.tally import Cell


def official_accuracy(cells: Iterable[Cell], subjects: Sequence[str] = ()) -> float | None:
    """Accuracy in [0, 1] as the authors add it up: by subject, in ``subjects``' order first.

    None where nothing is in n; they print 0 there.
    """
    counts: dict[str, list[int]] = {subject: [0, 0] for subject in subjects}
    for cell in cells:
        if cell.value is not None:
            count = counts.setdefault(cell.question.tags["subject"], [0, 0])
            count[0] += cell.value == 1
            count[1] += 1
    groups = [(right, n) for right, n in counts.values() if n]
    return official_mean(groups) if groups else None


def official_mean(groups: Sequence[tuple[int, int]]) -> float:
    """Accuracy in [0, 1] of (right, n) groups, weighted by n as the authors do; 0 for none.

    Their order of adding decides the last bit, and with it the fifth decimal that they print.
    Source: VideoMMMU and lmms-eval, lmms_eval/tasks/videommmu/utils.py, calculate_ins_level_acc.
    """
    total = sum(n for _, n in groups)
    return sum(right / n * n for right, n in groups) / total if total else 0

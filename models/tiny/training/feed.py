"""Batches in order, drawn ahead by other processes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from multiprocessing.pool import AsyncResult

from training.batch import Parts
from training.recipe import Recipe, group
from training.stages import Stage

# Groups ahead of the one in use, for each process that draws.
_AHEAD = 3


def batches(recipe: Recipe, stage: Stage, first: int, workers: int) -> Iterator[Parts]:
    """The batches of a stage from step ``first`` on; ``workers`` 0 draws them here."""
    numbers = range(first // stage.reuse, -(-stage.steps // stage.reuse))
    skipped = first % stage.reuse
    steps = stage.steps - first
    for drawn in _groups(recipe, stage, numbers, workers):
        for batch in drawn[skipped:]:
            if steps:
                steps -= 1
                yield batch
        skipped = 0


def _groups(recipe: Recipe, stage: Stage, numbers: range, workers: int) -> Iterator[list[Parts]]:
    if not workers:
        for number in numbers:
            yield group(recipe, stage, number)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        coming: deque[AsyncResult[list[Parts]]] = deque()
        for number in numbers:
            coming.append(pool.apply_async(group, (recipe, stage, number)))
            if len(coming) > _AHEAD * workers:
                yield coming.popleft().get()
        while coming:
            yield coming.popleft().get()

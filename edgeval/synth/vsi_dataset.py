"""Questions made from scene geometry, as a data folder of VSI-Bench.

    test.jsonl     rows as the published ones: id, dataset, scene_name, question_type, question,
                   ground_truth, options (null for a number)
    made.json      how they were made: seed, scene files with their sha256, margins, counts

The videos are not made: put <dataset>/<scene_name>.mp4 beside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeval.dataset import sha256
from edgeval.errors import ArgumentError, DataError
from edgeval.scenes import Scene, read_scenes
from edgeval.synth import vsi_geometry
from edgeval.synth.draws import Draws, scene_draws
from edgeval.synth.vsi_geometry import Posed

Also = Callable[[Scene, Draws], Mapping[str, Sequence[Posed]]]

# Ours: the most questions of a type about one scene. The published set has about as many.
MOST: Mapping[str, int] = {
    "object_counting": 2,
    "object_abs_distance": 3,
    "object_size_estimation": 3,
    "room_size_estimation": 1,
    "object_rel_distance": 3,
    "object_rel_direction_easy": 1,
    "object_rel_direction_medium": 1,
    "object_rel_direction_hard": 1,
}
# Types whose few answers are dealt evenly.
_BY_SIDE = (*vsi_geometry.SIDES, "route_planning")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What ``write`` left in the folder. ``counts``: question type -> questions."""

    n_scenes: int
    counts: Mapping[str, int]


class Turns:
    """Deals what has come least so far, so that no letter and no side is favoured."""

    __slots__ = ("_dealt",)

    def __init__(self) -> None:
        self._dealt: Counter[tuple[str, str]] = Counter()

    def rarest(self, kind: str, answers: Sequence[str], draws: Draws) -> str:
        """One of ``answers``: the least dealt for ``kind``; equals are drawn."""
        least = min(self._dealt[(kind, answer)] for answer in answers)
        dealt = draws.choice([one for one in answers if self._dealt[(kind, one)] == least])
        self._dealt[(kind, dealt)] += 1
        return dealt


def write(folder: Path, scene_files: Sequence[Path], *, seed: int = 0) -> Written:
    """Write questions about every scene of ``scene_files``.

    The same files and seed give the same bytes. Raises ArgumentError for a negative seed, no file
    or a folder that is not empty, DataError for a scene that cannot be read or comes twice.
    """
    if seed < 0 or not scene_files:
        raise ArgumentError(
            f"scenes: got seed={seed} and {len(scene_files)} files; wants seed >= 0 and a file"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"scenes: {folder} is not an empty folder; name a new one")
    scenes = [scene for path in scene_files for scene in read_scenes(path)]
    names = Counter((scene.dataset, scene.name) for scene in scenes)
    twice = [f"{dataset}/{name}" for (dataset, name), n in names.items() if n > 1]
    if twice:
        raise DataError(f"scenes: got {twice[0]} twice; name each scene file once")
    rows = questions(scenes, seed=seed)
    counts = Counter(str(row["question_type"]) for row in rows)
    made = {
        "seed": seed,
        "scenes": len(scenes),
        "questions": {kind: counts[kind] for kind in MOST},
        "scene_files": {path.name: sha256(path) for path in scene_files},
        "margins": vsi_geometry.MARGINS,
        "most_per_scene": dict(MOST),
    }
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "test.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "made.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return Written(n_scenes=len(scenes), counts=counts)


def questions(
    scenes: Sequence[Scene], *, seed: int, most: Mapping[str, int] = MOST, also: Also | None = None
) -> list[dict[str, object]]:
    """Rows about each scene in turn; right letters and right sides come equally often.

    ``most`` of each type, in its order. ``also`` finds what geometry alone does not decide.
    """
    letters, sides = Turns(), Turns()
    rows: list[dict[str, object]] = []
    for scene in scenes:
        draws = scene_draws(seed, f"{scene.dataset}/{scene.name}")
        found: dict[str, Sequence[Posed]] = dict(vsi_geometry.posed(scene, draws))
        found |= also(scene, draws) if also else {}
        for kind, wanted in most.items():
            for one in _chosen(found.get(kind, ()), wanted, sides, draws):
                rows.append(_row(len(rows), scene, one, letters, draws))
    return rows


def _chosen(found: Sequence[Posed], most: int, sides: Turns, draws: Draws) -> list[Posed]:
    """Some of the questions: drawn, a direction or route by the side that has come least."""
    left = list(found)
    chosen: list[Posed] = []
    while left and len(chosen) < most:
        pool = left
        if left[0].kind in _BY_SIDE:
            side = sides.rarest(left[0].kind, sorted({one.answer for one in left}), draws)
            pool = [one for one in left if one.answer == side]
        chosen.append(draws.choice(pool))
        left.remove(chosen[-1])
    return chosen


def _row(number: int, scene: Scene, one: Posed, letters: Turns, draws: Draws) -> dict[str, object]:
    text, truth, options = one.text, one.answer, None
    if one.others:
        names = "ABCD"[: len(one.others) + 1]
        truth = letters.rarest(f"{one.kind} of {len(names)}", names, draws)
        order = draws.sample(one.others, len(one.others))
        order.insert(names.index(truth), one.answer)
        text = text.replace("{options}", ", ".join(order))
        options = [f"{name}. {option}" for name, option in zip(names, order, strict=True)]
    return {
        "id": number,
        "dataset": scene.dataset,
        "scene_name": scene.name,
        "question_type": one.kind,
        "question": text,
        "ground_truth": truth,
        "options": options,
    }

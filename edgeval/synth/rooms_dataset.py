"""Generated rooms as a data folder of VSI-Bench, with all of its eight tasks.

    test.jsonl                    rows as the published ones
    rooms_meta_info_val.json      the rooms' geometry in the format of VSI-Bench's meta files
    rooms/room_<seed>.mp4         16 s, 192 x 192, 4 frames/s: a tour of each room

Six tasks are asked from geometry as for real rooms (``vsi_geometry``), the order of appearance from
the tour, routes from geometry. Which half a question is in (column "pruned") goes by turns
within its type: it lets both settings run and says nothing of the question.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.errors import ArgumentError
from edgeval.media.encode import encode
from edgeval.scenes import Scene
from edgeval.synth import rooms, rooms_questions, rooms_view, vsi_dataset
from edgeval.synth.draws import Draws
from edgeval.synth.rooms import Room
from edgeval.synth.vsi_geometry import Posed

FPS = 4
N_FRAMES = FPS * rooms.SECONDS
SIDE = 192
CRF = 30
# Held out, as all seeds from 800_000 to 899_999 are: nothing shipped has been trained on them.
FIRST_SEED = 810_000
N_ROOMS = 8
MOST: Mapping[str, int] = {
    "object_counting": 2,
    "object_abs_distance": 2,
    "object_size_estimation": 2,
    "room_size_estimation": 1,
    "object_rel_distance": 2,
    "object_rel_direction_easy": 1,
    "object_rel_direction_medium": 1,
    "object_rel_direction_hard": 1,
    "route_planning": 2,
    "obj_appearance_order": 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What ``write`` left in the folder. ``counts``: question type -> questions."""

    names: tuple[str, ...]
    counts: Mapping[str, int]
    n_bytes: int


def write(folder: Path, *, n_rooms: int = N_ROOMS, seed0: int = FIRST_SEED) -> Written:
    """Make ``n_rooms`` rooms, of seeds ``seed0`` upward, and write them to ``folder``.

    The same arguments give the same questions always, and the same bytes with the same x264.
    Raises ArgumentError for fewer than one room, a negative seed, or a folder that is not empty.
    """
    if n_rooms < 1 or seed0 < 0:
        raise ArgumentError(
            f"rooms: got n_rooms={n_rooms}, seed0={seed0}; wants n_rooms >= 1, seed0 >= 0"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArgumentError(f"rooms: {folder} is not an empty folder; name a new one")
    (folder / rooms.DATASET).mkdir(parents=True)
    made = [rooms.make(seed0 + i) for i in range(n_rooms)]
    for room in made:
        path = folder / rooms.DATASET / f"{room.name}.mp4"
        shown = rooms_view.sights(room, n=N_FRAMES, side=SIDE)
        encode(path, (sight.image for sight in shown), fps=FPS, crf=CRF)
    rows = questions(made, seed=seed0)
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    (folder / "test.jsonl").write_text("".join(lines), encoding="utf-8")
    text = json.dumps({room.name: rooms.meta(room) for room in made}, indent=1)
    (folder / "rooms_meta_info_val.json").write_text(text + "\n", encoding="utf-8")
    return Written(
        names=tuple(room.name for room in made),
        counts=Counter(str(row["question_type"]) for row in rows),
        n_bytes=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    )


def shown_kinds(room: Room) -> NDArray[np.float64]:
    """Which kind of ``room.boxes`` each picture shows: 1, else 0; float64 [frames, kinds]."""
    kinds = list(room.boxes)
    looked_at = [room.moment(i, N_FRAMES)[0].kind for i in range(N_FRAMES)]
    shown: NDArray[np.float64] = np.eye(len(kinds))[[kinds.index(kind) for kind in looked_at]]
    return shown


def questions(made: list[Room], *, seed: int) -> list[dict[str, object]]:
    """Rows about each room in turn, as ``write`` has them."""
    shown = {room.name: shown_kinds(room) for room in made}

    def also(scene: Scene, draws: Draws) -> dict[str, tuple[Posed, ...]]:
        seen = shown[scene.name]
        orders = rooms_questions.appearances(tuple(scene.boxes), seen, fps=FPS, draws=draws)
        return {
            "route_planning": tuple(rooms_questions.routes(scene)),
            "obj_appearance_order": tuple(orders),
        }

    scenes = [room.scene for room in made]
    rows = vsi_dataset.questions(scenes, seed=seed, most=MOST, also=also)
    turns: Counter[object] = Counter()
    for row in rows:
        turns[row["question_type"]] += 1
        row["pruned"] = turns[row["question_type"]] % 2 == 0
    return rows

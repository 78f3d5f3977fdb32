"""The two tasks of VSI-Bench that geometry alone does not decide: order of appearance, and routes.

Wording: the released questions (Hugging Face nyu-visionx/VSI-Bench). The margins are ours, theirs
are not published: the authors had people write the routes and check the orders.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from edgeval.scenes import Box, Scene, turn_deg
from edgeval.synth.draws import Draws
from edgeval.synth.rooms import from_line
from edgeval.synth.vsi_geometry import Posed

N_ORDERED = 4
# A kind is seen from the first picture on where it fills so much of it, and so far apart from the
# others; it must come in the same order when a sliver of it counts.
SEEN_SHARE = 0.006
SLIVER_SHARE = 0.0015
APART_S = 0.75
# A turn to the side lies so near a right angle, a turn back so near the way one came.
SIDE_DEG = 35.0
BACK_DEG = 30.0
# A way passes nothing closer than this, seen from above, and is at least so long.
CLEAR_M = 0.1
WAY_M = 1.2

_TURNS = ("Turn Left", "Turn Right", "Turn Back")
_ORDER = "What will be the first-time appearance order of the following categories in the video: "
_CHOOSE = (
    " You will perform the following actions (Note: for each [please fill in], choose either 'turn "
    "back,' 'turn left,' or 'turn right.'): "
)
_END = " You have reached the final destination."


def appearances(
    kinds: Sequence[str], shares: NDArray[np.float64], *, fps: float, draws: Draws
) -> Iterator[Posed]:
    """Which of four kinds comes when, for every four whose order is beyond doubt.

    ``shares``: float64 [frames, kinds], how much of each picture each kind fills. The three wrong
    orders are drawn from the other 23, so the right one stands out in nothing.
    """
    clear, sliver = (_first(shares, share) for share in (SEEN_SHARE, SLIVER_SHARE))
    known = [k for k in range(len(kinds)) if clear[k] >= 0]
    for four in itertools.combinations(known, N_ORDERED):
        order = sorted(four, key=lambda k: clear[k])
        gaps = [clear[b] - clear[a] for a, b in itertools.pairwise(order)]
        slivers = [sliver[b] - sliver[a] for a, b in itertools.pairwise(order)]
        if min(gaps) < APART_S * fps or min(slivers) <= 0:
            continue
        names = [kinds[k] for k in order]
        every = [", ".join(some) for some in itertools.permutations(sorted(names))]
        answer = ", ".join(names)
        every.remove(answer)
        listed = ", ".join(draws.sample(names, N_ORDERED))
        yield Posed(
            kind="obj_appearance_order",
            text=f"{_ORDER}{listed}?",
            answer=answer,
            others=tuple(draws.sample(every, N_ORDERED - 1)),
        )


def _first(shares: NDArray[np.float64], share: float) -> list[int]:
    """The first picture in which each kind fills that much; -1 where none does."""
    seen = shares >= share
    return [int(column.argmax()) if column.any() else -1 for column in seen.T]


def routes(scene: Scene) -> Iterator[Posed]:
    """Every way over one or two clear turns between things of which there is one.

    One turn chooses among three, two turns (left and right only) among four: all there are, so no
    option is wrong by its look.
    """
    single = {kind: boxes[0] for kind, boxes in scene.boxes.items() if len(boxes) == 1}
    ways = {pair for pair in itertools.permutations(single, 2) if _free(scene, single, *pair)}
    for one, two, three in itertools.permutations(single, 3):
        if not ways.issuperset({(one, two), (two, three)}):
            continue
        first = turned(single[one], single[two], single[three])
        if first is not None:
            yield _route((one, two, three), (first,), _TURNS)
        if first not in _TURNS[:2]:
            continue
        for four in sorted(single.keys() - {one, two, three}):
            second = turned(single[two], single[three], single[four])
            if (three, four) in ways and second in _TURNS[:2]:
                yield _route((one, two, three, four), (str(first), str(second)), _TURNS[:2])


def turned(one: Box, two: Box, three: Box) -> str | None:
    """The turn at ``two`` of one who comes from ``one`` and goes on to ``three``; None if unclear.

    Straight on is no answer either.
    """
    # What is seen from `two` on the way back to `one` is 180 degrees from the way one goes.
    back = turn_deg(two, one, three)
    left = back + 180 if back < 0 else back - 180
    if abs(left) >= 180 - BACK_DEG:
        return "Turn Back"
    if abs(abs(left) - 90) <= SIDE_DEG:
        return "Turn Left" if left > 0 else "Turn Right"
    return None


def _free(scene: Scene, single: Mapping[str, Box], start: str, end: str) -> bool:
    """Whether nothing else stands in the straight way, and the way is long enough to be one."""
    a, b = single[start].ground, single[end].ground
    others = [
        box for kind, boxes in scene.boxes.items() if kind not in (start, end) for box in boxes
    ]
    clear = all(from_line(box.ground, a, b) >= CLEAR_M + min(box.lengths[:2]) / 2 for box in others)
    return clear and np.hypot(a[0] - b[0], a[1] - b[1]) >= WAY_M


def _route(stops: Sequence[str], turns: Sequence[str], allowed: Sequence[str]) -> Posed:
    start, facing, end = stops[0], stops[1], stops[-1]
    steps = [f"Go forward until the {facing}."]
    for stop in stops[2:]:
        steps += ["[please fill in]", f"Go forward until the {stop}."]
    said = " ".join(f"{n}. {step}" for n, step in enumerate(steps, 1))
    answer = ", ".join(turns)
    every = [", ".join(some) for some in itertools.product(allowed, repeat=len(turns))]
    return Posed(
        kind="route_planning",
        text=(
            f"You are a robot beginning at the {start} and facing the {facing}. You want to "
            f"navigate to the {end}.{_CHOOSE}{said}{_END}"
        ),
        answer=answer,
        others=tuple(other for other in every if other != answer),
    )

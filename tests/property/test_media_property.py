"""Any plan gives what a full decode gives; hostile bytes give frames or one sentence."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeval import pixels
from edgeval.errors import VideoError
from edgeval.media.decode import decode
from edgeval.media.encode import encode
from edgeval.media.probe import probe
from edgeval.types import FramePlan, FrameRule, VideoInfo

N = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(5)
    still = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    path = tmp_path_factory.mktemp("clip") / "a.mp4"
    encode(path, (np.roll(still, 2 * i, 1) for i in range(N)), fps=10, crf=23, gop=17)
    return path


@pytest.fixture(scope="module")
def truth(clip: Path) -> list[np.ndarray]:
    with av.open(str(clip)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def plan_of(info: VideoInfo, indices: list[int]) -> FramePlan:
    rule = FrameRule(how="indices", indices=tuple(indices))
    return FramePlan(info=info, indices=tuple(indices), rule=rule)


@given(indices=st.lists(st.integers(0, N - 1), min_size=1, max_size=12))
@settings(max_examples=30)
def test_any_plan_is_bit_equal_to_a_full_decode(indices, clip, truth):
    frames = decode(plan_of(probe(clip), indices), shrink=pixels.to_rgb)
    assert all(np.array_equal(got, truth[i]) for i, got in zip(indices, frames.pixels, strict=True))


@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=12
    ),
    keep=st.one_of(st.just(1.0), st.floats(0.01, 1.0)),
    salvage=st.booleans(),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hostile_bytes_give_frames_or_one_sentence(changes, keep, salvage, clip, tmp_path: Path):
    body = bytearray(clip.read_bytes())
    for where, value in changes:
        body[int(where * len(body))] = value
    path = tmp_path / "b.mp4"
    path.write_bytes(body[: int(keep * len(body)) or 1])
    said, given_frames = outcome(path, salvage=salvage)
    assert ("\n" not in said) if said else given_frames == 2


def outcome(path: Path, *, salvage: bool) -> tuple[str, int]:
    """The sentence of a VideoError, or how many of two frames came."""
    try:
        info = probe(path, salvage=salvage)
        plan = plan_of(info, [0, info.n_frames - 1])
        return "", len(decode(plan, shrink=pixels.to_rgb, salvage=salvage).pixels)
    except VideoError as error:
        return str(error), 0

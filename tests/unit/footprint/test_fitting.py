"""A run that will not fit is refused before it begins, with the number of frames that would."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgeval import runcard
from edgeval.analyses.prompting import THINKING_TOKENS
from edgeval.device import headroom
from edgeval.device.headroom import Headroom
from edgeval.errors import MemoryLimitError
from edgeval.footprint import fitting
from edgeval.footprint.sizes import Load
from edgeval.model import ROOM_TOKENS
from edgeval.modelfolder import manifest
from edgeval.runspec import FrameChoice, Spec
from edgeval.seeing import Work, planned
from edgeval.types import Decoding
from edgeval.view import PIECE, Reading

MIB = 1 << 20
SPEC = Spec(benchmark="videommmu", model="tiny", limit=1, threads=1)


def work_of(n_frames: int) -> Work:
    return runcard.prepare(dataclasses.replace(SPEC, frames=FrameChoice(n=n_frames)))[0]


def allow(monkeypatch: pytest.MonkeyPatch, nbytes: int) -> None:
    found = Headroom(nbytes=nbytes, said_by="this test")
    monkeypatch.setattr(headroom, "read", lambda: found)


@pytest.fixture(scope="module")
def tiny() -> manifest.Manifest:
    return manifest.load(manifest.find("tiny"))


def needed(work: Work, tiny: manifest.Manifest) -> int:
    found = fitting.check(work, tiny, None)
    assert found is not None
    return found.clip


def test_what_fits_runs_and_a_byte_less_is_refused(
    monkeypatch: pytest.MonkeyPatch, tiny: manifest.Manifest
) -> None:
    work = work_of(12)
    nbytes = needed(work, tiny)
    allow(monkeypatch, nbytes)
    assert needed(work, tiny) == nbytes
    allow(monkeypatch, nbytes - 1)
    with pytest.raises(MemoryLimitError, match=r"12 frames need .* this test leaves") as refused:
        fitting.check(work, tiny, None)
    assert refused.value.exit_code == 5


def test_the_number_that_is_named_fits_and_one_more_does_not(
    monkeypatch: pytest.MonkeyPatch, tiny: manifest.Manifest
) -> None:
    nbytes = needed(work_of(7), tiny) + 1
    allow(monkeypatch, nbytes)
    with pytest.raises(MemoryLimitError, match="use --frames") as refused:
        work_of(16)
    named = re.search(r"--frames (\d+)", str(refused.value))
    assert named is not None
    fits = int(named[1])
    assert needed(work_of(fits), tiny) <= nbytes
    with pytest.raises(MemoryLimitError):
        work_of(fits + 1)


def test_no_frame_at_all_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    allow(monkeypatch, 1)
    with pytest.raises(MemoryLimitError, match="not even one frame would fit"):
        work_of(4)


def test_more_frames_need_more(tiny: manifest.Manifest) -> None:
    work = work_of(4)
    clip = next(clip for clip in work.clips if clip.video is not None)
    assert clip.video is not None
    few = fitting.load_of(work, clip, planned(work, clip, clip.video))
    work = work_of(16)
    many = fitting.load_of(work, clip, planned(work, clip, clip.video))
    assert many.frames > few.frames
    assert many.features * few.frames == few.features * many.frames
    assert many.prefix > few.prefix


def test_the_load_is_what_the_model_is_given(tiny: manifest.Manifest) -> None:
    """Tokens and pixels as the view really has them."""
    from edgeval.media.decode import decode

    work = work_of(6)
    clip = next(clip for clip in work.clips if clip.video is not None)
    assert clip.video is not None
    plan = planned(work, clip, clip.video)
    load = fitting.load_of(work, clip, plan)
    view = work.model.see(decode(plan, shrink=work.model.shrinker(plan)))
    assert view.features is not None
    assert load.features == len(view.features.rows)
    assert load.frame == view.images[0].nbytes
    assert load.prefix >= len(view.prefix_ids)


def load_of(work: Work) -> Load:
    clip = next(clip for clip in work.clips if clip.video is not None)
    assert clip.video is not None
    return fitting.load_of(work, clip, planned(work, clip, clip.video))


def test_a_way_of_prompting_takes_its_longest_turn(tiny: manifest.Manifest) -> None:
    """Thoughts of 1024 tokens are said, and quoted before the answer is asked for."""
    work = dataclasses.replace(work_of(4), decoding=Decoding(max_new_tokens=16))
    direct = load_of(work)
    steps = load_of(dataclasses.replace(work, prompting="cot"))
    assert direct.new == steps.new == 16
    assert 16 < steps.question - direct.question < 100
    plain = dataclasses.replace(work, decoding=Decoding())
    quoted = load_of(dataclasses.replace(plain, prompting="cot"))
    assert quoted.question - load_of(plain).question > THINKING_TOKENS


@pytest.mark.parametrize(
    ("reading", "room", "rows"),
    [
        (Reading(share=True), ROOM_TOKENS, PIECE),
        (Reading(share=False), 0, PIECE),
        (Reading(share=True, dynamic=("DynamicQuantizeLinear",)), 0, 0),
    ],
    ids=["shared", "alone", "whole"],
)
def test_the_load_is_as_the_model_reads(
    tiny: manifest.Manifest, reading: Reading, room: int, rows: int
) -> None:
    """Without a prefix a buffer has room for all at once; some decoders read it so, too."""
    work = work_of(4)
    work.model.reading = reading
    load = load_of(work)
    assert load.room == (room or load.question + load.new)
    assert load.piece == rows or (not rows and load.piece > load.prompt)


LIMITED = """
import resource, sys
from edgeval.footprint import fitting
from edgeval.cli.main import main
left, check = int(sys.argv.pop()), fitting.check
def limited(*arguments):
    size = [line for line in open("/proc/self/status") if line.startswith("VmSize")][0]
    most = int(size.split()[1]) * 1024 + (64 << 20) + left
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return check(*arguments)
fitting.check = limited
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc for what is taken already")
@pytest.mark.parametrize(("left", "code"), [(1 << 20, 5), (2 << 30, 0)], ids=["tight", "ample"])
def test_a_limit_on_address_space_is_kept(tmp_path: Path, left: int, code: int) -> None:
    """As ``ulimit -v`` sets it: the run ends with the exit code of memory, or runs."""
    asked = ["run", "videommmu", "--limit", "1", "--threads", "1", "-o", str(tmp_path / "run")]
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *asked, str(left)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    if code:
        assert "ulimit -v" in done.stderr
        assert "frames need" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "run").exists()

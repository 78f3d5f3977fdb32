"""The digest of a decoded picture, which records keep: of its samples, the same for ever."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeval import frames
from edgeval.media.decode import decode
from edgeval.media.encode import encode
from edgeval.media.picture import sha256
from edgeval.media.probe import probe
from edgeval.pixels import to_rgb
from edgeval.types import FrameRule, Picture

LUMA = np.arange(24, dtype=np.uint8).reshape(4, 6)
CHROMA = np.full((2, 3), 128, np.uint8)
PICTURE = Picture(planes=(LUMA, CHROMA, CHROMA), rgb=None)


def test_it_is_of_shapes_and_samples_in_their_order() -> None:
    told = b" (4, 6) " + LUMA.tobytes() + 2 * (b" (2, 3) " + CHROMA.tobytes())
    assert sha256(PICTURE) == hashlib.sha256(told).hexdigest()
    assert sha256(replace(PICTURE, matrix="bt709", rotation_deg=90)) == sha256(PICTURE)


def test_padding_behind_the_rows_is_not_in_it() -> None:
    wide = np.full((4, 16), 9, np.uint8)
    wide[:, :6] = LUMA
    assert sha256(replace(PICTURE, planes=(wide[:, :6], CHROMA, CHROMA))) == sha256(PICTURE)


def test_every_sample_is_in_it() -> None:
    for place in (0, 1, 2):
        planes = [LUMA.copy(), CHROMA.copy(), CHROMA.copy()]
        planes[place][-1, -1] ^= 1
        changed = replace(PICTURE, planes=(planes[0], planes[1], planes[2]))
        assert sha256(changed) != sha256(PICTURE)


def test_decoding_gives_one_for_each_frame_of_the_plan_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    encode(path, (np.full((32, 32, 3), 9 * i, np.uint8) for i in range(20)), fps=4, crf=10)
    rule = FrameRule(how="indices", indices=(3, 17, 3))
    plan = frames.plan(probe(path), rule)
    found = decode(plan, shrink=to_rgb, stages=True).pictures
    assert decode(plan, shrink=to_rgb).pictures == ()
    assert len(found) == 3
    assert found[0] == found[2] != found[1]

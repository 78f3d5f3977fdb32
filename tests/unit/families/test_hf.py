"""Five families against transformers' processors: every pixel and token id."""

from __future__ import annotations

import numpy as np
import pytest

from edgeval.chat.tokenizer import Tokenizer

from .conftest import FIXED, QUESTION, QWEN, facts_of, shrunk, video

# (frames, height, width): landscape, portrait, one frame, odd sizes, an odd number, many.
CLIPS = (
    *((4, 180, 320), (3, 240, 135), (5, 97, 333), (1, 61, 59), (33, 40, 64)),
    *((1, 321, 181), (3, 135, 241), (2, 512, 500)),
)


@pytest.fixture(scope="module", params=QWEN + FIXED)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.mark.parametrize("size", CLIPS)
def test_pixels_and_token_ids_equal_transformers(shared, opened, asked, family, size):
    images = video(*size)
    want = asked.of_video(images)
    ours = opened(family)
    small = shrunk(ours, images)
    feeds = list(ours.feeds(small))
    pixels = np.concatenate([np.asarray(feed["pixel_values"]) for feed in feeds])
    (theirs,) = (want[name].numpy() for name in want if name.startswith("pixel_values"))
    np.testing.assert_array_equal(pixels, theirs.reshape(pixels.shape))
    if family in QWEN:
        grids = np.concatenate([np.asarray(feed["grid_thw"]) for feed in feeds])
        assert [grids[:, 0].sum(), *grids[0, 1:]] == want["video_grid_thw"][0].tolist()
    tokenizer = Tokenizer(shared / "e2e/ckpt" / family / "tokenizer.json")
    ids = tokenizer.encode(ours.text(QUESTION, facts_of(small)).full)
    assert list(ids) == want["input_ids"][0].tolist()


def test_a_blind_prompt_equals_transformers(opened, asked, family):
    want = asked.prompt([{"type": "text", "text": QUESTION}])
    assert opened(family).text(QUESTION, None).full == want

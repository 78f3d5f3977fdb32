"""What InternVL and LLaVA-OneVision have of their own, against transformers' processors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from edgeval.chat.tokenizer import Tokenizer
from edgeval.processor import LMMS_EVAL, ClipFacts, Processor

from .conftest import FIXED, QUESTION, Opener, Theirs, facts_of, shrunk, video

FACTS = ClipFacts(times_s=(0.0, 0.5), duration_s=1.0)


@pytest.fixture(scope="module", params=FIXED)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_lmms_evals_prompt_has_the_tokenizers_template(opened, theirs, asked, family):
    if family == "internvl":
        want = asked.prompt([{"type": "video"}, {"type": "text", "text": QUESTION}])
    else:
        messages = [{"role": "user", "content": f"<video>\n{QUESTION}"}]
        want = theirs.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
    assert opened(family, LMMS_EVAL).text(QUESTION, FACTS).short == want


Tiled = Callable[[tuple[int, int], int], tuple[Processor, list[np.ndarray], Any]]


@pytest.fixture(scope="module")
def beside(opened: Opener, asked: Theirs) -> Tiled:
    """Ours, our pictures and their tensors: some frames, then a picture of the given sides."""
    import torch

    def make(sides: tuple[int, int], n_frames: int) -> tuple[Processor, list[np.ndarray], Any]:
        still, frames = video(1, *sides), video(n_frames, 50, 70)
        parts: list[dict[str, str]] = [{"type": "video"}] if n_frames else []
        want = asked.processor(
            text=asked.prompt([*parts, {"type": "image"}, {"type": "text", "text": QUESTION}]),
            images=[torch.from_numpy(still[0].transpose(2, 0, 1).copy())],
            videos=[torch.from_numpy(frames.transpose(0, 3, 1, 2).copy())] if n_frames else None,
            return_tensors="pt",
        )
        ours = opened("internvl")
        return ours, [*shrunk(ours, frames), *shrunk(ours, still, still=True)], want

    return make


SIDES = ((448, 448), (300, 900), (721, 405), (1000, 1000), (60, 50), (90, 1400))


@pytest.mark.parametrize("family", ["internvl"], indirect=True, scope="module")
@pytest.mark.parametrize("sides", SIDES)
@pytest.mark.parametrize("n_frames", [0, 2])
def test_internvls_pictures_are_tiled_as_in_transformers(beside, sides, n_frames):
    ours, small, want = beside(sides, n_frames)
    pixels = np.concatenate([np.asarray(feed["pixel_values"]) for feed in ours.feeds(small)])
    np.testing.assert_array_equal(pixels, want["pixel_values"].numpy())


# A picture alone of one view is shown as a video of one frame, so only larger ones are here.
@pytest.mark.parametrize("family", ["internvl"], indirect=True, scope="module")
@pytest.mark.parametrize(
    ("sides", "n_frames"), [*((sides, 2) for sides in SIDES), ((300, 900), 0), ((90, 1400), 0)]
)
def test_internvls_pictures_are_told_as_in_transformers(shared, beside, sides, n_frames):
    ours, small, want = beside(sides, n_frames)
    facts = facts_of(small, n_stills=min(n_frames, 1))
    tokenizer = Tokenizer(shared / "e2e/ckpt/internvl/tokenizer.json")
    ids = tokenizer.encode(ours.text(QUESTION, facts).full)
    assert list(ids) == want["input_ids"][0].tolist()

"""Model: sharing changes the cost and not the answer; what it refuses; what it says of itself."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ArgumentError
from edgeval.generate import together
from edgeval.model import Model, open_model
from edgeval.types import (
    Ask,
    Decoding,
    FramePlan,
    FrameRule,
    Frames,
    Generation,
    Picture,
    Timing,
    VideoInfo,
)

GREEDY = Decoding()


def clip(n_frames: int = 4) -> Frames:
    """Noise frames as the carried model's shrink makes them, one every two seconds."""
    rng = np.random.default_rng(11)
    indices = tuple(range(0, 8 * n_frames, 8))
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=8 * n_frames,
        fps=4.0,
        duration_s=2.0 * n_frames,
        width=64,
        height=64,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(8 * n_frames) / 4.0,
    )
    return Frames(
        plan=FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices)),
        pixels=tuple(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in indices),
        pts_s=np.array(indices) / 4.0,
    )


def opened(tiny: Path, *, precision: str = "fp32", share: bool = True) -> Model:
    return open_model(tiny, engine="cpu", precision=precision, threads=1, share=share)


@pytest.fixture(scope="module")
def model(tiny) -> Model:
    return opened(tiny)


def answers(model: Model, decoding: Decoding = GREEDY) -> list[tuple[int, ...]]:
    """Answers to three questions about one clip, the first asked again at the end."""
    view = model.see(clip())
    texts = ["Which sign stood first?", "\n\nWhat came last?", "", "Which sign stood first?"]
    prompts = [model.prompt(view, Ask(text=text, max_new_tokens=24)) for text in texts]
    return [model.answer(view, p, decoding, max_new_tokens=24).token_ids for p in prompts]


@pytest.mark.parametrize("precision", ["fp32", "q4"])
def test_sharing_does_not_change_an_answer(tiny, precision):
    shared = answers(opened(tiny, precision=precision))
    alone = answers(opened(tiny, precision=precision, share=False))
    assert shared == alone


def test_a_question_asked_again_gets_the_same_answer(model):
    first, *_, last = answers(model)
    assert first == last


def test_sharing_does_not_change_a_draw(tiny):
    decoding = Decoding(temperature=1.5, seed=4)
    assert answers(opened(tiny), decoding) == answers(opened(tiny, share=False), decoding)


TEXTS = ("Which sign stood first?", "\n\nWhat came last?", "", "How many were red?", "Why?")


@pytest.mark.parametrize(
    "decoding", [GREEDY, Decoding(temperature=1.5, seed=4), Decoding(stop=("a", "t"))]
)
def test_answers_together_are_those_of_one_at_a_time(tiny, decoding):
    model = opened(tiny, precision="q4")
    view = model.see(clip())
    prompts = [model.prompt(view, Ask(text=text, max_new_tokens=24)) for text in TEXTS]
    asked = [(view, prompt, decoding, 9 + 5 * n) for n, prompt in enumerate(prompts)]
    wanted = [model.answer(*one) for one in asked]
    got = list(together((model.answering(*one) for one in asked), model.rows(3), most=3))
    assert [without_times(one) for one in got] == [without_times(one) for one in wanted]
    assert {one.timing.together for one in wanted} == {1}
    assert max(one.timing.together for one in got) > 1


def without_times(said: Generation) -> Generation:
    """Times and with how many it was said apart; each token still has its step."""
    return replace(said, timing=Timing(step_s=(0.0,) * len(said.timing.step_s)))


def test_the_shared_prefix_is_all_before_the_question(model):
    view = model.see(clip())
    prompt = model.prompt(view, Ask(text="Which?", max_new_tokens=1))
    rest = len(prompt.token_ids) - prompt.shared_prefix_len
    assert 0 < rest < 20
    assert prompt.token_ids[: prompt.shared_prefix_len] == view.prefix_ids


def test_nothing_is_shared_without_sharing(tiny):
    model = opened(tiny, share=False)
    prompt = model.prompt(model.see(clip()), Ask(text="Which?", max_new_tokens=1))
    assert prompt.shared_prefix_len == 0


def test_the_unshared_control_pays_for_vision_in_every_question(tiny):
    model = opened(tiny, share=False)
    view = model.see(clip())
    prompt = model.prompt(view, Ask(text="Which?", max_new_tokens=1))
    assert model.answer(view, prompt, GREEDY, max_new_tokens=1).timing.vision_s > 0


def test_the_prompt_keeps_the_placeholder_and_expands_the_tokens(model):
    view = model.see(clip())
    prompt = model.prompt(view, Ask(text="Which?", max_new_tokens=1))
    assert prompt.text == "<|im_start|>User: <video>Which?<end_of_utterance>\nAssistant:"
    image_id = 5
    assert prompt.token_ids.count(image_id) == 4 * view.n_frames


def test_a_blind_view_has_no_frames_and_still_answers(model):
    view = model.see(None)
    prompt = model.prompt(view, Ask(text="Which?", max_new_tokens=3))
    generation = model.answer(view, prompt, GREEDY, max_new_tokens=3)
    assert (view.n_frames, view.pixel_sha256(), prompt.shared_prefix_len) == (0, "", 0)
    assert len(generation.token_ids) <= 3


def test_the_pixel_digest_is_that_of_the_tensor_as_fed(model):
    frames = clip(20)
    tensor = (np.stack(frames.pixels).astype(np.float32) - 127.5) / np.float32(127.5)
    tensor = np.ascontiguousarray(tensor.transpose(0, 3, 1, 2), "<f4")
    assert model.see(frames).pixel_sha256() == hashlib.sha256(tensor.tobytes()).hexdigest()


@pytest.mark.parametrize("text", ["an <image> here", "<image>" * 20])
def test_an_image_token_in_a_question_is_refused(model, text):
    view = model.see(clip())
    prompt = model.prompt(view, Ask(text=text, max_new_tokens=1))
    with pytest.raises(ArgumentError, match="image tokens"):
        model.answer(view, prompt, GREEDY, max_new_tokens=1)


def test_a_view_of_no_frames_is_refused(model):
    frames = clip(1)
    empty = Frames(plan=frames.plan, pixels=(), pts_s=frames.pts_s[:0])
    with pytest.raises(ArgumentError, match="at least one"):
        model.see(empty)


def test_every_step_of_an_answer_is_timed(model):
    view = model.see(clip())
    prompt = model.prompt(view, Ask(text="Which?", max_new_tokens=4))
    generation = model.answer(view, prompt, Decoding(stop=("\0",)), max_new_tokens=4)
    n_steps = len(generation.timing.step_s)
    assert n_steps == len(generation.token_ids) - (generation.stop == "length")
    assert min(generation.timing.prefill_s, generation.timing.prefix_s) > 0


def test_the_card_holds_the_hash_of_every_file_in_use(model, tiny):
    digests = model.card()["sha256"]
    want = hashlib.sha256((tiny / "onnx/vision_encoder.onnx").read_bytes()).hexdigest()
    assert digests["onnx/vision_encoder.onnx"] == want
    assert "onnx/vision_encoder_q4.onnx" not in digests


def test_the_frame_rule_is_the_checkpoints_own(model):
    rule = model.frame_rule()
    assert (rule.how, rule.fps) == ("smolvlm", 0.5)


def test_shrinking_gives_the_size_the_model_sees(model):
    rgb = np.zeros((90, 160, 3), np.uint8)
    shrink = model.shrinker(clip().plan)
    assert shrink(Picture(planes=None, rgb=rgb)).shape == (64, 64, 3)

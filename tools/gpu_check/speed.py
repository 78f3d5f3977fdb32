"""2B shape in float16: the engine cuda, then transformers twice, in one process.

One clip that this tool encodes, the same weights, frames and pixels. Each is opened, measured and
closed before the next, so that each has the device for itself.
"""

from __future__ import annotations

import gc
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch

from edgeval.device.source import Source
from edgeval.media.decode import decode
from edgeval.model import Model, open_model
from edgeval.processor import Feeds, Processor
from edgeval.types import Ask, Decoding, Frames, Generation
from gpu_check import clip
from gpu_check.counting import counts, prefill_flops, step_bytes, vision_flops
from gpu_check.exporting import told_of
from gpu_check.job import Job
from gpu_check.peer import Peer
from gpu_check.scene import QUESTIONS, Scene, Size, scene
from gpu_check.watch import Watch, card

ATTENTIONS = ("eager", "sdpa")


def run(job: Job) -> None:
    """The first engine of the job, and the peers."""
    engine = job.engines[0]
    start = time.perf_counter()
    here = scene(job)
    job.put("checkpoint_s", round(time.perf_counter() - start, 1))
    given = engine_speed(job, here, engine)
    for attention in ATTENTIONS:
        peer_speed(job, here, attention, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a peer gets of edgeval's: each question's tokens, the pixels, and who makes those."""

    prompts: dict[str, tuple[int, ...]]
    feeds: list[Feeds]
    processor: Processor


def engine_speed(job: Job, here: Scene, engine: str) -> Given:
    """Measure an engine; what a peer is to be given."""
    start = time.perf_counter()
    folder = here.model("plain" if engine.startswith("trt") else "ort")
    job.put(f"graphs_{engine}_kept", told_of(folder))
    job.put(f"graphs_{engine}_s", round(time.perf_counter() - start, 1))
    meter = card(engine)
    idle = used(meter)
    start = time.perf_counter()
    model = open_model(folder, engine=engine, precision="fp16", threads=None)
    opened_s = time.perf_counter() - start
    seen = frames_of(model.processor, here)
    watch = Watch(meter)
    n_new, found = rounds(model, seen, here.size, watch)
    found |= spent(watch, here.size.repeats, idle)
    found |= {"what": model.card()["engine_version"], "opened_s": round(opened_s, 1)}
    job.put(engine, found)
    view = model.see(seen)
    prompts = {text: model.prompt(view, asked(text, 1)).token_ids for text in QUESTIONS}
    feeds = list(model.processor.feeds(seen.pixels))
    job.put("sizes", sizes(here, len(prompts[QUESTIONS[0]]), feeds, n_new))
    job.put(f"questions_{engine}", all_questions(model, here))
    given = Given(prompts=prompts, feeds=feeds, processor=model.processor)
    model.close()
    # What holds a context holds the device's memory.
    del view, model
    gc.collect()
    return given


def rounds(model: Model, seen: Frames, size: Size, watch: Watch) -> tuple[int, dict[str, Any]]:
    """The first question from ready frames, again and again; medians, the first round left out."""
    first = one_round(model, seen, size.n_tokens)
    with watch:
        said = [one_round(model, seen, size.n_tokens) for _ in range(size.repeats)]
    kept, tokens = [one.timing for one in said], said[-1].token_ids
    step_s = median(s for timing in kept for s in timing.step_s)
    vision_s = median(timing.vision_s for timing in kept)
    prefill_s = median(timing.prefix_s + timing.prefill_s for timing in kept)
    return len(tokens), {
        "first_token_s": vision_s + prefill_s,
        "preprocess_s": median(timing.preprocess_s for timing in kept),
        "vision_s": vision_s,
        "prefill_s": prefill_s,
        "step_s": step_s,
        "tokens_a_s": 1 / step_s,
        "vision_frames_a_s": len(seen.pixels) / vision_s,
        "first_round_s": first.timing.clip_s + first.timing.question_s,
        "token_ids": list(tokens),
    }


def one_round(model: Model, seen: Frames, n_tokens: int) -> Generation:
    """The clip seen and the first question answered."""
    view = model.see(seen)
    prompt = model.prompt(view, asked(QUESTIONS[0], n_tokens))
    return model.answer(view, prompt, Decoding(), max_new_tokens=n_tokens)


def all_questions(model: Model, here: Scene) -> dict[str, Any]:
    """All questions on the clip, from the file to the last answer: the clip is seen once."""
    took = []
    for _ in range(2):
        start = time.perf_counter()
        seen = frames_of(model.processor, here)
        from_frames = time.perf_counter()
        view = model.see(seen)
        for text in QUESTIONS:
            ask = asked(text, here.size.n_short)
            prompt = model.prompt(view, ask)
            model.answer(view, prompt, Decoding(), max_new_tokens=ask.max_new_tokens)
        end = time.perf_counter()
        took.append((end - start, end - from_frames))
    return {"from_file_s": took[-1][0], "from_frames_s": took[-1][1], "n": len(QUESTIONS)}


def peer_speed(job: Job, here: Scene, attention: str, given: Given) -> None:
    """A peer on the same; the clip is seen anew for every question."""
    size = here.size
    meter = card("cpu" if job.device == "cpu" else "cuda")
    idle = used(meter)
    dtype = torch.float32 if job.device == "cpu" else torch.float16
    peer = Peer(here.checkpoint, attention=attention, device=job.device, dtype=dtype)
    question = peer.asked(given.prompts[QUESTIONS[0]], given.feeds)
    peer.answer(question, size.n_tokens)
    with Watch(meter) as watch:
        said = [peer.answer(question, size.n_tokens) for _ in range(size.repeats)]
    vision_s = median([peer.see(question) for _ in range(size.repeats + 1)][1:])
    step_s = median(s for one in said for s in one.step_s)
    first_s = median(one.first_s for one in said)
    job.put(
        f"transformers_{attention}",
        {
            "first_token_s": first_s,
            "vision_s": vision_s,
            "prefill_s": first_s - vision_s,
            "step_s": step_s,
            "tokens_a_s": 1 / step_s,
            "vision_frames_a_s": size.n_frames / vision_s,
            "token_ids": list(said[-1].token_ids),
            **spent(watch, size.repeats, idle),
        },
    )
    took: list[tuple[float, float]] = []
    for text in QUESTIONS:
        start = time.perf_counter()
        feeds = list(given.processor.feeds(frames_of(given.processor, here).pixels))
        from_pixels = time.perf_counter()
        peer.answer(peer.asked(given.prompts[text], feeds), size.n_short)
        end = time.perf_counter()
        took.append((end - start, end - from_pixels))
    whole_s, pixels_s = (sum(column) for column in zip(*took, strict=True))
    job.put(
        f"questions_{attention}",
        {"from_file_s": whole_s, "from_pixels_s": pixels_s, "n": len(took)},
    )
    peer.close()
    del peer
    gc.collect()


def sizes(here: Scene, n_tokens: int, feeds: list[Feeds], n_new: int) -> dict[str, Any]:
    """What the work is in numbers, and the fewest bytes and operations for it."""
    c = counts(here.shape)
    pairs = sum(int(feed["grid_thw"][0, 0]) for feed in feeds)
    patches = int(feeds[0]["grid_thw"][0, 1:].prod())
    return {
        "prompt_tokens": n_tokens,
        "new_tokens": n_new,
        "frames": here.size.n_frames,
        "patches_a_pair": patches,
        "pairs": pairs,
        "step_bytes": step_bytes(c, n_tokens + n_new // 2),
        "prefill_flops": prefill_flops(c, n_tokens),
        "vision_flops": vision_flops(c, pairs, patches),
        "counted": asdict(c),
    }


def asked(text: str, n_tokens: int) -> Ask:
    """A question."""
    return Ask(text=text, max_new_tokens=n_tokens)


def frames_of(processor: Processor, here: Scene) -> Frames:
    """The clip's frames, decoded now."""
    plan = clip.plan(here.video, here.size.n_frames)
    return decode(plan, shrink=processor.shrinker(plan))


def used(meter: Source | None) -> int | None:
    """Bytes of the device in use now."""
    return None if meter is None else meter.memory().get("device")


def spent(watch: Watch, n_answers: int, idle: int | None) -> dict[str, Any]:
    """Joules of an answer, its clip's vision and prefill among them; power; memory above idle."""
    joules, most = watch.joules, watch.most_bytes
    return {
        "joules_an_answer": None if joules is None else joules / n_answers,
        "watts": None if joules is None else joules / watch.seconds,
        "peak_bytes": None if most is None or idle is None else most - idle,
    }

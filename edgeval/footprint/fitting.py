"""Whether every clip of a run fits in memory, found out before the first is decoded."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeval.analyses import prompting
from edgeval.device import headroom
from edgeval.errors import DataError, ManifestError, MemoryLimitError
from edgeval.footprint.sizes import MOST, Bite, Footprint, Load, Shape, footprint, shape_of
from edgeval.model import ROOM_TOKENS
from edgeval.modelfolder import Manifest
from edgeval.processor import Processor, Talk
from edgeval.seeing import Work, planned
from edgeval.types import Ask, Clip, Decoding, FramePlan, Frames, Generation, Picture, Timing
from edgeval.view import PIECE, facts_of

MIB = 1 << 20
# So many frames show how many go into one bite; more than that is taken for the whole clip.
PROBED = 16
# Stands for an answer where a later turn quotes it.
SAID = "\ue000"


def check(work: Work, manifest: Manifest, precision: str | None) -> Footprint | None:
    """The footprint of the largest clip.

    None where no clip has a video, or the config does not tell the model's sizes. Raises
    MemoryLimitError, with the number of frames that would fit, when it is more than there is.
    """
    room = headroom.read()
    most = heaviest(work, manifest, precision)
    if most is None:
        return None
    found, clip, plan, shape = most.footprint, most.clip, most.plan, most.shape
    if room is not None and found.clip > room.nbytes:
        n_fitting = _most(
            len(plan.indices),
            lambda n: of_clip(work, clip, _first(plan, n), shape).clip,
            room.nbytes,
        )
        hint = f"use --frames {n_fitting}" if n_fitting else "not even one frame would fit"
        raise MemoryLimitError(
            f"{clip.id}: {len(plan.indices)} frames need {found.clip // MIB} MiB besides the model "
            f"({found.cache // MIB} MiB of it keys and values), and {room.said_by} leaves "
            f"{room.nbytes // MIB} MiB; {hint}"
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Heaviest:
    """The clip of a run that takes the most memory."""

    clip: Clip
    plan: FramePlan
    shape: Shape
    footprint: Footprint


def heaviest(work: Work, manifest: Manifest, precision: str | None) -> Heaviest | None:
    """None where no clip has a video, or the config does not tell the model's sizes."""
    try:
        shape = shape_of(manifest, manifest.variant(precision))
    except ManifestError:
        return None
    every = (
        Heaviest(clip=clip, plan=plan, shape=shape, footprint=of_clip(work, clip, plan, shape))
        for clip, plan in _largest(work)
    )
    return max(every, key=lambda one: one.footprint.clip, default=None)


def of_clip(work: Work, clip: Clip, plan: FramePlan, shape: Shape) -> Footprint:
    """What a clip's frames and its longest question take."""
    return footprint(shape, load_of(work, clip, plan))


def load_of(work: Work, clip: Clip, plan: FramePlan) -> Load:
    """What a clip brings, from its plan and a black picture of its size."""
    processor, tokenizer = work.model.processor, work.model.tokenizer
    info, n_frames = plan.info, len(plan.indices)
    black = np.zeros((info.height, info.width, 3), np.uint8)
    frame = work.model.shrinker(plan)(
        Picture(planes=None, rgb=black, rotation_deg=info.rotation_deg)
    )
    shown = Frames(plan=plan, pixels=(frame,) * n_frames, pts_s=np.zeros(n_frames))
    talk = Talk(system=clip.system)
    ids = tokenizer.encode(processor.text("", facts_of(shown, clip.captions), talk).full)
    kinds = {tokenizer.id(token) for token in processor.image_tokens}
    question, new = max(_turns(work, clip), key=sum)
    reading = work.model.reading
    return Load(
        frames=n_frames,
        picture=black.nbytes // 2,
        frame=frame.nbytes,
        bite=_bite(processor, frame, n_frames),
        features=sum(token in kinds for token in ids),
        prefix=len(ids),
        question=question,
        new=new,
        # Without a prefix to go on from, each question is given room for all of it.
        room=ROOM_TOKENS if reading.prefix else question + new,
        piece=MOST if reading.dynamic else PIECE,
        workers=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1,
        rows=min(work.batch_questions, len(clip.questions)),
    )


def _turns(work: Work, clip: Clip) -> Iterator[tuple[int, int]]:
    """Tokens that are asked and that may be answered, in every turn of every question.

    The way of prompting is gone through with answers as long as they may be.
    """
    encode = work.model.tokenizer.encode
    turns: list[tuple[int, int]] = []

    def say(ask: Ask, decoding: Decoding) -> Generation:
        new = decoding.max_new_tokens or ask.max_new_tokens
        text = "\n".join((*(turn.text for turn in ask.history), ask.text, ask.prefill))
        quoted = text.count(SAID) * max((n_new for _, n_new in turns), default=0)
        turns.append((len(encode(text.replace(SAID, ""))) + quoted, new))
        return Generation(text=SAID, token_ids=(), stop="length", timing=Timing())

    for question in clip.questions:
        turns.clear()
        ask = work.benchmark.ask(clip, question)
        prompting.ask_by(work.prompting, ask, work.decoding, say, lambda _: "")
        yield from turns


def _bite(processor: Processor, frame: NDArray[np.generic], n_frames: int) -> Bite:
    """What the vision graph gets at a time, from as few frames as show it."""
    n_probed = min(n_frames, PROBED)
    feed = next(iter(processor.feeds((frame,) * n_probed)))
    pixels, grid = feed["pixel_values"], feed.get("grid_thw")
    if grid is not None:
        images, height, width = (int(size) for size in np.ravel(grid))
    else:
        images, (height, width) = pixels.shape[-4], pixels.shape[-2:]
    whole = pixels.size >= n_probed * frame.size  # No end to a bite was seen.
    times = -(-n_frames // n_probed) if whole else 1
    return Bite(
        nbytes=pixels.nbytes * times,
        images=images * times,
        height=height,
        width=width,
        patched=grid is not None,
    )


def _largest(work: Work) -> Iterator[tuple[Clip, FramePlan]]:
    """Of every size of video the clip with the most frames."""
    most: dict[tuple[int, int, int], tuple[Clip, FramePlan]] = {}
    seen: set[tuple[Path, str, object]] = set()
    for clip in work.clips:
        video = clip.video
        if video is None or not work.model.conduct.shows(video):
            continue
        if (key := (video, clip.variant, clip.segment_s)) in seen:
            continue
        seen.add(key)
        try:
            plan = planned(work, clip, video)
        except DataError:
            continue  # Told, and counted, where the clip is decoded.
        size = plan.info.width, plan.info.height, plan.info.rotation_deg
        if size not in most or len(plan.indices) > len(most[size][1].indices):
            most[size] = clip, plan
    yield from most.values()


def _most(n_frames: int, needs: Callable[[int], int], nbytes: int) -> int:
    """The largest number of frames below ``n_frames`` that fits; 0 where none does."""
    low, high = 0, n_frames
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if needs(middle) <= nbytes else (low, middle)
    return low


def _first(plan: FramePlan, n_frames: int) -> FramePlan:
    return dataclasses.replace(plan, indices=plan.indices[:n_frames])

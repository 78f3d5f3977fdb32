"""Engines built ahead of a run, here or for a device that is not here; and the line for trtexec."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeval import cudadriver
from edgeval.engines import Array, GraphFiles
from edgeval.engines.trt import building, here, library, profiles, store
from edgeval.engines.trt.building import Source, Target
from edgeval.engines.trt.profiles import Profile, Range, Sizes
from edgeval.engines.trt.rows import PAST
from edgeval.engines.trt.ways import ROWS, Way
from edgeval.errors import EngineError
from edgeval.modelfolder import onnxfile

# The oldest TensorRT: what it takes, all take.
OLDEST = (10, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to build. ``feeds``: what the vision graph will be fed; ``context``: tokens at most."""

    files: GraphFiles
    feeds: Iterable[Mapping[str, Array]]
    context: int
    way: Way = ROWS


Planned = tuple[Source, tuple[Profile, ...]]


def build(order: Order, target: Target) -> Iterator[store.Stored]:
    """The engines of a model, one after the other. EngineError where one cannot be built."""
    planned = plan(order, target.operator_version)
    order.way.check(target.library, planned[0][0].graph)
    for source, wanted in planned:
        yield building.engine(target, source, wanted)


def plan(order: Order, version: tuple[int, ...] = OLDEST) -> list[Planned]:
    """Every graph that becomes an engine, and its profiles; the decoder first."""
    files = order.files
    decoder = building.source("decoder", files.decoder, version, order.way)
    vision = building.source("vision", files.vision, version)
    seen: Profile | None = None
    for feeds in order.feeds:
        seen = profiles.vision_profile(vision.ports()[0], feeds, seen)
    if seen is None:
        raise EngineError("engine trt: the clip has no frames to build a vision engine for")
    context = profiles.context_for(order.context)
    planned: list[Planned] = [
        (decoder, profiles.decoder_profiles(decoder.ports()[0], context)),
        (vision, (seen,)),
    ]
    if onnxfile.lookup_table(files.embed) is None:
        embed = building.source("embed", files.embed, version)
        planned.append((embed, (profiles.tokens_profile(embed.ports()[0], order.context),)))
    return planned


def target(sm: int | None, root: Path) -> Target:
    """For the GPU that is here, or for compute capability ``sm``. EngineError where neither goes.

    TensorRT builds on the device it builds for; TensorRT-RTX also for others, without any.
    """
    try:
        made = here(cudadriver.probe("trt"), library.load(), root)
    except EngineError:
        if sm is None:
            raise
        # No device here: the one library that needs none is asked.
    else:
        if sm in (None, made.sm):
            return made
    assert sm is not None  # raised or returned without
    found = library.load((library.RTX,))
    if sm not in found.capabilities():
        known = ", ".join(f"sm_{one}" for one in found.capabilities())
        raise EngineError(
            f"engine trt: {found.title} builds for {known} without the device; for sm_{sm} run "
            "this on the device itself, or there the line that --print-trtexec gives"
        )
    return building.for_capability(found, sm, root)


def trtexec(order: Order, folder: Path) -> Iterator[str]:
    """A command line of trtexec for each engine, of options that 10.3 to 11 all have.

    The decoder is written to ``folder`` as the engine has it; weights beside it are linked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source, wanted in plan(order):
        path = source.graph.path.resolve()
        if source.is_decoder:
            path = folder / ("decoder_rows.onnx" if order.way is ROWS else "decoder_inplace.onnx")
            path.write_bytes(order.way.rewritten(source.graph, wanted[0]))
            for data in source.graph.data:
                _link(data.resolve(), folder / data.name)
        yield shlex.join(
            [
                "trtexec",
                f"--onnx={path}",
                f"--saveEngine={folder / source.role}.engine",
                f"--timingCacheFile={folder / 'timing.cache'}",
                "--stronglyTyped",
                "--skipInference",
                *_shape_options(wanted),
            ]
        )


def _link(data: Path, path: Path) -> None:
    path.unlink(missing_ok=True)
    try:
        path.hardlink_to(data)
    except OSError:
        shutil.copyfile(data, path)


def _shape_options(wanted: tuple[Profile, ...]) -> Iterator[str]:
    for index, profile in enumerate(wanted):
        if len(wanted) > 1:
            yield f"--profile={index}"
        spans = [*profile.shapes.items(), *profile.values.items()]
        # A cache in place is of the shape that the graph says.
        spans = [(name, span) for name, span in spans if not name.startswith(PAST)]
        for option, sizes in (("min", _low), ("opt", _best), ("max", _high)):
            shown = ",".join(f"{name}:{'x'.join(map(str, sizes(span)))}" for name, span in spans)
            yield f"--{option}Shapes={shown}"


def _low(span: Range) -> Sizes:
    return span.low


def _best(span: Range) -> Sizes:
    return span.best


def _high(span: Range) -> Sizes:
    return span.high

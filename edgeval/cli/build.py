"""``edgeval build``: engines built before they are needed, or the lines that build them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeval.engines import GraphFiles
from edgeval.errors import ArgumentError
from edgeval.footprint.rehearsal import Clip, rehearse
from edgeval.model import ROOM_TOKENS
from edgeval.modelfolder import manifest
from edgeval.processor import Setup

if TYPE_CHECKING:
    from edgeval.engines.trt.ahead import Order


@click.command("build")
@click.argument("model")
@click.option(
    "--engine", type=click.Choice(["trt", "trt-inplace"]), default="trt", show_default=True
)
@click.option("--precision", help="Which of the model's precisions; its first by default.")
@click.option("--protocol", default="native", show_default=True, help="As in run.")
@click.option("--frames", type=click.IntRange(min=1), help="Frames a clip; the family's most.")
@click.option("--size", default="1280x720", show_default=True, help="WIDTHxHEIGHT of the videos.")
@click.option(
    "--room",
    type=click.IntRange(min=1),
    default=ROOM_TOKENS,
    show_default=True,
    help="Tokens for a question and its answer.",
)
@click.option("--sm", type=int, help="Compute capability to build for (87: Orin); this GPU's.")
@click.option("--print-trtexec", is_flag=True, help="Print command lines in the place of building.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Folder of engines; for --print-trtexec of its graph too. The user's cache by default.",
)
def command(  # noqa: PLR0913 - click hands every option over by name
    model: str,
    *,
    engine: str,
    precision: str | None,
    protocol: str,
    frames: int | None,
    size: str,
    room: int,
    sm: int | None,
    print_trtexec: bool,
    output: Path | None,
) -> None:
    """Build the TensorRT engines of MODEL, a name or a folder, before a run needs them.

    Their sizes are those of a run on clips of --frames and --size; larger needs are built for when
    they come. Without a GPU, --sm and TensorRT-RTX build for one that is elsewhere.
    """
    from edgeval.engines.trt import ahead, default_root
    from edgeval.engines.trt.ways import WAYS

    root = default_root() if output is None else output
    order = _order(model, precision, _clip(frames, size), Setup(protocol=protocol), room)
    order = replace(order, way=WAYS[engine])
    if print_trtexec:
        try:
            lines = list(ahead.trtexec(order, root))
        except OSError as error:
            raise ArgumentError(
                f"{root}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from error
        for line in lines:
            click.echo(line)
        return
    for stored in ahead.build(order, ahead.target(sm, root)):
        click.echo(f"{stored.path}")
        for profile in stored.profiles:
            click.echo(f"  {profile}")


def _clip(n_frames: int | None, size: str) -> Clip:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if found is None or "0" in found.groups():
        raise ArgumentError(f"--size: got {size!r}; wants WIDTHxHEIGHT in pixels, as 1280x720")
    width, height = map(int, found.groups())
    return Clip(width=width, height=height, n_frames=n_frames)


def _order(model: str, precision: str | None, clip: Clip, setup: Setup, room: int) -> Order:
    from edgeval.engines.trt.ahead import Order

    found = manifest.load(manifest.find(model))
    variant = found.variant(precision)
    manifest.verify(found, variant)
    wanted = rehearse(found, clip, setup)
    click.echo(
        f"edgeval: {found.name} {variant.precision}: {wanted.n_frames} frames of {clip.width}x"
        f"{clip.height}, {wanted.n_tokens} tokens and room for {room}",
        err=True,
    )
    return Order(
        files=GraphFiles(
            vision=variant.graphs["vision_encoder"].path,
            embed=variant.graphs["embed_tokens"].path,
            decoder=variant.graphs["decoder_model_merged"].path,
        ),
        feeds=wanted.feeds(),
        context=wanted.n_tokens + room,
    )

"""``edgeval export``: a checkpoint as a folder that edgeval, onnxruntime and TensorRT run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edgeval.errors import ArgumentError

if TYPE_CHECKING:
    from edgeval.export.folder import Precision
    from edgeval.export.graphspec import Flavour


@click.command("export")
@click.argument("checkpoint")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Model folder to write."
)
@click.option(
    "--precision",
    type=click.Choice(["fp32", "fp16", "int8", "q4"]),
    default="fp32",
    show_default=True,
    help="Bits of the weights; fp16 multiplies in half precision, the others in float32.",
)
@click.option(
    "--flavour",
    type=click.Choice(["plain", "ort"]),
    default="plain",
    show_default=True,
    help="Standard operators (runs anywhere) or onnxruntime's own (fastest there).",
)
@click.option(
    "--block-size",
    type=click.Choice(["16", "32", "64", "128", "256"]),
    default="32",
    show_default=True,
    help="Weights that share a scale (q4, and int8 of flavour ort).",
)
@click.option(
    "--accuracy-level",
    type=click.IntRange(0, 4),
    default=4,
    show_default=True,
    help="What MatMulNBits multiplies in (flavour ort): 1 float32 to 4 int8, 0 its own choice.",
)
@click.option(
    "--calibrate",
    "calibration",
    type=click.Path(dir_okay=False),
    help="Text (UTF-8) to choose the scales of q4 by: a few pages like what will be asked.",
)
@click.option(
    "--head-bits",
    type=click.Choice(["4", "8"]),
    default="8",
    show_default=True,
    help="Bits of the output layer under q4; it decides between near-equal tokens.",
)
@click.option(
    "--activations",
    type=click.Choice(["float", "dynamic"]),
    default="float",
    show_default=True,
    help="int8: dynamic rounds them to 8 bits by a scale of the whole call, and forbids sharing.",
)
@click.option("--name", help="Name of the model; the output folder's by default.")
@click.option("--revision", help="Branch, tag or commit of a hub id.")
@click.option(
    "--source", help="Where the checkpoint comes from; its folder's name, or ID@COMMIT, by default."
)
@click.option("--licence", help="Licence of the weights; what their card says by default.")
def command(
    checkpoint: str,
    output: Path,
    *,
    precision: Precision,
    flavour: Flavour,
    block_size: str,
    accuracy_level: int,
    **about: str | None,
) -> None:
    """Export CHECKPOINT and prove the graphs against it.

    CHECKPOINT is a Hugging Face folder with safetensors, or the id of one on the hub. A second
    precision is added to a folder that holds a first.
    """
    from edgeval.export import hub
    from edgeval.export.folder import Plan, export

    text = about["calibration"]
    if text is not None and precision != "q4":
        raise click.UsageError("--calibrate is for --precision q4")
    dynamic = about["activations"] == "dynamic"
    if dynamic and precision != "int8":
        raise click.UsageError("--activations dynamic is for --precision int8")
    if about["head_bits"] == "4" and precision != "q4":
        raise click.UsageError("--head-bits 4 is for --precision q4")
    _check_output(output)
    found = hub.find(checkpoint, revision=about["revision"])
    plan = Plan(
        checkpoint=found.folder,
        output=output,
        precision=precision,
        flavour=flavour,
        block_size=int(block_size),
        accuracy_level=accuracy_level,
        calibration=None if text is None else Path(text),
        head_bits=4 if about["head_bits"] == "4" else 8,
        dynamic=dynamic,
        name=about["name"] or output.resolve().name,
        source=about["source"] or found.source,
        licence=about["licence"] or found.licence,
    )
    proof = export(plan)
    click.echo(
        f"{output}: {plan.variant} {flavour}, {proof.n_equal} of {proof.n_tokens} greedy tokens "
        f"equal to "
        f"torch, largest logit difference {proof.max_abs_dlogit:.2g} "
        f"(standard deviation {proof.logit_std:.2g})"
    )
    if proof.damage is not None:
        click.echo(f"{output}: {plan.variant} {flavour}, {proof.damage.sentence()}")


def _check_output(output: Path) -> None:
    """Before hours of work: whether a folder can be made there."""
    near = next(path for path in (output.absolute(), *output.absolute().parents) if path.exists())
    if not near.is_dir():
        raise ArgumentError(f"{output}: {near} is not a folder; choose another with -o")
    if not os.access(near, os.W_OK | os.X_OK):
        raise ArgumentError(f"{output}: {near} cannot be written; choose another folder with -o")

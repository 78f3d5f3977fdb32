"""``edgeval frames``: the frames a rule picks from a video, written losslessly."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import cast, get_args

import click

from edgeval import pixels
from edgeval.errors import ArgumentError, UnknownName
from edgeval.frames import plan as plan_frames
from edgeval.media.decode import visit
from edgeval.media.gops import n_packets, split
from edgeval.media.probe import probe
from edgeval.media.sink import npy_sink, png_sink, want_room
from edgeval.types import FramePlan, FrameRule, How, Picture

DEFAULT_RULE: How = "linspace_floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The options that say which frames."""

    indices: tuple[int, ...] | None
    times: tuple[float, ...] | None
    n: int | None
    fps: float | None
    rule: str | None


def _integers(_: click.Context, __: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"got {text!r}; wants whole numbers, as in 0,5,9") from error


def _seconds(_: click.Context, __: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise click.BadParameter(f"got {text!r}; wants seconds, as in 1.5,2") from error


@click.command("frames")
@click.argument("video", type=click.Path(path_type=Path))
@click.option("--indices", metavar="I,I,...", callback=_integers, help="Display indices, from 0.")
@click.option(
    "--times", metavar="S,S,...", callback=_seconds, help="Seconds; the frame shown then."
)
@click.option("--n", type=click.IntRange(min=1), help="How many frames (at most, with --fps).")
@click.option("--fps", type=click.FloatRange(min=0, min_open=True), help="Frames a second.")
@click.option("--rule", help=f"Frame rule for --n or --fps; {DEFAULT_RULE} or fps by default.")
@click.option("--salvage", is_flag=True, help="Take what a damaged file still gives; say the rest.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="OUT.npy or a folder."
)
@click.pass_context
def command(ctx: click.Context, /, **_: object) -> None:
    """Write frames of VIDEO as uint8 [T, H, W, 3] (.npy) or as PNGs, and print the plan."""
    said = ctx.params
    names = tuple(field.name for field in fields(_Asked))
    chosen = _rule(_Asked(**{name: said[name] for name in names}))
    output: Path = said["output"]
    _check_output(output)
    plan = plan_frames(probe(said["video"], salvage=said["salvage"]), chosen)
    if output.suffix == ".npy":
        want_room(
            output, len(plan.indices), len(plan.indices) * 3 * plan.info.width * plan.info.height
        )
    _say_plan(plan)
    damage = _write(plan, output, salvage=said["salvage"])
    for line in damage:
        click.echo(f"damage   {line}")
    click.echo(f"wrote    {output}: {len(plan.indices)} frames")


def _check_output(output: Path) -> None:
    try:
        if output.suffix not in ("", ".npy") and not output.is_dir():
            raise ArgumentError(
                f"{output}: got {output.suffix!r}; wants OUT.npy or a folder's name"
            )
        if not output.absolute().parent.is_dir():
            raise ArgumentError(f"{output}: its folder does not exist; make it first")
        output.exists()
    except OSError as error:
        raise ArgumentError(f"{output}: cannot be written ({error.strerror})") from error


def _write(plan: FramePlan, output: Path, *, salvage: bool) -> tuple[str, ...]:
    """Decode into ``output``; what was lost or suspect."""
    sink = npy_sink if output.suffix == ".npy" else png_sink
    with sink(output, plan.indices) as out:

        def see(frame_no: int, picture: Picture, _at_s: float) -> None:
            out.put(frame_no, pixels.to_rgb(picture))

        return visit(plan, see, salvage=salvage)


def _rule(asked: _Asked) -> FrameRule:
    """The frame rule that the options mean. ArgumentError when they mean none or two."""
    counted = asked.n is not None or asked.fps is not None
    if (asked.indices is not None) + (asked.times is not None) + counted != 1:
        raise ArgumentError("frames: wants one of --indices, --times, or --n and --fps")
    names = [how for how in get_args(How) if how not in ("indices", "times")]
    if asked.rule is not None and asked.rule not in names:
        raise UnknownName("frame rule", asked.rule, names)
    if not counted:
        if asked.rule is not None:
            raise ArgumentError(
                f"frames: --rule {asked.rule} goes with --n or --fps, not --indices or --times"
            )
        if asked.indices is not None:
            return FrameRule(how="indices", indices=asked.indices)
        return FrameRule(how="times", times_s=asked.times or ())
    default: How = DEFAULT_RULE if asked.fps is None else "fps"
    how = default if asked.rule is None else cast(How, asked.rule)
    if asked.fps is not None and how not in ("fps", "smolvlm"):
        raise ArgumentError(f"frames: rule {how} goes by --n alone; got --fps {asked.fps:g}")
    return FrameRule(how=how, n=asked.n, fps=asked.fps, max_n=asked.n)


def _say_plan(plan: FramePlan) -> None:
    info = plan.info
    turned = f", turned {info.rotation_deg} degrees" if info.rotation_deg else ""
    click.echo(
        f"video    {info.path}: {info.codec} {info.pix_fmt} {info.width}x{info.height}{turned}, "
        f"{info.n_frames} frames, {info.fps:.6g} frames/s, {info.duration_s:.3f} s"
    )
    rule = plan.rule
    asked = "".join(f" {k}={v}" for k, v in (("n", rule.n), ("fps", rule.fps)) if v is not None)
    click.echo(f"rule     {rule.how}{asked}")
    if info.index is None or info.index.sequential:
        click.echo("packets  all up to the last frame: this file has no usable times")
    else:
        groups = len(split(info.index, plan.indices))
        needed = n_packets(info.index, plan.indices)
        click.echo(f"packets  {needed} of {len(info.index.pts)} at most, from {groups} keyframes")
    click.echo("frames   index  time_s")
    for frame_no in plan.indices:
        click.echo(f"         {frame_no:5d}  {info.pts_s[frame_no]:.6f}")

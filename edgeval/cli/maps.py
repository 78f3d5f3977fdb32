"""``edgeval maps``: where a model believes the objects of VSI-Bench's rooms stand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from edgeval.analyses.cognitive_map import GRIDS, asking, picture
from edgeval.cli.ears import ears
from edgeval.errors import ArgumentError
from edgeval.mapping import BENCHMARK, Mapped, answered, known_clips, mapped, reports
from edgeval.png import write_png
from edgeval.runcard import prepare, root_of
from edgeval.runfolder import model_name, read_card
from edgeval.runspec import Spec
from edgeval.scenes import read_scenes
from edgeval.tables import main_table


@click.command("maps")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--scenes",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Scene geometry (META.json); may be repeated. Those in the run's data folder by default.",
)
@click.option(
    "--grid",
    type=click.Choice([str(grid) for grid in GRIDS]),
    default=str(GRIDS[0]),
    show_default=True,
    help="Cells a side.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="New folder.")
def command(run: Path, scenes: tuple[Path, ...], grid: str, output: Path) -> None:
    """Ask the model of a vsibench RUN for a map of every scene, and judge it.

    Its relative distance questions are then asked with no map, with its own and with the true one.
    The folder gets maps.jsonl, a picture of both maps of each scene, and maps.md with the tables.
    """
    card = read_card(run)
    spec = Spec.from_card(card)
    if spec.benchmark != BENCHMARK:
        raise ArgumentError(f"{run}: got a run of {spec.benchmark}; maps are asked of {BENCHMARK}")
    files = scenes or tuple(sorted(root_of(spec).glob("*_meta_info_val.json")))
    read = [scene for file in files for scene in read_scenes(file)]
    work, _ = prepare(spec, ears(spec))
    try:
        work, true = known_clips(work, read, grid=int(grid))
        _make(output)
        found = list(mapped(work, true))
        asked = answered(work, found)
    finally:
        work.model.close()
    _draw(output, found)
    told = [one for one in reports(work, found, asked) if one is not None]
    text = "\n\n".join(main_table(one, model_name(card)) for one in told)
    (output / "maps.md").write_text(f"{text}\n", encoding="utf-8")
    click.echo(text)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ArgumentError(
            f"{folder}: cannot be made ({error.strerror}); choose a new folder with -o"
        ) from error


def _draw(folder: Path, found: Sequence[Mapped]) -> None:
    """One line and one picture a scene."""
    lines = []
    for place, one in enumerate(found, start=1):
        name = f"{place:03d}.png"
        write_png(folder / name, picture.draw(one.own, one.true))
        own = None if one.own is None else asking.written(one.own)
        row = {"clip": one.clip, "picture": name, "true": asking.written(one.true), "own": own}
        lines.append(json.dumps({**row, "said": one.said}, ensure_ascii=True) + "\n")
    (folder / "maps.jsonl").write_text("".join(lines), encoding="utf-8")

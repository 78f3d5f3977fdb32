"""``edgeval data``: what is in a dataset folder, and making one of our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

import click

from edgeval import benchmarks
from edgeval.benchmarks.base import DataCheck
from edgeval.errors import ArgumentError, DataError, UnknownName

_SHOWN = 20


@click.group("data")
def command() -> None:
    """Check a dataset folder, or make one of generated questions."""


@command.command("check")
@click.argument("benchmark")
@click.option("--data", type=click.Path(path_type=Path), help="Folder; embedded data by default.")
@click.option("--json", "as_json", is_flag=True, help="Everything found, hashes too, as JSON.")
def check(benchmark: str, data: Path | None, *, as_json: bool) -> None:
    """Read every question and open every video; say what is missing or damaged.

    Exits 3 when anything is.
    """
    chosen = benchmarks.load(benchmark)
    root = data if data is not None else chosen.embedded
    if root is None:
        raise ArgumentError(f"{benchmark}: carries no data of its own; name a folder with --data")
    if not root.is_dir():
        raise DataError(f"{root}: is not a folder; name the dataset's with --data")
    found = chosen.check(root)
    click.echo(json.dumps(asdict(found), indent=1, sort_keys=True) if as_json else _told(found))
    bad = [finding for finding in found.findings if finding.kind in ("missing", "damaged")]
    if bad:
        missing = sum(finding.kind == "missing" for finding in bad)
        raise DataError(
            f"{root}: {missing} missing and {len(bad) - missing} damaged; first: {bad[0].path} "
            f"({bad[0].detail})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What ``make`` was asked for; None where nothing was said."""

    output: Path
    clips: int | None
    seed: int | None
    scenes: tuple[Path, ...]


@command.command("make")
@click.argument("benchmark")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="New folder.")
@click.option("--clips", type=click.IntRange(min=1), help="How many; the embedded number if none.")
@click.option("--seed", type=click.IntRange(min=0), help="First clip's seed; the embedded one's.")
@click.option(
    "--scenes",
    type=click.Path(path_type=Path),
    multiple=True,
    help="vsibench: scene geometry (META.json) to ask about; may be repeated.",
)
def make(
    benchmark: str, output: Path, clips: int | None, seed: int | None, scenes: tuple[Path, ...]
) -> None:
    """Write generated data in a benchmark's own layout.

    Making videos needs the extra 'make'. The same seed gives the same questions.
    """
    if benchmark not in _MAKERS:
        raise UnknownName("benchmark that can be made", benchmark, _MAKERS)
    order = _Order(output=output, clips=clips, seed=seed, scenes=scenes)
    try:
        made = _MAKERS[benchmark](order)
    except OSError as error:
        raise ArgumentError(
            f"{output}: cannot be written ({error.strerror}); choose another folder with -o"
        ) from error
    click.echo(f"{benchmark}: {made} in {output}")


def _make_lessons(order: _Order) -> str:
    # Late, because the generator brings the encoder with it.
    from edgeval.synth import lessons_dataset

    if order.scenes:
        raise ArgumentError("videommmu: got --scenes, which only vsibench takes; leave it out")
    written = lessons_dataset.write(
        order.output,
        n_lessons=lessons_dataset.N_LESSONS if order.clips is None else order.clips,
        seed0=lessons_dataset.FIRST_SEED if order.seed is None else order.seed,
    )
    return f"{len(written.ids)} lessons, {written.n_questions} questions, {written.n_bytes:,} bytes"


def _make_rooms(order: _Order) -> str:
    if order.scenes:
        return _ask_about_scenes(order)
    from edgeval.synth import rooms_dataset

    made = rooms_dataset.write(
        order.output,
        n_rooms=rooms_dataset.N_ROOMS if order.clips is None else order.clips,
        seed0=rooms_dataset.FIRST_SEED if order.seed is None else order.seed,
    )
    return f"{len(made.names)} rooms, {sum(made.counts.values())} questions, {made.n_bytes:,} bytes"


def _ask_about_scenes(order: _Order) -> str:
    from edgeval.synth import vsi_dataset

    if order.clips is not None:
        raise ArgumentError(
            "vsibench: got --clips with --scenes, about which all is asked that they allow; leave "
            "one of them out"
        )
    written = vsi_dataset.write(order.output, order.scenes, seed=order.seed or 0)
    counts = ", ".join(f"{kind} {n}" for kind, n in written.counts.items())
    return f"{written.n_scenes} scenes, {sum(written.counts.values())} questions ({counts})"


def _make_films(name: str, order: _Order) -> str:
    from edgeval.synth import films_dataset

    if order.scenes:
        raise ArgumentError(f"{name}: got --scenes, which only vsibench takes; leave it out")
    made = films_dataset.write(name, order.output, n_clips=order.clips, seed0=order.seed)
    return f"{made.n_clips} films, {made.n_questions} questions, {made.n_bytes:,} bytes"


_FILMS = (
    *("seedbench-r1", "video-r1", "longvideobench", "mvbench"),
    *("tempcompass", "videomme", "mmvu"),
)
_MAKERS: Mapping[str, Callable[[_Order], str]] = MappingProxyType(
    {
        "videommmu": _make_lessons,
        "vsibench": _make_rooms,
        **{name: partial(_make_films, name) for name in _FILMS},
    }
)


def _told(found: DataCheck) -> str:
    lines = [f"{kind}: {n}" for kind, n in found.counts.items()]
    lines.append(f"files hashed (sha256, listed by --json): {len(found.sha256)}")
    for kind in ("missing", "damaged", "extra"):
        of_kind = [finding for finding in found.findings if finding.kind == kind]
        lines += [f"{kind}: {finding.path}: {finding.detail}" for finding in of_kind[:_SHOWN]]
        if len(of_kind) > _SHOWN:
            lines.append(f"{kind}: {len(of_kind) - _SHOWN} more, listed by --json")
    return "\n".join(lines)

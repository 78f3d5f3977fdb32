"""``edgeval data``: what is in a dataset folder, and making one of our own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from edgeval import benchmarks
from edgeval.benchmarks.base import DataCheck
from edgeval.errors import ArgumentError, DataError

_SHOWN = 20


@click.group("data")
def command() -> None:
    """Check a dataset folder, or make one of generated lessons."""


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


@command.command("make")
@click.argument("benchmark", type=click.Choice(["videommmu"]))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="New folder.")
@click.option("--clips", type=click.IntRange(min=1), help="How many; the embedded number if none.")
@click.option("--seed", type=click.IntRange(min=0), help="First lesson's seed; the embedded one's.")
def make(benchmark: str, output: Path, clips: int | None, seed: int | None) -> None:
    """Write generated lessons in the benchmark's own layout (extra 'make').

    The same seed gives the same questions.
    """
    # Late, because the generator brings the encoder with it.
    from edgeval.synth import lessons_dataset

    written = lessons_dataset.write(
        output,
        n_lessons=lessons_dataset.N_LESSONS if clips is None else clips,
        seed0=lessons_dataset.FIRST_SEED if seed is None else seed,
    )
    click.echo(
        f"{benchmark}: {len(written.ids)} lessons, {written.n_questions} questions, "
        f"{written.n_bytes:,} bytes in {output}"
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

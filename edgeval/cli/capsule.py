"""``edgeval capsule``: a finished run in one file that anyone can check."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval import __version__
from edgeval.capsule.archive import packed
from edgeval.capsule.pack import gather, sha256
from edgeval.errors import ArgumentError


@click.command("capsule")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The capsule to write.",
)
def command(run: Path, output: Path) -> None:
    """Pack a finished RUN folder into one file for 'edgeval verify'.

    The run card, every record with the digests of its frames, pixels, prompt and answer, the
    model's manifest, the packages that were installed, and the digests of the data. No video, no
    weights, no time: the same run gives the same bytes. It is a plain tar. Publish its sha256,
    which is printed, beside the scores.
    """
    found = gather(run)
    raw = packed(found.members, version=__version__)
    try:
        # Exclusive: nothing that is there is written over.
        stream = output.open("xb")
        try:
            with stream:
                stream.write(raw)
        except OSError:
            output.unlink()  # Half a capsule is none.
            raise
    except OSError as error:
        raise ArgumentError(
            f"{output}: cannot be written ({error.strerror}); choose another with -o"
        ) from error
    for note in found.notes:
        click.echo(f"edgeval: {note}", err=True)
    click.echo(f"{output}: {found.n_records} questions, {len(raw)} bytes, sha256 {sha256(raw)}")

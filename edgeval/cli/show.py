"""``edgeval show``: every noun of one answered question, and what the model saw as one picture."""

from __future__ import annotations

from pathlib import Path

import click

from edgeval.analyses.contactsheet import contact_sheet
from edgeval.cli.plain import plain
from edgeval.cli.torn import say_torn
from edgeval.errors import RunFolderError, UnknownName, VideoError
from edgeval.png import write_png
from edgeval.runcard import root_of
from edgeval.runfolder import read_card, read_records
from edgeval.runspec import Spec
from edgeval.types import Record


@click.command("show")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("sample", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Contact sheet PNG to write.")
def command(run: Path, sample: str | None, output: Path | None) -> None:
    """Show one SAMPLE of a finished or unfinished RUN folder; without SAMPLE, list their ids."""
    card = read_card(run)
    tail = read_records(run, card)
    say_torn(run, tail)
    if not tail.records:
        raise RunFolderError(f"{run}: got no answered question; go on with --resume first")
    records = {record.question.id: record for record in tail.records}
    if sample is None:
        for record in records.values():
            _say(f"{record.question.id}  {_verdict(record)}")
        return
    if sample not in records:
        raise UnknownName("sample", sample, records)
    record = records[sample]
    _tell(record)
    if output is not None:
        if not record.video:
            raise VideoError(f"{sample}: was asked without a video; there is no picture to write")
        root = root_of(Spec.from_card(card))
        write_png(output, contact_sheet(root / record.video, record.frame_indices))
        click.echo(f"frames: {output}")


def _verdict(record: Record) -> str:
    if record.failure is not None:
        return f"failed ({record.failure.kind})"
    return ", ".join(
        f"{rule} {'-' if score.value is None else f'{score.value:g}'} ({score.status})"
        for rule, score in record.scores.items()
    )


def _say(text: str) -> None:
    """A line or more out of a dataset or a model."""
    click.echo(plain(text))


def _tell(record: Record) -> None:
    question = record.question
    _say(f"id: {question.id}\nsetting: {record.setting}")
    for key, value in question.tags.items():
        _say(f"{key}: {value}")
    if record.video:
        _say(f"video: {record.video}\nvideo sha256: {record.video_sha256}")
        _say(f"frame indices: {', '.join(map(str, record.frame_indices))}")
    for note in record.damage:
        _say(f"damage: {note}")
    if record.prompt is not None:
        prompt = record.prompt
        shared = prompt.shared_prefix_len
        _say(f"prompt tokens: {prompt.n_tokens} ({shared} shared by the clip's questions)")
        _say(f"prompt:\n{prompt.text}")
    for turn in record.turns:
        _say(f"before that, {turn.role}:\n{turn.text}")
    if record.generation is not None:
        said = record.generation
        _say(f"answer ({len(said.token_ids)} tokens, stopped by {said.stop}):\n{said.text}")
    if record.note:
        _say(f"note: {record.note}")
    _say(f"gold: {question.answer}")
    for rule, score in record.scores.items():
        _say(f"{rule}: value {score.value}, parsed {score.parsed!r}, {score.status}")
    if record.failure is not None:
        _say(f"failure: {record.failure.message}")

"""``edgeval verify``: is a capsule whole, do its answers score the same, does it come out again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from edgeval.capsule import rescored
from edgeval.capsule.pack import sha256
from edgeval.capsule.replay import Outcome, Sources, replay
from edgeval.capsule.sealed import Capsule, Finding, check, read
from edgeval.cli.plain import plain
from edgeval.errors import ArgumentError
from edgeval.runfolder import model_name

SHOWN = 10
DAMAGED, DIFFERS = 3, 1


@click.command("verify")
@click.argument("capsule", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--sha256", "published", help="The capsule's digest as it was published.")
@click.option("--model", help="Replay: model folder, or the name of one that edgeval carries.")
@click.option("--data", type=click.Path(path_type=Path), help="Replay: data folder of the run.")
@click.option("--transcript", help="Replay: transcripts, where the run read some.")
@click.option("--exact", is_flag=True, help="Replay: hold logits to the bit, not to 0.01.")
def command(
    capsule: Path,
    published: str | None,
    model: str | None,
    data: Path | None,
    transcript: str | None,
    *,
    exact: bool,
) -> int:
    """Check a capsule that 'edgeval capsule' made.

    Always: that no bit has changed, and that its answers still have the very scores and figures.
    With --model (and --data, unless the run was on what the package carries): ask every question
    again and tell the first stage that differs, of question, video, plan, frames, pixels, prompt,
    logits, tokens, answer and scores. Exit code 0 when all of it holds, 1 when something differs,
    3 when the capsule is damaged.
    """
    if model is None and (data is not None or transcript is not None or exact):
        raise ArgumentError("--data, --transcript and --exact are for a replay; name a --model too")
    raw = read(capsule)
    digest = sha256(raw)
    if published is not None and published.lower() != digest:
        _say("published", [Finding(where="sha256", said=f"was {published}, is {digest}")], "")
        return DAMAGED
    whole, damaged = check(raw)
    if whole is None:
        _say("sealed", damaged, "")
        return DAMAGED
    click.echo(plain(f"capsule    {_about(whole)}, sha256 {digest}"))
    _say("sealed", (), f"{len(whole.members)} members, {len(raw)} bytes")
    scores = list(rescored.differences(whole))
    _say("rescored", scores, f"{len(whole.records)} questions and every figure, to the bit")
    code = DIFFERS if scores else 0
    if model is None:
        return code
    sources = Sources(model=model, data=data, transcript=transcript, exact=exact)
    outcome = replay(whole, sources)
    _say("replayed", outcome.findings, _told(outcome))
    for note in outcome.notes:
        click.echo(f"           note: {note}")
    return DIFFERS if outcome.findings else code


def _about(capsule: Capsule) -> str:
    identity = capsule.card["identity"]
    return f"{identity['benchmark']}, {model_name(capsule.card)}, {len(capsule.records)} questions"


def _told(outcome: Outcome) -> str:
    bits = "to the bit" if not outcome.loose else f"close, not to the bit, in {outcome.loose}"
    return f"{outcome.replayed} questions; every stage the same, logits {bits}"


def _say(what: str, findings: Sequence[Finding], good: str) -> None:
    """One line where all is well, else how many of what, and the first of them."""
    if not findings:
        click.echo(f"{what:<10} ok: {good}")
        return
    counted = Counter(finding.where for finding in findings)
    told = ", ".join(f"{where} {n}" for where, n in counted.items())
    click.echo(plain(f"{what:<10} NOT as it was: {told}"))
    for finding in findings[:SHOWN]:
        about = f"{finding.question}: " if finding.question else ""
        click.echo(plain(f"           {finding.where}: {about}{finding.said}"))
    if len(findings) > SHOWN:
        click.echo(f"           and {len(findings) - SHOWN} more")

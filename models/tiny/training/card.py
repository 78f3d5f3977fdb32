"""The model card: every number out of a log or a run, none by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from edgeval.modelfolder import manifest
from training import evaluation, seeds
from training.export import MEASURED, measured
from training.loop import CARD, LOG
from training.stages import SCALES, stages

Row = Mapping[str, Any]
UNKNOWN = "not measured"
_INTRO = """# tiny: a SmolVLM that is small enough to ship

The model that `edgeval run` uses without `--model`: the real SmolVLM architecture, trained from
random weights on what `edgeval.synth` generates and on nothing else. It is an instrument for
testing an evaluator and of no other use. `docs/LESSON.md` of the checkout shows a lesson, what the
model sees of it, and what changes its answers. This page is written by `models/tiny/card.py` from
the logs of the training and the runs of the evaluation.
"""


def card(works: Sequence[Path], blind: Path | None) -> str:
    """The page. ``works``: the training that ships, then the same from other seeds."""
    parts = [_INTRO, *_model(works[0]), *_data(), *_training(works[0])]
    for number, work in enumerate(works):
        parts += _figures(f"Figures, training seed {_of(work, 'run', number)}", _rows(work))
    parts += _figures("A model trained blind on purpose", _rows(blind)) if blind else []
    if blind is None:
        parts.append(f"## A model trained blind on purpose\n\n{UNKNOWN}\n")
    return "\n".join(parts)


def _of(work: Path, key: str, fallback: object) -> object:
    path = work / CARD
    if not path.exists():
        return fallback
    return json.loads(path.read_text(encoding="utf-8")).get(key, fallback)


def _model(work: Path) -> Iterator[str]:
    if not (work / "model" / manifest.FILE).exists():
        yield f"## Model\n\n{UNKNOWN}: {work} has no exported model\n"
        return
    found = manifest.load(work / "model")
    n_bytes = _n_bytes(work / "model")
    image, video = found.image, found.video
    proofs = [f"{one.precision} ({one.flavour})" for one in found.variants.values()]
    yield _table(
        ["model", ""],
        [
            ["frames", f"{image['square']} x {image['square']}, {image['tokens']} tokens each"],
            ["rule", f"{video['fps']} a second, {video['max_frames']} at most"],
            ["precisions", ", ".join(proofs)],
            ["size of the folder", f"{n_bytes / 1e6:.1f} MB"],
            *_beside(work / "model"),
            ["source", found.source],
        ],
    )


def _beside(model: Path) -> Iterator[list[str]]:
    if (other := measured(model)).exists():
        yield ["measured, not shipped", f"{MEASURED[0]}, {_n_bytes(other) / 1e6:.1f} MB"]


def _n_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _data() -> Iterator[str]:
    held = seeds.HELD_OUT
    yield f"""## Data

Clips are drawn while the training goes on, from seeds {seeds.FIRST} upward; those from
{held.start} to {held.stop - 1} are held out, which a test proves for every generator and stage.
Questions come from the benchmarks' own loaders and prompts, answers are such as their rules read.
"""


def _training(work: Path) -> Iterator[str]:
    log = work / LOG
    if not log.exists():
        yield f"## Training\n\n{UNKNOWN}: {work} has no {LOG}\n"
        return
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    rows = []
    for name in dict.fromkeys(line["stage"] for line in lines):
        mine = [line for line in lines if line["stage"] == name]
        for at in sorted({0, len(mine) // 2, len(mine) - 1}):
            line = mine[at]
            rows.append([name, f"{line['step']} of {line['of']}", *_of_line(line)])
    scale = str(_of(work, "scale", UNKNOWN))
    told = f"Scale `{scale}`"
    if scale in SCALES:
        other = _of(work, "steps", {})
        assert isinstance(other, dict)
        held = [f"{one.name} {one.steps}" for one in stages(SCALES[scale], other)]
        told += f", steps of each stage: {', '.join(held)}"
    yield f"## Training\n\n{told}. Means over the steps before:\n"
    yield _table(
        ["stage", "step", "slots, loss", "words of frames", "answers, loss", "tokens right"],
        rows,
    )


def _of_line(line: Row) -> list[str]:
    shares = [f"{100 * line['slot word']:.1f} %"] if "slot word" in line else [""]
    tokens = [f"{100 * line['tokens']:.1f} %"] if "tokens" in line else [""]
    return [_number(line.get("slots")), *shares, _number(line.get("answers")), *tokens]


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else ""


def _rows(work: Path) -> list[Row]:
    path = work / "figures" / evaluation.FILE
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _figures(title: str, rows: Sequence[Row]) -> Iterator[str]:
    yield f"## {title}\n"
    if not rows:
        yield f"{UNKNOWN}\n"
        return
    leading = [row for row in rows if row["kind"] == "figures" and row["leads"]]
    yield _table(
        ["benchmark", "what", "rule", "precision", "frames", "percent", "n"],
        [
            [row["benchmark"], _what(row), row["rule"], *_how(row), _percent(row), row["n"]]
            for row in leading
        ],
    )
    yield from _precisions(leading)
    changed = [row for row in rows if row["kind"] == "comparisons"]
    if changed:
        yield "What a change to the clip does:\n"
        yield _table(
            ["benchmark", "change", "what", "rule", "percent", "n"],
            [
                [row["benchmark"], row["group"], row["name"], row["rule"], _percent(row), row["n"]]
                for row in changed
            ],
        )
    ordered = [row for row in rows if row["kind"] == "order"]
    if ordered:
        yield "What only the order of the frames tells:\n"
        yield _table(
            ["benchmark", "frames are", "precision", "frames", "percent", "n"],
            [
                [row["benchmark"], row["group"], *_how(row), _percent(row), row["n"]]
                for row in ordered
            ],
        )
    guesses = [row for row in rows if row["kind"] == "chance"]
    if guesses:
        yield "A guess:\n"
        yield _table(
            ["benchmark", "task", "percent", "n"],
            [[row["benchmark"], row["group"], _percent(row), row["n"]] for row in guesses],
        )


def _precisions(leading: Sequence[Row]) -> Iterator[str]:
    """What fewer bits cost: points against float32, the same questions of as many frames."""
    keys = ("benchmark", "frames", "name", "rule", "group", "n")
    whole = {tuple(row[k] for k in keys): row for row in leading if row["precision"] == "fp32"}
    pairs = [
        (whole[key], row)
        for row in leading
        if row["precision"] != "fp32" and (key := tuple(row[k] for k in keys)) in whole
    ]
    yield "What fewer bits cost:\n"
    if not pairs:
        yield f"{UNKNOWN}\n"
        return
    yield _table(
        ["benchmark", "what", "rule", "precision", "frames", "points", "n"],
        [
            [row["benchmark"], _what(row), row["rule"], *_how(row), _points(full, row), row["n"]]
            for full, row in pairs
        ],
    )


def _points(full: Row, row: Row) -> str:
    if full["value"] is None or row["value"] is None:
        return UNKNOWN
    return f"{row['value'] - full['value']:+.1f}"


def _how(row: Row) -> list[object]:
    return [row["precision"], row["frames"]]


def _what(row: Row) -> str:
    return f"{row['name']}, {row['group']}" if row["group"] else str(row["name"])


def _percent(row: Row) -> str:
    if row["value"] is None:
        return UNKNOWN
    if row.get("low") is None:
        return f"{row['value']:.1f}"
    return f"{row['value']:.1f} ({row['low']:.1f} to {row['high']:.1f})"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"

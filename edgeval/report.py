"""What a finished run leaves behind: results.json, samples_<task>.jsonl and report.md.

results.json and the samples use lmms-eval's key names; everything of ours stands under one
``edgeval`` key. Times are in results.json's own time keys, in ``edgeval.costs`` and in the last
section of report.md, and nowhere else, so that two runs of the same work leave the same files.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edgeval.benchmarks.base import Benchmark
from edgeval.costs.words import TITLE, section
from edgeval.figures import Report
from edgeval.runfolder import dumps, model_name, write_atomically
from edgeval.tables import comparison_tables, every_figure, main_table
from edgeval.types import Record, Timing

LMMS_RULE = "lmms-eval"


def write(
    folder: Path,
    *,
    card: Mapping[str, Any],
    benchmark: Benchmark,
    records: Sequence[Record],
    report: Report,
) -> None:
    """Write every final file, each whole or not at all."""
    for task, rows in _by_task(records).items():
        lines = [dumps(_sample(benchmark, i, record)) + "\n" for i, record in enumerate(rows)]
        write_atomically(folder / f"samples_{task}.jsonl", "".join(lines))
    results = _results(card, benchmark, records, report)
    text = json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False)
    write_atomically(folder / "results.json", text + "\n")
    write_atomically(folder / "report.md", markdown(report, card))


def _by_task(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Records by task, those of a variant under "<task>@<variant>"."""
    found: dict[str, list[Record]] = {}
    for record in records:
        variant = f"@{record.variant}" if record.variant else ""
        found.setdefault(record.question.task + variant, []).append(record)
    return found


def _results(
    card: Mapping[str, Any], benchmark: Benchmark, records: Sequence[Record], report: Report
) -> dict[str, object]:
    identity = card["identity"]
    by_task = _by_task([record for record in records if not record.variant])
    name = model_name(card)
    return {
        "results": {
            task: {"alias": task, **_lmms_figure(benchmark, rows)} for task, rows in by_task.items()
        },
        "group_subtasks": {benchmark.name: list(by_task)},
        "configs": {task: {"task": task, "metadata": {"rule": LMMS_RULE}} for task in by_task},
        "versions": dict.fromkeys(by_task, benchmark.source),
        "n-shot": dict.fromkeys(by_task, 0),
        "higher_is_better": {task: {benchmark.metric: True} for task in by_task},
        "n-samples": {
            task: {"original": len(rows), "effective": len(rows)} for task, rows in by_task.items()
        },
        "config": {
            "model": "edgeval",
            "model_args": dumps(identity["model"]),
            "batch_size": identity.get("batch_questions", 1),
            "gen_kwargs": identity["decoding"],
        },
        "task_hashes": {task: _task_hash(rows) for task, rows in by_task.items()},
        "model_source": "edgeval",
        "model_name": name,
        "model_name_sanitized": name.replace("/", "__"),
        "system_instruction": None,
        "start_time": card["started"],
        "end_time": card.get("finished"),
        "total_evaluation_time_seconds": card.get("seconds"),
        "edgeval": {
            "schema": card["schema"],
            "identity": identity,
            "videos": card.get("videos", {}),
            "report": asdict(report),
            "n_failed": sum(record.failure is not None for record in records),
            "n_damaged": sum(bool(record.damage) for record in records),
            **({"costs": card["costs"]} if "costs" in card else {}),
        },
    }


def _lmms_figure(benchmark: Benchmark, rows: Sequence[Record]) -> dict[str, object]:
    """Mean and standard error under lmms-eval's rule, with its key names."""
    scores = [record.scores[LMMS_RULE] for record in rows if LMMS_RULE in record.scores]
    values = [
        score.value for score in scores if score.value is not None and score.status != "excluded"
    ]
    mean = sum(values) / len(values) if values else None
    error = None
    if mean is not None and len(values) > 1:
        spread = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
        error = math.sqrt(spread / len(values))
    return {
        f"{benchmark.metric},none": None if mean is None else round(mean, 5),
        f"{benchmark.metric}_stderr,none": error,
    }


def _task_hash(rows: Sequence[Record]) -> str:
    return hashlib.sha256("".join(_doc_hash(record) for record in rows).encode()).hexdigest()


def _doc_hash(record: Record) -> str:
    return hashlib.sha256(dumps(asdict(record.question)).encode()).hexdigest()


def _sample(benchmark: Benchmark, index: int, record: Record) -> dict[str, object]:
    said = record.generation
    text = record.answer.strip()
    lmms = record.scores.get(LMMS_RULE)
    return {
        "doc_id": index,
        "target": record.question.answer,
        "filtered_resps": [text],
        "resps": [[said.text if said else ""]],
        "token_counts": [
            {
                "input_tokens": record.prompt.n_tokens if record.prompt else 0,
                "output_tokens": len(said.token_ids) if said else 0,
            }
        ],
        "doc_hash": _doc_hash(record),
        "input": record.prompt.text if record.prompt else "",
        benchmark.metric: lmms.value if lmms else None,
        "edgeval": {
            "id": record.question.id,
            "row_id": record.question.row_id,
            "clip_id": record.question.clip_id,
            "setting": record.setting,
            "variant": record.variant,
            "tags": dict(record.question.tags),
            "video": record.video,
            "video_sha256": record.video_sha256,
            "frame_indices": list(record.frame_indices),
            "prompt_sha256": record.prompt.sha256 if record.prompt else None,
            "generated_ids": list(said.token_ids) if said else [],
            "stop": said.stop if said else None,
            "turns": [asdict(turn) for turn in record.turns],
            "note": record.note,
            "scores": {rule: asdict(score) for rule, score in record.scores.items()},
            "failure": asdict(record.failure) if record.failure else None,
            "damage": list(record.damage),
        },
    }


def markdown(report: Report, card: Mapping[str, Any]) -> str:
    """report.md: the main table, what it was measured on, every figure; at the end what it cost.

    Times and the machine are in that last section and nowhere else.
    """
    identity = card["identity"]
    model = identity["model"]
    frame_rule = identity["frame_rule"]
    rule = {key: value for key, value in frame_rule.items() if value not in (None, [], ())}
    parts = [
        f"# {report.benchmark}: {model_name(card)}",
        main_table(report, model_name(card)),
        "## What was run",
        "\n".join(
            f"- {key}: `{value}`"
            for key, value in (
                ("model", dumps(model)),
                ("data", dumps(identity["data"])),
                ("frames", dumps(rule)),
                ("decoding", dumps(identity["decoding"])),
                ("versions", dumps(identity["versions"])),
            )
        ),
        "## Every figure",
        every_figure(report.figures),
    ]
    for title, table in reversed(comparison_tables(report).items()):
        parts[2:2] = [f"## {title}", table]
    if "costs" in card:
        parts += [f"## {TITLE}", section(card["costs"])]
    return "\n\n".join(parts) + "\n"


def seconds(records: Sequence[Record]) -> Timing:
    """Where the time of a run went, summed; what a clip pays once is counted once per clip."""
    once: dict[tuple[str, str, str], Timing] = {}
    prefill = 0.0
    steps = 0.0
    others = 0.0
    for record in records:
        if record.generation is not None:
            timing = record.generation.timing
            key = (record.question.clip_id, record.setting, record.variant)
            once.setdefault(key, timing)
            prefill += timing.prefill_s
            steps += sum(timing.step_s)
            others += timing.other_turns_s
    return Timing(
        decode_s=sum(timing.decode_s for timing in once.values()),
        preprocess_s=sum(timing.preprocess_s for timing in once.values()),
        vision_s=sum(timing.vision_s for timing in once.values()),
        prefix_s=sum(timing.prefix_s for timing in once.values()),
        prefill_s=prefill,
        step_s=(steps,),
        other_turns_s=others,
    )


def seconds_a_question(records: Sequence[Record]) -> dict[str, float]:
    """Variant ("" as it is) to mean seconds, what a clip pays once spread over its questions."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.variant, []).append(record)
    means = {}
    for variant, rows in found.items():
        spent = seconds(rows)
        means[variant] = round((spent.clip_s + spent.question_s) / len(rows), 6)
    return means

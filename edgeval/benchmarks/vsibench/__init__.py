"""VSI-Bench: what a walk through a room tells about its space; 5,130 questions on 288 videos.

A data folder is the Hugging Face download with its archives unpacked beside the questions:

    test-*.parquet  (or test.jsonl)      all questions
        {"id", "dataset", "scene_name", "question_type", "question", "ground_truth",
         "options": ["A. chair", ...] or null, "pruned": bool}
    test_debiased.parquet, test_pruned.parquet    the two halves; or, with no column
    pruned_ids.txt                                "pruned", the ids of one, a line each
    <dataset>/<scene_name>.mp4  or  vsibench/<dataset>/<scene_name>.mp4
        dataset: arkitscenes, scannet, scannetpp

Source: vision-x-nyu/thinking-in-space@51e089c3ae69b9435e9489058610f5b3964c56a8 and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/vsibench.
"""

from __future__ import annotations

from pathlib import Path

from edgeval.benchmarks.base import Benchmark
from edgeval.benchmarks.vsibench import data, report, rules

BENCHMARK = Benchmark(
    name="vsibench",
    title="VSI-Bench",
    tasks=tuple(task for tasks in data.TASKS.values() for task in tasks),
    settings=tuple(data.TASKS),
    default_settings=("full",),
    rules=rules.RULES,
    metric="vsibench_score",
    licence="Apache-2.0 for questions; videos under the terms of ARKitScenes, ScanNet, ScanNet++",
    published="full 5,130 questions about 288 videos; debiased 2,362, pruned 2,768",
    source="vision-x-nyu/thinking-in-space@51e089c3, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[2] / "embedded" / "vsibench",
    references=report.PUBLISHED,
    clips=data.clips,
    ask=data.ask,
    question=data.question,
    score=rules.score,
    report=report.report,
    check=data.check,
)

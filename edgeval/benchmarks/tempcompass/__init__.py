"""TempCompass: does it perceive time? Five dimensions, four ways to ask, videos that conflict.

A data folder holds the questions as the authors' repository has them, directly or in questions/:

    multi-choice.json  yes_no.json  caption_matching.json  captioning.json
        {video_id: {dimension: [{"question", "answer"}, ...]}}
    meta_info.json    {video_id: {"eval_dim": {dimension: {"type": aspect}}}}; may be absent

or as Hugging Face has them, one row a question with "video_id", "dim", "question", "answer":

    multi-choice/ yes_no/ caption_matching/ captioning/    *.parquet, else *.jsonl, else *.json

and the videos: videos/<video_id>.mp4 or <video_id>.mp4.

Source: llyx97/TempCompass@e1b463166400633e6061962d890a9ae85db29f70 and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/tempcompass.
"""

from __future__ import annotations

from pathlib import Path

from edgeval.benchmarks.base import Benchmark
from edgeval.benchmarks.tempcompass import data, report, rules

BENCHMARK = Benchmark(
    name="tempcompass",
    title="TempCompass",
    tasks=tuple(data.SPLITS),
    settings=tuple(data.TASKS),
    default_settings=("video",),
    rules=rules.RULES,
    metric="avg_accuracy",
    licence="CC BY-NC 4.0",
    published=(
        "410 videos; multi-choice 1,580, yes_no 2,453, caption_matching 1,503, captioning 2,004"
    ),
    source="llyx97/TempCompass@e1b46316, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[2] / "embedded" / "tempcompass",
    references=report.REFERENCES,
    clips=data.clips,
    ask=data.ask,
    question=data.question,
    score=rules.score,
    report=report.report,
    check=data.check,
    asks={f"lmms-eval:{family}": data.ask_at_length for family in data.LONG_FAMILIES},
)

"""Video-MMMU: three questions about each lecture video, and what was learnt from it.

A data folder holds the questions as the authors' repository has them, directly or under data/:

    perception_video.json  comprehension_video.json  adaptation_video.json
        {"Perception": {"0": row, "1": row, ...}}    dict of dicts; the top key is the track
        row = {"id", "question", "options": [str, ...], "answer": str,
               "question_type": "multiple-choice" | "open", "link_selected": URL}
        question_type ships in Adaptation only, elsewhere every row is multiple-choice; rows with
        the same YouTube link_selected (optional) count as one video for intervals

or as Hugging Face has them:

    Perception/ Comprehension/ Adaptation/           *.parquet, else *.jsonl, else *.json

and the videos and texts beside them:

    <Discipline>/<id>.mp4  or  <id>.mp4  or  videos/<id>.mp4
        Discipline: Art Business Science Medicine Humanities Engineering
    question_only/<id>_image.mp4    the adaptation question's image as a two-second video
    transcripts/<id>.txt            what is said, UTF-8; may be absent

An id is "<split>_<Subject>_<number>" (validation_Math_3, new_Art_Theory_6); the subject names the
discipline, "Other" if Video-MMMU does not have it.

Source: EvolvingLMMs-Lab/VideoMMMU@88b4ac3e07326eaabda3a4afe8e7f30dd02bc143 and
EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3, lmms_eval/tasks/videommmu.
"""

from __future__ import annotations

from pathlib import Path

from edgeval.benchmarks.base import Benchmark
from edgeval.benchmarks.videommmu import data, prompts, references, report, rows, rules

BENCHMARK = Benchmark(
    name="videommmu",
    title="Video-MMMU",
    tasks=data.task_names(),
    settings=data.SETTINGS,
    default_settings=data.DEFAULT_SETTINGS,
    rules=rules.RULES,
    metric="mmmu_acc",
    licence="code MIT; no licence given for questions and videos: evaluate only, do not pass on",
    published="300 videos; perception 300, comprehension 300, adaptation 300 questions",
    source="EvolvingLMMs-Lab/VideoMMMU@88b4ac3e, EvolvingLMMs-Lab/lmms-eval@75571cfe",
    embedded=Path(__file__).parents[2] / "embedded" / "videommmu",
    references=references.PUBLISHED,
    clips=data.clips,
    ask=prompts.ask,
    question=rows.question,
    score=rules.score,
    report=report.report,
    check=data.check,
    compared_by="track",
)

"""Every benchmark on real clips: a run completes, resumes to itself and scores again the same.

The questions are real where the evaluation data have them. LongVideoBench, SEED-Bench-R1 and
Video-R1 get rows made here, in the layout they are published in.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval import benchmarks
from edgeval.dataset import Row
from edgeval.media.probe import probe

N_ROWS = 3


def edgeval(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


class Clips:
    """Hands out real clips, small ones first, under the names that rows ask for."""

    def __init__(self, shared: Path) -> None:
        self.clips = sorted(
            (shared / "videos" / "real").glob("*.mp4"), key=lambda p: p.stat().st_size
        )
        self.next = 0

    def put(self, path: Path, *, at_least_s: float = 0) -> None:
        """One of the eight smallest in turn; for a part of a clip, the smallest that has it."""
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if at_least_s:
            fits = (clip for clip in self.clips if probe(clip).duration_s >= at_least_s)
            shutil.copyfile(next(fits), path)
        else:
            shutil.copyfile(self.clips[self.next % 8], path)
            self.next += 1


def videommmu(shared: Path, root: Path, clips: Clips) -> None:
    for track in ("perception", "comprehension", "adaptation"):
        source = shared / "annotations" / "videommmu" / f"{track}_video.json"
        found = json.loads(source.read_text(encoding="utf-8"))
        ((key, rows),) = found.items()
        kept = {i: rows[i] for i in list(rows)[:N_ROWS]}
        (root / source.name).write_text(json.dumps({key: kept}), encoding="utf-8")
        for row in kept.values():
            clips.put(root / f"{row['id']}.mp4")
            clips.put(root / "question_only" / f"{row['id']}_image.mp4")


def mmvu(shared: Path, root: Path, clips: Clips) -> None:
    rows = json.loads((shared / "annotations" / "mmvu" / "validation.json").read_text("utf-8"))
    (root / "data").mkdir()
    (root / "data" / "validation.json").write_text(json.dumps(rows[:N_ROWS]), encoding="utf-8")
    for row in rows[:N_ROWS]:
        clips.put(root / "videos" / row["video"].split("/videos/")[-1])


def tempcompass(shared: Path, root: Path, clips: Clips) -> None:
    for source in sorted((shared / "annotations" / "tempcompass").glob("*.json")):
        rows = json.loads(source.read_text(encoding="utf-8"))
        kept = rows if source.name == "meta_info.json" else {i: rows[i] for i in list(rows)[:2]}
        (root / source.name).write_text(json.dumps(kept), encoding="utf-8")
        if source.name != "meta_info.json":
            for video_id in kept:
                clips.put(root / "videos" / f"{video_id}.mp4")


def vsibench(shared: Path, root: Path, clips: Clips) -> None:
    source = shared / "e2e" / "VSI-Bench" / "test-00000-of-00001.parquet"
    shutil.copyfile(source, root / source.name)
    wired = json.loads((shared / "e2e" / "videos.json").read_text(encoding="utf-8"))
    for place, clip in wired.items():
        target = root / Path(place).relative_to("hf_home/vsibench")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared / "e2e" / clip, target)


def mvbench(shared: Path, root: Path, clips: Clips) -> None:
    """The first question of each of the twenty tasks."""
    for source in sorted((shared / "annotations" / "mvbench").glob("*.json")):
        write(root / "json" / source.name, json.loads(source.read_text(encoding="utf-8"))[:1])
    for clip in benchmarks.load("mvbench").clips(root, ("video",), ()):
        assert clip.video
        clips.put(clip.video, at_least_s=clip.segment_s[1] if clip.segment_s else 0)


def videomme(shared: Path, root: Path, clips: Clips) -> None:
    """One video with its three questions, and with subtitles."""
    duckdb = pytest.importorskip("duckdb")
    source = shared / "annotations" / "videomme" / "test-00000-of-00001.parquet"
    target = root / "videomme" / source.name
    target.parent.mkdir()
    with duckdb.connect() as base:
        base.execute(f"COPY (SELECT * FROM read_parquet('{source}') LIMIT {N_ROWS}) TO '{target}'")
    for clip in benchmarks.load("videomme").clips(root, ("video",), ()):
        assert clip.video
        clips.put(clip.video)
        said = "1\n00:00:00,000 --> 00:00:09,000\nA line that is heard.\n"
        write(root / "subtitle" / f"{clip.id}.srt", said)


def longvideobench(_shared: Path, root: Path, clips: Clips) -> None:
    """One video with subtitles in both of the published forms, and one whose options are few."""
    first = [{"timestamp": [0.0, 2.5], "text": "here"}, {"timestamp": [2.5, 6], "text": "there"}]
    second = [{"start": "00:00:01.000", "end": "00:00:04.000", "line": "hello"}]
    said = {"a": first, "b": second}
    rows = [
        {
            "video_id": name,
            "id": f"{name}_0",
            "video_path": f"{name}.mp4",
            "subtitle_path": f"{name}_en.json",
            "question": "What is on the screen when this is said?",
            "candidates": ["a person", "a car", "a boat", "water", "a screen"][: 5 - place],
            "correct_choice": place,
            "duration": 10.0,
            "duration_group": 15,
            "question_category": "T2O",
            "topic_category": "NP-News-Programs",
            "level": "L1-Perception",
            "starting_timestamp_for_subtitles": 0,
        }
        for place, name in enumerate(said)
    ]
    write(root / "lvb_val.json", rows)
    for name, lines in said.items():
        write(root / "subtitles" / f"{name}_en.json", lines)
        clips.put(root / "videos" / f"{name}.mp4")


def seedbench_r1(_shared: Path, root: Path, clips: Clips) -> None:
    """A row a level with progress and picture, and one at L1 with nothing done so far."""
    for level in ("L1", "L2", "L3"):
        source = "EpicKitchens" if level == "L1" else "Ego4D"
        rows: list[Row] = []
        for place in range(2 if level == "L1" else 1):
            row: Row = {
                "sample_id": f"{level}_{place}",
                "question": "Which action comes next in order to make tea?",
                **{f"choice_{letter}": f"pick up {letter}" for letter in "abcd"},
                "golden_choice_idx": "ABCD"[place],
                "video_source": source,
                "video_id": f"P0{place}",
                "video_basename": f"{level}_{place}.mp4",
                "current_observation_basename": f"{level}_{place}.png",
                "task_progress_metadata": [] if place else [{"narration_text": "fill kettle"}],
            }
            rows.append({**row, "domain": "Hobbies", "scenario": "tea"} if level == "L3" else row)
            video = root / "videos" / source / f"{level}_{place}.mp4"
            clips.put(video)
            images = root / "images" / source
            images.mkdir(parents=True, exist_ok=True)
            done = edgeval("frames", video, "--indices", 0, "-o", images / "now", cwd=root)
            assert done.returncode == 0, done.stderr
            (png,) = (images / "now").iterdir()
            png.rename(images / f"{level}_{place}.png")
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        write(root / "annotations" / f"validation_{level}.jsonl", lines)


def video_r1(_shared: Path, root: Path, clips: Clips) -> None:
    """One row a file, of each of the types that the files hold."""
    kinds = {
        "mvbench": ("multiple choice", ["A. up", "B. down"], "B"),
        "tempcompass": ("multiple choice", ["A. yes", "B. no"], "A"),
        "videomme": ("multiple choice", ["A. 1", "B. 2", "C. 3", "D. 4"], "D"),
        "videommmu": ("numerical", [], "3.50"),
        "vsibench": ("regression", [], "4"),
        "mmvu": ("free-form", [], "inertia"),
    }
    for task, (kind, options, answer) in kinds.items():
        row = {
            "problem_id": 0,
            "problem": "What happens?",
            "data_type": "video",
            "problem_type": kind,
            "options": options,
            "solution": f"<answer>{answer}</answer>",
            "path": f"./Evaluation/{task}/clip.mp4",
        }
        write(root / "Evaluation" / f"eval_{task}.json", [row])
        clips.put(root / "Evaluation" / task / "clip.mp4")


def write(path: Path, held: object) -> None:
    """Text as it is, anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(held if isinstance(held, str) else json.dumps(held), encoding="utf-8")


FOLDERS: dict[str, Callable[[Path, Path, Clips], None]] = {
    "longvideobench": longvideobench,
    "mmvu": mmvu,
    "mvbench": mvbench,
    "seedbench-r1": seedbench_r1,
    "tempcompass": tempcompass,
    "video-r1": video_r1,
    "videomme": videomme,
    "videommmu": videommmu,
    "vsibench": vsibench,
}
# What is asked besides a benchmark's default setting.
SETTINGS = {"videomme": ("video", "subtitles"), "longvideobench": ("interleaved", "video")}


def final_files(folder: Path) -> dict[str, str]:
    files = {path.name: path.read_text() for path in sorted(folder.glob("samples_*.jsonl"))}
    files["report.md"] = (folder / "report.md").read_text().partition("## What it cost")[0]
    return files


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_run_on_real_questions_and_clips(shared: Path, tmp_path: Path, name: str) -> None:
    root = tmp_path / "data"
    root.mkdir()
    FOLDERS[name](shared, root, Clips(shared))
    arguments = ["--data", "data", "--limit", N_ROWS, "--max-new-tokens", 16, "--frames", 4]
    arguments += [word for setting in SETTINGS.get(name, ()) for word in ("--setting", setting)]
    done = edgeval("run", name, *arguments, "-o", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    before = final_files(tmp_path / "run")
    assert len(before) > 1
    lines = (tmp_path / "run" / "records.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "run" / "records.jsonl").write_bytes(b"".join(lines[: len(lines) // 2]))
    again = edgeval("run", "--resume", "run", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert final_files(tmp_path / "run") == before
    scored = edgeval("score", "run", cwd=tmp_path)
    assert scored.returncode == 0, scored.stderr
    assert final_files(tmp_path / "run") == before

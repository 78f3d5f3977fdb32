"""Real questions on real clips: each run completes, resumes to itself and scores again the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

N_ROWS = 3


def edgeval(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edgeval", *map(str, arguments)]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, timeout=300
    )


class Clips:
    """Hands out real clips, one after the other, under the names that rows ask for."""

    def __init__(self, shared: Path) -> None:
        self.clips = sorted(
            (shared / "videos" / "real").glob("*.mp4"), key=lambda p: p.stat().st_size
        )
        self.next = 0

    def put(self, path: Path) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
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


FOLDERS: dict[str, Callable[[Path, Path, Clips], None]] = {
    "videommmu": videommmu,
    "mmvu": mmvu,
    "tempcompass": tempcompass,
    "vsibench": vsibench,
}


def final_files(folder: Path) -> dict[str, str]:
    files = {path.name: path.read_text() for path in sorted(folder.glob("samples_*.jsonl"))}
    files["report.md"] = (folder / "report.md").read_text()
    return files


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_a_run_on_real_questions_and_clips(shared: Path, tmp_path: Path, name: str) -> None:
    root = tmp_path / "data"
    root.mkdir()
    FOLDERS[name](shared, root, Clips(shared))
    arguments = ("--data", "data", "--limit", N_ROWS, "--max-new-tokens", 16, "--frames", 4)
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

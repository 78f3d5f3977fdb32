"""Write prompts.json: one digest per benchmark, setting and way of prompting, over all questions.

    python make_prompts.py FOLDER_OF_EVALUATION_DATA

The questions are real for five benchmarks; VSI-Bench's are asked about the real scenes' geometry,
every third of them called pruned; the other three have those that the package carries. A digest is
over everything the model would be told, question by question in the loader's order, with a scripted
model that says "A" to everything. Only digests are kept, questions are not ours.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from edgeval import benchmarks
from edgeval.analyses import prompting
from edgeval.synth import vsi_dataset
from edgeval.types import Ask, Clip, Decoding, Generation, Question, Timing

HERE = Path(__file__).parent
# Benchmark to the folder of its real annotations and, where the published layout has one, the place
# they have in it.
REAL = {
    "videommmu": ("videommmu", ""),
    "videomme": ("videomme", ""),
    "mvbench": ("mvbench", "json"),
    "mmvu": ("mmvu", "data"),
    "tempcompass": ("tempcompass", ""),
}
GEOMETRY = "vsibench"
CARRIED = ("longvideobench", "seedbench-r1", "video-r1")
NAMES = (*REAL, GEOMETRY, *CARRIED)


def folder(shared: Path, name: str, work: Path) -> Path:
    """A data folder of the published layout around the questions; real ones without videos."""
    if name in CARRIED:
        carried = benchmarks.load(name).embedded
        assert carried
        return carried
    if name == GEOMETRY:
        scenes = sorted((shared / "annotations" / name).glob("*_meta_info_val.json"))
        written = vsi_dataset.write(work / name, scenes)
        pruned = map(str, range(0, sum(written.counts.values()), 3))
        (work / name / "pruned_ids.txt").write_text("\n".join(pruned), encoding="utf-8")
        return work / name
    source, place = REAL[name]
    target = work / name / place
    target.mkdir(parents=True)
    for path in sorted((shared / "annotations" / source).iterdir()):
        (target / path.name).write_bytes(path.read_bytes())
    return work / name


def asked(clip: Clip, question: Question, way: str, name: str) -> list[dict[str, object]]:
    """Every ask of one question, in order."""
    said: list[dict[str, object]] = []

    def say(ask: Ask, decoding: Decoding) -> Generation:
        said.append({**asdict(ask), "decoding": asdict(decoding)})
        return Generation(text="A", token_ids=(1,), stop="eos", timing=Timing())

    ask = benchmarks.load(name).ask(clip, question)
    prompting.ask_by(way, ask, Decoding(), say, lambda text: text)
    return said


def digests(root: Path, name: str) -> Iterator[tuple[str, str, int]]:
    """(setting and way, digest, number of questions)."""
    benchmark = benchmarks.load(name)
    for setting in benchmark.settings:
        clips = list(benchmark.clips(root, (setting,), ()))
        for way in prompting.names():
            digest = hashlib.sha256()
            n = 0
            for clip in clips:
                for question in clip.questions:
                    n += 1
                    turn = [clip.system, question.id, asked(clip, question, way, name)]
                    digest.update(json.dumps(turn, sort_keys=True, ensure_ascii=True).encode())
            yield f"{setting}, {way}", digest.hexdigest(), n


def main(shared: Path) -> None:
    """Write the file anew."""
    with tempfile.TemporaryDirectory() as work:
        found = {
            name: {
                key: {"sha256": sha256, "n": n}
                for key, sha256, n in digests(folder(shared, name, Path(work)), name)
            }
            for name in NAMES
        }
    (HERE / "prompts.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

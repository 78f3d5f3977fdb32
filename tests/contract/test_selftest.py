"""The self-test on the carried model: it passes here, and names what was broken on purpose."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edgeval.cli.selftest import command
from edgeval.engines import Array, Context, Floats, Graphs
from edgeval.errors import ManifestError
from edgeval.model import Model, open_model
from edgeval.modelfolder import manifest
from edgeval.selftest import FILE
from edgeval.selftest.asking import ask_again
from edgeval.selftest.reference import Kept, read

MAX_BYTES = 300_000


class Wrong:
    """Graphs with one of them broken."""

    def __init__(self, graphs: Graphs, broken: str) -> None:
        self._graphs = graphs
        self._broken = broken
        self.version, self.placement = graphs.version, graphs.placement

    def see(self, feeds: Mapping[str, Array]) -> Mapping[str, Floats]:
        outputs = self._graphs.see(feeds)
        off = np.float32(1.01 if self._broken == "vision" else 1)
        return {name: values * off for name, values in outputs.items()}

    def embed(self, token_ids: Sequence[int]) -> Floats:
        rows = np.array(self._graphs.embed(token_ids))
        return rows[::-1].copy() if self._broken == "embed" else rows

    def start(self, capacity: int) -> Context:
        context = self._graphs.start(capacity)
        return WrongContext(context) if self._broken == "decoder" else context

    def close(self) -> None:
        self._graphs.close()


class WrongContext:
    """A decoder whose steps, not its prefill, are off."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.length = context.length
        self.extend = context.extend

    def step(self, token_id: int) -> Floats:
        return self._context.step(token_id) * np.float32(1.05)

    def fork(self) -> Context:
        return WrongContext(self._context.fork())


@pytest.fixture(scope="module")
def kept() -> Kept:
    return read(manifest.find("tiny") / FILE)["fp32"]


@pytest.fixture
def tiny() -> Iterator[Model]:
    model = open_model(manifest.find("tiny"), engine="cpu", precision="fp32", threads=1)
    yield model
    model.close()


@pytest.mark.parametrize("precision", ["fp32", "q4"])
def test_it_passes_here(precision: str) -> None:
    done = CliRunner().invoke(
        command, ["--threads", "1", "--precision", precision, "--json"], standalone_mode=False
    )
    assert done.return_value == 0, done.output
    verdicts = json.loads(done.output)["questions"]
    assert len(verdicts) > 20
    assert [one for one in verdicts if one["stage"]] == []


@pytest.mark.parametrize(
    ("broken", "stage"), [("vision", "features"), ("embed", "logits"), ("decoder", "logits")]
)
def test_a_broken_graph_is_named(tiny: Model, kept: Kept, broken: str, stage: str) -> None:
    tiny.through(lambda graphs: Wrong(graphs, broken))
    seen = [one for one in ask_again(tiny, few(kept)) if one.question]
    assert {one.stage for one in seen} == {stage}


def few(kept: Kept) -> Kept:
    """Without the blind questions, whose features cannot be wrong."""
    return dataclasses.replace(kept, answers=kept.answers[:3])


def test_a_model_with_other_weights_is_refused(tiny: Model, kept: Kept) -> None:
    other = dataclasses.replace(kept, sha256={**kept.sha256, "onnx/vision_encoder.onnx": "0"})
    with pytest.raises(ManifestError, match=r"vision_encoder\.onnx is not the file"):
        list(ask_again(tiny, other))


def test_a_question_that_is_gone_is_told(tiny: Model, kept: Kept) -> None:
    first = kept.answers[0]
    gone = dataclasses.replace(
        first,
        record=dataclasses.replace(
            first.record, question=dataclasses.replace(first.record.question, id="gone")
        ),
    )
    only = dataclasses.replace(kept, answers=(gone,))
    assert [one.stage for one in ask_again(tiny, only)] == ["question"]


def changed(tmp_path: Path, change: Callable[[dict[str, object]], None]) -> Path:
    row = json.loads((manifest.find("tiny") / FILE).read_text(encoding="utf-8"))
    change(row)
    path = tmp_path / "other.json"
    path.write_text(json.dumps(row), encoding="utf-8")
    return path


def test_the_command_names_the_first_stage_and_exits_1(tmp_path: Path) -> None:
    def change(row: dict[str, object]) -> None:
        answers = row["precisions"]["fp32"]["answers"]  # type: ignore[index]
        answers[3]["record"]["stages"]["pixels"] = "0" * 64
        answers[0]["record"]["generation"]["token_ids"][0] += 1

    path = changed(tmp_path, change)
    done = CliRunner().invoke(
        command, ["--threads", "1", "--against", str(path)], standalone_mode=False
    )
    assert done.return_value == 1
    assert "FAILED: 2 of 24; the first stage is pixels" in done.output


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', '{"schema": 1}', "{" * 100_000])
def test_what_is_no_record_is_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match=r"selftest|schema"):
        read(path)


def test_the_record_is_made_again_with_the_same_answers(tmp_path: Path, kept: Kept) -> None:
    folder = shutil.copytree(manifest.find("tiny"), tmp_path / "tiny")
    (folder / FILE).unlink()
    CliRunner().invoke(
        command,
        ["--model", str(folder), "--threads", "1", "--precision", "fp32", "--record"],
        standalone_mode=False,
        catch_exceptions=False,
    )
    again = read(folder / FILE)["fp32"]
    assert [one.record.answer for one in again.answers] == [
        one.record.answer for one in kept.answers
    ]
    assert (folder / FILE).stat().st_size < MAX_BYTES

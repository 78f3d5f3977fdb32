"""A capsule: one bit flipped anywhere is found and named; made again, it is the same bytes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgeval import __version__
from edgeval.capsule import archive
from edgeval.capsule.pack import digests
from edgeval.capsule.sealed import check
from edgeval.cli.main import cli
from edgeval.errors import EdgevalError
from edgeval.modelfolder import manifest
from edgeval.runcard import root_of
from edgeval.runfolder import dumps, link, seed_chain
from edgeval.runspec import Spec

TASKS = ("--task", "video_mmmu_perception", "--task", "video_mmmu_adaptation")
ID = "video_mmmu_adaptation:"
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Made:
    """A capsule and what it was made of."""

    capsule: Path
    run: Path
    model: Path
    data: Path


def edgeval(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and what was said."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments], standalone_mode=False)
    if isinstance(done.exception, EdgevalError):
        return done.exception.exit_code, str(done.exception)
    assert done.exception is None, done.exception
    return done.return_value or 0, done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One question on each of two tracks, with a model and data of its own."""
    root = tmp_path_factory.mktemp("capsule")
    model, data = root / "model", root / "data"
    shutil.copytree(manifest.find("tiny"), model)
    shutil.copytree(root_of(Spec(benchmark="videommmu", model="tiny")), data)
    options = ("--limit", "1", "--threads", "1", "--progress", "none", "--setting", "video")
    code, told = edgeval(
        *("run", "videommmu", "--model", model, "--data", data, *TASKS, *options),
        *("-o", root / "run"),
    )
    assert code == 0, told
    code, told = edgeval("capsule", root / "run", "-o", root / "run.capsule")
    assert code == 0, told
    return Made(capsule=root / "run.capsule", run=root / "run", model=model, data=data)


def members(made: Made) -> dict[str, bytes]:
    return dict(archive.opened(made.capsule.read_bytes()).members)


def rows(made: Made) -> list[Row]:
    return [json.loads(line)["record"] for line in members(made)["records.jsonl"].splitlines()]


def flipped(raw: bytes, at: int, bit: int = 0) -> bytes:
    changed = bytearray(raw)
    changed[at] ^= 1 << bit
    return bytes(changed)


def flip_file(path: Path, at: int | None = None) -> None:
    raw = path.read_bytes()
    path.write_bytes(flipped(raw, len(raw) // 2 if at is None else at))


def verified(made: Made, raw: bytes, folder: Path, *options: str | Path) -> tuple[int, str]:
    path = folder / "changed.capsule"
    path.write_bytes(raw)
    return edgeval("verify", path, *options)


def test_a_whole_capsule_holds_and_is_the_same_bytes_again(made: Made, tmp_path: Path) -> None:
    code, told = edgeval("verify", made.capsule, "--model", made.model, "--data", made.data)
    assert (code, told.count(" ok: ")) == (0, 3), told
    assert "to the bit" in told
    edgeval("capsule", made.run, "-o", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == made.capsule.read_bytes()


def test_any_tar_reads_it(made: Made) -> None:
    import tarfile

    with tarfile.open(made.capsule) as tar:
        held = {one.name: tar.extractfile(one) for one in tar.getmembers()}
        assert {name: stream and stream.read() for name, stream in held.items()}.items() > (
            members(made).items()
        )


# What of a sealed capsule is flipped -> what the answer names. Fields: of the second question.
MEMBERS = (
    "capsule.json",
    "run.json",
    "results.json",
    "lock.txt",
    "manifest.toml",
    "data.json",
    "digests.jsonl",
)
FIELDS = (
    "chain",
    "answer",
    "damage",
    "failure",
    "frame_indices",
    "generation.logits",
    "generation.stop",
    "generation.text",
    "generation.token_ids",
    "note",
    "prompt.n_tokens",
    "prompt.sha256",
    "prompt.text",
    "question.answer",
    "question.choices",
    "question.id",
    "question.text",
    "scores.official",
    "setting",
    "stages.pictures",
    "stages.pixels",
    "stages.prompt_ids",
    "timing.step_s",
    "turns",
    "variant",
    "video",
    "video_sha256",
)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_flip_in_a_member_is_found_and_named(made: Made, member: str, tmp_path: Path) -> None:
    raw = made.capsule.read_bytes()
    held = members(made).get(member) or raw[512 : raw.index(b"\0", 512)]
    for part in (1, 2, 3):
        at = raw.index(held) + part * len(held) // 4
        code, told = verified(made, flipped(raw, at, part), tmp_path)
        assert code == 3
        assert f" {member}: " in told


@pytest.mark.parametrize("field", FIELDS)
def test_a_flip_in_a_record_is_found_and_named(made: Made, field: str, tmp_path: Path) -> None:
    raw = made.capsule.read_bytes()
    line = members(made)["records.jsonl"].splitlines()[1]
    question, layout = json.loads(members(made)["digests.jsonl"].splitlines()[1])
    sizes = [size for _, size, _ in layout]
    names = [name.removeprefix("record.") for name, _, _ in layout]
    place = names.index(field)
    start = raw.index(line) + sum(sizes[:place])
    for at in (start, start + sizes[place] // 2, start + sizes[place] - 1):
        code, told = verified(made, flipped(raw, at, 1), tmp_path)
        assert code == 3
        assert f" records.jsonl: {question}: line 2: {field} " in told


def test_no_bit_is_free(made: Made) -> None:
    raw = made.capsule.read_bytes()
    one = archive.packed({"lock.txt": b"", "run.json": b"{}\n"}, version="0")
    assert archive.opened(one).damaged == ()
    free = [
        at for at in range(8 * len(one)) if not archive.opened(flipped(one, *divmod(at, 8))).damaged
    ]
    assert free == []
    spread = range(0, len(raw), max(1, len(raw) // 200))
    assert [at for at in spread if check(flipped(raw, at, at % 8))[0] is not None] == []
    assert [at for at in spread if check(raw[:at])[0] is not None] == []
    assert check(raw + b"\0")[0] is None


def test_a_published_digest_tells_a_capsule_sealed_anew(made: Made, tmp_path: Path) -> None:
    raw = made.capsule.read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    assert verified(made, raw, tmp_path, "--sha256", digest)[0] == 0
    code, told = verified(
        made, sealed_anew(made, lambda row: row.update(note="x")), tmp_path, "--sha256", digest
    )
    assert (code, "sha256" in told) == (3, True)


def sealed_anew(made: Made, change: Callable[[Row], object]) -> bytes:
    """The capsule with its second record changed and every seal made to fit again."""
    held = members(made)
    chain, lines = seed_chain(json.loads(held["run.json"])), []
    records = rows(made)
    change(records[1])
    for record in records:
        chain = link(chain, dumps(record))
        lines.append(dumps({"chain": chain, "record": record}) + "\n")
    held["records.jsonl"] = "".join(lines).encode()
    held["digests.jsonl"] = digests(held["records.jsonl"])
    return archive.packed(held, version=__version__)


def other(record: Row, *path: str, value: object = None) -> None:
    for key in path[:-1]:
        record = record[key]
    record[path[-1]] = value(record[path[-1]]) if callable(value) else value


def hexes(text: str) -> str:
    return format(int(text, 16) ^ 1, "064x")


def first_other(numbers: list[int]) -> list[int]:
    return [numbers[0] ^ 1, *numbers[1:]]


def first_hex(texts: list[str]) -> list[str]:
    return [hexes(texts[0]), *texts[1:]]


# What a forger changes before sealing anew -> the stage that is named, by scores or by a replay.
FORGED: dict[str, tuple[str, Callable[[Row], object]]] = {
    "score": ("scores", lambda r: other(r, "scores", "official", "value", value=lambda v: 1.0 - v)),
    "parsed": ("scores", lambda r: other(r, "scores", "official", "parsed", value="J")),
    "answer": ("answer", lambda r: other(r, "answer", value=lambda text: text + " ")),
    "gold": ("question", lambda r: other(r, "question", "answer", value="J")),
    "words": ("question", lambda r: other(r, "question", "text", value="Which one?")),
    "video": ("run.json", lambda r: other(r, "video_sha256", value=hexes)),
    "plan": ("plan", lambda r: other(r, "frame_indices", value=first_other)),
    "frames": ("frames", lambda r: other(r, "stages", "pictures", value=first_hex)),
    "pixels": ("pixels", lambda r: other(r, "stages", "pixels", value=hexes)),
    "prompt": ("prompt", lambda r: other(r, "prompt", "text", value=lambda text: text + "?")),
    "prompt id": ("records.jsonl", lambda r: other(r, "stages", "prompt_ids", value=[[1, 1]])),
    "logits": ("logits", lambda r: other(r, "generation", "logits", value=bigger)),
    "token": ("tokens", lambda r: other(r, "generation", "token_ids", value=first_other)),
    "end": ("tokens", lambda r: other(r, "generation", "stop", value="length")),
    "said": ("answer", lambda r: other(r, "generation", "text", value="B")),
    "failure": ("failure", lambda r: other(r, "failure", value={"kind": "video", "message": "x"})),
}  # fmt: skip


def bigger(logits: Row) -> Row:
    top = [[token, value + 1] for token, value in logits["top"]]
    return {"sha256": hexes(logits["sha256"]), "top": top}


@pytest.mark.parametrize("what", FORGED)
def test_what_is_forged_and_sealed_anew_is_named(made: Made, what: str, tmp_path: Path) -> None:
    stage, change = FORGED[what]
    raw = sealed_anew(made, change)
    options = ("--model", made.model, "--data", made.data)
    code, told = verified(made, raw, tmp_path, *options)
    assert code == (3 if ".json" in stage else 1), told
    assert f" {stage}: {ID}" in told


def test_a_record_without_stages_is_replayed_without_them(made: Made, tmp_path: Path) -> None:
    raw = sealed_anew(made, lambda record: record.pop("stages"))
    options = ("--model", made.model, "--data", made.data)
    code, told = verified(made, raw, tmp_path, *options)
    assert (code, "note: 1 records keep no stages" in told) == (0, True), told


def test_loose_logits_hold_unless_bits_are_asked_for(made: Made, tmp_path: Path) -> None:
    def loosened(record: Row) -> None:
        logits = record["generation"]["logits"]
        top = [[token, value + 1e-4] for token, value in logits["top"]]
        record["generation"]["logits"] = {"sha256": hexes(logits["sha256"]), "top": top}

    raw = sealed_anew(made, loosened)
    options = ("--model", made.model, "--data", made.data)
    code, told = verified(made, raw, tmp_path, *options)
    assert (code, "close, not to the bit, in 1" in told) == (0, True)
    code, told = verified(made, raw, tmp_path, *options, "--exact")
    assert (code, f" logits: {ID}" in told) == (1, True)


# A file of the model or the data with one bit flipped -> what is named.
FILES = {
    "onnx/vision_encoder.onnx": " model: onnx/vision_encoder.onnx ",
    "onnx/embed_tokens.onnx": " model: onnx/embed_tokens.onnx ",
    "onnx/decoder_model_merged.onnx": " model: onnx/decoder_model_merged.onnx ",
    "tokenizer.json": " model: tokenizer.json ",
    "tokenizer_config.json": " model: tokenizer_config.json ",
    "chat_template.jinja": " model: chat_template.jinja ",
    "config.json": " model: config.json ",
    "generation_config.json": " model: generation_config.json ",
    "manifest.toml": " model: manifest.toml ",
    "adaptation_video.json": " data: adaptation_video.json ",
}


@pytest.mark.parametrize("name", FILES)
def test_a_flip_in_a_file_of_the_run_is_named(made: Made, name: str, tmp_path: Path) -> None:
    model, data = tmp_path / "model", tmp_path / "data"
    shutil.copytree(made.model, model)
    shutil.copytree(made.data, data)
    flip_file(model / name if (model / name).is_file() else data / name)
    code, told = edgeval("verify", made.capsule, "--model", model, "--data", data)
    assert (code, FILES[name] in told) == (1, True), told


def test_a_flip_in_a_video_names_the_question_and_the_stage(made: Made, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(made.data, data)
    flip_file(data / rows(made)[1]["video"])
    code, told = edgeval("verify", made.capsule, "--model", made.model, "--data", data)
    assert (code, f" video: {ID}" in told) == (1, True), told


def test_a_run_that_is_not_finished_or_not_whole_is_refused(made: Made, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(made.run, run)
    lines = (run / "records.jsonl").read_bytes()
    (run / "records.jsonl").write_bytes(lines[:-9])
    assert edgeval("capsule", run, "-o", tmp_path / "a")[0] == 2
    (run / "records.jsonl").write_bytes(lines)
    card = json.loads((run / "run.json").read_text())
    del card["finished"]
    (run / "run.json").write_text(json.dumps(card))
    code, told = edgeval("capsule", run, "-o", tmp_path / "a")
    assert (code, "--resume" in told, (tmp_path / "a").exists()) == (2, True, False)


def test_nothing_is_written_over_and_what_is_missing_is_said(made: Made, tmp_path: Path) -> None:
    assert edgeval("capsule", made.run, "-o", made.capsule)[0] == 2
    assert edgeval("verify", tmp_path / "none")[0] == 3
    assert edgeval("verify", made.capsule, "--data", made.data)[0] == 2
    code, told = edgeval("verify", made.capsule, "--model", made.model)
    assert (code, "--data" in told) == (3, True)

"""Model folders that somebody broke or meant harm with: one sentence, exit code 4, no memory taken.

Every row changes a folder in the published layout (nothing is promised there, so no hash stands
before what is tested), or one with a manifest, and asks it one question.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeval.modelfolder import manifest, wire

from .conftest import Do, Done

ASK = (
    *("run", "videommmu", "--limit", "1", "--task", "video_mmmu_adaptation"),
    *("--setting", "video", "--progress", "none", "--threads", "1", "-o", "run"),
)
VISION, EMBED, DECODER = (
    f"onnx/{name}.onnx" for name in ("vision_encoder", "embed_tokens", "decoder_model_merged")
)
GRAPH = 7
PROCESSOR = "processor_config.json"
VIDEO = {
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "resample": 1,
    "max_image_size": {"longest_edge": 64},
    "video_sampling": {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 64}},
}
Change = Callable[[Path], object]
# Loading the small model takes about 70 MB; anything that was believed would take far more.
MOST_GROWTH = 150 << 20


@pytest.fixture(scope="module")
def tiny() -> Path:
    """The model that edgeval carries."""
    return manifest.find("tiny")


@pytest.fixture
def published(tiny: Path, tmp_path: Path) -> Path:
    """The carried model without its manifest, in links; a file to change is written anew."""
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder, copy_function=os.link)
    (folder / manifest.FILE).unlink()
    text = json.dumps({"image_seq_len": 4, "video_processor": VIDEO})
    (folder / PROCESSOR).write_text(text, "utf-8")
    return folder


@pytest.fixture
def declared(tiny: Path, tmp_path: Path) -> Path:
    """The carried model, in links."""
    folder = tmp_path / "model"
    shutil.copytree(tiny, folder, copy_function=os.link)
    return folder


def ask(bounded: Do, folder: Path) -> Done:
    return bounded(argv=[*ASK, "--model", str(folder)], cwd=str(folder.parent))


def refused(done: Done, code: int = 4) -> str:
    """The sentence of a refusal that took nothing."""
    assert done.code == code, done
    assert done.grew < MOST_GROWTH
    sentence = done.sentence()
    assert sentence.startswith("edgeval: ")
    assert len(sentence) < 1000
    return sentence


def write(name: str, content: bytes | str) -> Change:
    """Another content of a file."""

    def change(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return change


def put(name: str, *path: str, value: object) -> Change:
    """Another value in a JSON file."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text("utf-8"))
        part = content
        for key in path[:-1]:
            part = part.setdefault(key, {})
        part[path[-1]] = value
        write(name, json.dumps(content))(folder)

    return change


def cut(name: str, share: float) -> Change:
    """The first part of a file."""

    def change(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        write(name, whole[: int(len(whole) * share)])(folder)

    return change


def long(name: str) -> Change:
    """Two gigabytes, most of which are a hole."""

    def change(folder: Path) -> None:
        write(name, b'{"a": "')(folder)
        os.truncate(folder / name, 2 << 30)

    return change


def swapped(name: str, other: str) -> Change:
    """A file under the name of another."""
    return lambda folder: write(name, (folder / other).read_bytes())(folder)


def numbers() -> dict[str, Change]:
    """Sizes that no machine has room for, and values that are no numbers."""
    video = ("video_processor",)
    size = (*video, "video_sampling", "video_size", "longest_edge")
    square = (*video, "max_image_size", "longest_edge")
    rows = {
        "edge": (size, [10**12, 10**6, -1, 0, float("nan"), "64", None, True, [64], 10**400]),
        "square": (square, [10**12, 100_000, -1, 64.5]),
        "tokens": (("image_seq_len",), [10**12, 10**6, -1]),
        "fps": ((*video, "video_sampling", "fps"), [float("nan"), float("inf"), -1, 10**400]),
        "frames": ((*video, "video_sampling", "max_frames"), [10**12, -1, 1e9]),
        "mean": ((*video, "image_mean"), [[float("nan")] * 3, [0.5], "grey", [10**400] * 3]),
        "std": ((*video, "image_std"), [[0, 0, 0], [-1, 1, 1], [float("inf")] * 3]),
        "rescale": ((*video, "rescale_factor"), ["x", 10**400, float("nan"), 0]),
        "resample": ((*video, "resample"), [10**400, "lanczos3", -1]),
    }
    changes = {
        f"{name} {str(value)[:12]}": put(PROCESSOR, *path, value=value)
        for name, (path, values) in rows.items()
        for value in values
    }
    for value in (float("nan"), float("inf"), -1, "x", 10**400):
        row = put("generation_config.json", "repetition_penalty", value=value)
        changes[f"penalty {str(value)[:12]}"] = row
    for value in ([], "x", {}, True, None):
        changes[f"eos {value}"] = put("generation_config.json", "eos_token_id", value=value)
    changes["no eos at all"] = lambda folder: [
        write(name, text)(folder)
        for name, text in (
            ("generation_config.json", "{}"),
            ("config.json", '{"model_type": "smolvlm"}'),
        )
    ]
    del changes["eos None"]  # says nothing, so config.json's counts
    return changes


def texts() -> dict[str, Change]:
    """JSON files that are none, or none to read."""
    changes: dict[str, Change] = {}
    for name in ("config.json", PROCESSOR, "generation_config.json", "tokenizer_config.json"):
        changes |= {
            f"deep lists in {name}": write(name, "[" * 100_000),
            f"deep objects in {name}": write(name, '{"a":' * 100_000 + "1" + "}" * 100_000),
            f"long {name}": long(name),
            f"digits in {name}": write(name, '{"image_seq_len": ' + "9" * 100_000 + "}"),
            f"a list as {name}": write(name, "[]"),
            f"no text in {name}": write(name, b"\xff\xfe\0"),
            f"a pickle as {name}": write(name, pickle.dumps({"model_type": "smolvlm"})),
        }
    changes |= {
        "a long template": long("chat_template.jinja"),
        "a template that is no text": write("chat_template.jinja", b"\xff\xfe"),
        "no config": lambda folder: (folder / "config.json").unlink(),
        "a device as config": lambda folder: [
            (folder / "config.json").unlink(),
            (folder / "config.json").symlink_to("/dev/zero"),
        ],
    }
    return changes


def graphs() -> dict[str, Change]:
    """Graphs that are cut, of another kind, or under another's name."""
    changes: dict[str, Change] = {}
    for name in (VISION, EMBED, DECODER):
        changes |= {f"{share:g} of {name}": cut(name, share) for share in (0, 1e-5, 0.5, 0.9999)}
        changes[f"a pickle as {name}"] = write(name, pickle.dumps(set))
        changes[f"a zip as {name}"] = write(name, b"PK\3\4" + bytes(100))
        changes[f"no {name}"] = lambda folder, name=name: (folder / name).unlink()
    changes["a decoder as vision"] = swapped(VISION, DECODER)
    changes["a vision graph as decoder"] = swapped(DECODER, VISION)
    changes["a vision graph as embeddings"] = swapped(EMBED, VISION)
    return changes


def tokenizers() -> dict[str, Change]:
    """Tokenizers of another model, or made to never end."""

    def edit(change: Callable[[dict[str, Any]], object]) -> Change:
        def changed(folder: Path) -> None:
            content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
            change(content)
            write("tokenizer.json", json.dumps(content))(folder)

        return changed

    def part(name: str, step: object) -> Change:
        return edit(lambda content: content.__setitem__(name, step))

    def moved(content: dict[str, Any], by: int) -> None:
        vocabulary = content["model"]["vocab"]
        content["model"]["vocab"] = {token: place + by for token, place in vocabulary.items()}

    def searched(pattern: str) -> dict[str, object]:
        return {"type": "Replace", "pattern": {"Regex": pattern}, "content": "b"}

    double = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}
    doubles = {"type": "Sequence", "normalizers": [double] * 60}
    halves = {"type": "Sequence", "decoders": [double] * 60}
    widest = {"x": {"id": "x", "ids": [1] * 100_000, "tokens": ["x"] * 100_000}}
    behind = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "x", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": widest,
    }
    changes = {
        "ids far off": edit(lambda content: moved(content, 10**6)),
        "ids of 33 bits": edit(lambda content: moved(content, 2**32)),
        "ids one off": edit(lambda content: moved(content, 1)),
        "no special tokens": part("added_tokens", []),
        "doubling": part("normalizer", doubles),
        "doubling back": part("decoder", halves),
        "everywhere": part("normalizer", {**double, "pattern": {"String": ""}}),
        "a long head": part("normalizer", {"type": "Prepend", "prepend": "x" * 10**6}),
        "a long tail": part("post_processor", behind),
        "no tokenizer": write("tokenizer.json", "{}"),
        "a pickle": write("tokenizer.json", pickle.dumps({})),
        "deep": write("tokenizer.json", '{"model":' * 100_000),
        "long": long("tokenizer.json"),
    }
    for pattern in ("(a+)+$", "(.*)*x", r"(\w+\s?)+$", "((a{1,9}b)*)+", "[", "a{1000000000}"):
        changes[f"searched by {pattern}"] = part("normalizer", searched(pattern))
        split = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"}
        changes[f"split by {pattern}"] = part("pre_tokenizer", {**split, "invert": False})
    return changes


def field(number: int, payload: bytes) -> bytes:
    """One length-delimited protobuf field."""
    length, size = b"", len(payload)
    while size >= 0x80:
        length, size = length + bytes([size & 0x7F | 0x80]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload


def naming(location: str, *, where: str) -> Callable[[bytes], bytes]:
    """An ONNX file with one more tensor, whose bytes lie at ``location``."""
    pairs = (("location", location), ("offset", "0"), ("length", "4"))
    entries = b"".join(
        field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in pairs
    )
    tensor = field(8, b"extra") + b"\x08\x01\x10\x01" + entries + b"\x70\x01"
    parts = {
        "weight": field(5, tensor),
        "constant": field(1, field(4, b"Constant") + field(5, field(5, tensor))),
        "branch": field(1, field(4, b"If") + field(5, field(6, field(5, tensor)))),
        "sparse": field(15, field(1, tensor)),
    }

    def change(whole: bytes) -> bytes:
        with mmap.mmap(-1, len(whole)) as view:
            view[:] = whole
            fields = wire.fields(view, (0, len(whole)))
            start, end = next(span for number, span in fields if number == GRAPH)
        head = whole[: whole.rindex(bytes([GRAPH << 3 | 2]), 0, start)]
        return head + field(GRAPH, whole[start:end] + parts[where]) + whole[end:]

    return change


def outside() -> dict[str, Change]:
    """Weights that lie where they should not."""
    changes: dict[str, Change] = {}
    places = ["../config.json", "/etc/hostname", "/dev/zero", "a/../../config.json", "..\\config"]
    for graph in (VISION, EMBED, DECODER):
        for place in (*places, "*/_ORT_MEM_ADDR_/*", "", ".", "nothing.bin"):
            changes[f"{place!r} from {graph}"] = extended(graph, naming(place, where="weight"))
        for where in ("constant", "branch", "sparse"):
            changes[f"{where} of {graph}"] = extended(graph, naming(places[0], where=where))
        changes[f"a link from {graph}"] = extended(
            graph,
            naming("w.bin", where="weight"),
            lambda folder: (folder / "onnx/w.bin").symlink_to("/etc/hostname"),
        )
        changes[f"a linked folder from {graph}"] = extended(
            graph,
            naming("d/hostname", where="weight"),
            lambda folder: (folder / "onnx/d").symlink_to("/etc"),
        )
        changes[f"too few bytes for {graph}"] = extended(
            graph,
            naming("w.bin", where="weight"),
            lambda folder: (folder / "onnx/w.bin").write_bytes(b"123"),
        )
    return changes


def extended(
    graph: str, change: Callable[[bytes], bytes], besides: Change = lambda folder: None
) -> Change:
    def changed(folder: Path) -> None:
        write(graph, change((folder / graph).read_bytes()))(folder)
        besides(folder)

    return changed


def manifests() -> dict[str, Change]:
    """Manifests that promise what is not so, or lead elsewhere."""

    def line(old: str, new: str) -> Change:
        def change(folder: Path) -> None:
            text = (folder / manifest.FILE).read_text("utf-8")
            assert old in text
            write(manifest.FILE, text.replace(old, new, 1))(folder)

        return change

    own = 'path = "config.json"'
    changes = {
        "a wrong hash": line('sha256 = "', 'sha256 = "00'),
        "out by dots": line(own, 'path = "../config.json"'),
        "out by dots below": line(own, 'path = "onnx/../../config.json"'),
        "absolute": line(own, 'path = "/etc/hostname"'),
        "a device": line(own, 'path = "/dev/zero"'),
        "deep": write(manifest.FILE, "a = " + "[" * 100_000),
        "long": long(manifest.FILE),
        "no text": write(manifest.FILE, b"\xff"),
        "digits": write(manifest.FILE, "schema = " + "9" * 100_000),
        "tokens": line("tokens = 4", f"tokens = {10**12}"),
        "edge": line("longest_edge = 64", f"longest_edge = {10**12}"),
        "nan": line("fps = 0.5", "fps = nan"),
        "inf": line("fps = 0.5", "fps = inf"),
    }
    for graph in (VISION, EMBED, DECODER):
        changes[f"{graph} changed"] = cut(graph, 0.999)
    # Promised are the graphs as they are here; what they name besides is not.
    changes["weights without a promise"] = _unpromised
    return changes


def _unpromised(folder: Path) -> None:
    before = hashlib.sha256((folder / EMBED).read_bytes()).hexdigest()
    (folder / "onnx/w.bin").write_bytes(bytes(4))
    extended(EMBED, naming("w.bin", where="weight"))(folder)
    after = hashlib.sha256((folder / EMBED).read_bytes()).hexdigest()
    text = (folder / manifest.FILE).read_text("utf-8").replace(before, after)
    write(manifest.FILE, text)(folder)


PUBLISHED = {
    f"{kind}: {name}": change
    for kind, table in (
        ("number", numbers()),
        ("text", texts()),
        ("graph", graphs()),
        ("tokenizer", tokenizers()),
        ("outside", outside()),
    )
    for name, change in table.items()
}


def test_the_folder_runs_before_it_is_changed(bounded: Do, published: Path) -> None:
    assert ask(bounded, published).code == 0


def test_a_file_named_beside_the_graph_is_taken(bounded: Do, published: Path) -> None:
    """What the rows on outside weights add does not break a graph by itself."""
    for graph in (VISION, EMBED, DECODER):
        extended(graph, naming("w.bin", where="weight"))(published)
    (published / "onnx/w.bin").write_bytes(bytes(4))
    assert ask(bounded, published).code == 0


@pytest.mark.parametrize("change", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_a_hostile_folder_is_refused(bounded: Do, published: Path, change: Change) -> None:
    change(published)
    refused(ask(bounded, published))


@pytest.mark.parametrize("change", manifests().values(), ids=manifests().keys())
def test_a_hostile_manifest_is_refused(bounded: Do, declared: Path, change: Change) -> None:
    change(declared)
    refused(ask(bounded, declared))


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.pt", "model.pth", "model.ckpt"])
def test_a_folder_of_pickles_is_told_to_be_exported(
    bounded: Do, published: Path, weights: str
) -> None:
    shutil.rmtree(published / "onnx")
    (published / weights).write_bytes(pickle.dumps(print))
    assert "export it first" in refused(ask(bounded, published))


@pytest.mark.parametrize(
    "family", ["internvl", "llava_onevision", "qwen2_vl", "qwen2_5_vl", "qwen3_vl"]
)
def test_the_tokenizer_of_another_family_is_refused(
    bounded: Do, published: Path, shared: Path, family: str
) -> None:
    theirs = shared / "e2e/ckpt" / family / "tokenizer.json"
    write("tokenizer.json", theirs.read_bytes())(published)
    assert "tokenizer.json" in refused(ask(bounded, published))


def test_nothing_is_read_out_of_a_pickle(bounded: Do, published: Path, tmp_path: Path) -> None:
    """A file that would leave a mark if anything unpickled it, under every name."""

    class Mark:
        def __reduce__(self) -> tuple[object, ...]:
            return os.mkdir, (str(tmp_path / "mark"),)

    for path in list(published.rglob("*")):
        if path.is_file() and path.suffix != ".json":
            write(str(path.relative_to(published)), pickle.dumps(Mark()))(published)
    refused(ask(bounded, published))
    assert not (tmp_path / "mark").exists()

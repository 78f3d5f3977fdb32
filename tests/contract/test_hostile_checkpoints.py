"""Checkpoints that somebody broke or meant harm with: one sentence, exit code 4, no memory taken.

Every row changes a small checkpoint and has `edgeval export` try it.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeval.modelfolder import manifest

from .conftest import Do, Done, cell

pytest.importorskip("torch")
pytest.importorskip("onnxscript")

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
MODEL = "transformers.models.smolvlm.modeling_smolvlm"
Change = Callable[[Path], object]
# A fork that comes as far as transformers' model class touches some hundred megabytes of torch.
MOST_GROWTH = 400 << 20
PROCESSOR = """{"image_seq_len": 16, "video_processor": {"image_mean": [0.5, 0.5, 0.5],
"image_std": [0.5, 0.5, 0.5], "resample": 1, "max_image_size": {"longest_edge": 64},
"video_sampling": {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 64}}}}"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, hf: None) -> Path:
    """A random SmolVLM of the smallest sizes, with the carried model's tokenizer."""
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMForConditionalGeneration

    text = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "head_dim": 16}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 1032}
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    sizes = {"num_attention_heads": 2, "image_size": 64, "patch_size": 8}
    config = SmolVLMConfig(
        image_token_id=5,
        scale_factor=2,
        pad_token_id=0,
        text_config={**text, **heads, "model_type": "llama", "pad_token_id": 0},
        vision_config={**vision, **sizes},
    )
    folder = tmp_path_factory.mktemp("whole")
    SmolVLMForConditionalGeneration(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(manifest.find("tiny") / name, folder / name)
    (folder / "processor_config.json").write_text(PROCESSOR, "utf-8")
    return folder


@pytest.fixture
def checkpoint(whole: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    shutil.copytree(whole, folder)
    return folder


@pytest.fixture(scope="module")
def bounded(hf: None) -> Iterator[Do]:
    """Commands of edgeval in little memory, torch and the model's class already there."""
    with cell("torch", "onnxscript", "edgeval.cli.export", "edgeval.export.folder", MODEL) as do:
        yield do


def export(bounded: Do, folder: Path) -> Done:
    return bounded(argv=["export", str(folder), "-o", "out"], cwd=str(folder.parent))


def refused(done: Done, folder: Path) -> str:
    assert done.code == 4, done
    assert done.grew < MOST_GROWTH
    assert not (folder.parent / "out" / manifest.FILE).exists()
    return done.sentence()


def put(*path: str, value: object) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text("utf-8"))
        part = content
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value
        (folder / "config.json").write_text(json.dumps(content), "utf-8")

    return change


def write(name: str, content: bytes | str) -> Change:
    data = content if isinstance(content, bytes) else content.encode()
    return lambda folder: (folder / name).write_bytes(data)


def header(content: object, rest: bytes = b"") -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text + rest


def moved(name: str, content: bytes) -> Change:
    """Weights of another kind instead of safetensors."""

    def change(folder: Path) -> None:
        (folder / WEIGHTS).unlink()
        (folder / name).write_bytes(content)

    return change


def indexed(name: str, *, link: str = "") -> Change:
    """Weights behind an index that names ``name``."""

    def change(folder: Path) -> None:
        (folder / WEIGHTS).rename(folder / "model-1.safetensors")
        (folder / INDEX).write_text(json.dumps({"weight_map": {"lm_head.weight": name}}), "utf-8")
        if link:
            (folder / name).symlink_to(link)

    return change


def rows() -> dict[str, Change]:
    changes: dict[str, Change] = {}
    for key in ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"):
        for value in (10**12, 10**9, -1, 0, float("nan"), "32", 1e9):
            changes[f"text {key} {value}"] = put("text_config", key, value=value)
            changes[f"vision {key} {value}"] = put("vision_config", key, value=value)
    for value in (0, -1, 10**12, 10**400):
        changes[f"vocabulary {str(value)[:12]}"] = put("text_config", "vocab_size", value=value)
    for key, values in {
        "image_size": (-1, 10**12, 10**6, 0, "64", float("nan")),
        "patch_size": (0, -1, 10**12, 1e-9),
        "num_channels": (0, 10**12),
    }.items():
        for value in values:
            changes[f"{key} {value}"] = put("vision_config", key, value=value)
    changes |= {
        "a scale of 0": put("scale_factor", value=0),
        "a padding token far off": put("text_config", "pad_token_id", value=10**9),
        "a rope of no kind": put("text_config", "rope_parameters", value={"rope_type": "no"}),
        "a rope of nothing": put("text_config", "rope_parameters", value=[1]),
        "positions without end": put("text_config", "max_position_embeddings", value=10**15),
        "an activation of no kind": put("text_config", "hidden_act", value="os.system"),
        "a text model of another kind": put("text_config", "model_type", value="bert"),
        "a vision config that is none": put("vision_config", value=7),
        "a wider text": put("text_config", "intermediate_size", value=1032),
        "a type that is a list": put("model_type", value=["smolvlm"]),
        "deep": write("config.json", "[" * 100_000),
        "deep objects": write("config.json", '{"a":' * 100_000 + "1" + "}" * 100_000),
        "long": lambda folder: os.truncate(folder / "config.json", 2 << 30),
        "digits": write("config.json", '{"model_type": ' + "9" * 100_000 + "}"),
        "a pickle as config": write("config.json", pickle.dumps({})),
        "a long header": write(WEIGHTS, struct.pack("<Q", 2**63) + b"{}"),
        "a header of a gigabyte": write(WEIGHTS, struct.pack("<Q", 2**30) + b"{}"),
        "a deep header": write(WEIGHTS, header(b"[" * 100_000)),
        "a list as header": write(WEIGHTS, header([])),
        "no tensors": write(WEIGHTS, header({})),
        "a tensor of no bytes": write(WEIGHTS, header(_tensor([10**6, 10**6], 0, 0))),
        "a tensor out of the file": write(WEIGHTS, header(_tensor([4], 0, 16))),
        "a negative shape": write(WEIGHTS, header(_tensor([-4], 0, 16), bytes(16))),
        "a tensor backwards": write(WEIGHTS, header(_tensor([4], 16, 0), bytes(16))),
        "a tensor of another model": write(WEIGHTS, header(_tensor([4], 0, 16), bytes(16))),
        "a pickle as safetensors": write(WEIGHTS, pickle.dumps({"a": 1})),
        "a zip as safetensors": write(WEIGHTS, b"PK\3\4" + bytes(100)),
        "cut off": lambda folder: os.truncate(folder / WEIGHTS, 100_000),
        "empty": write(WEIGHTS, b""),
        "an index of a pickle": indexed("pytorch_model.bin"),
        "an index that climbs": indexed("../model.safetensors"),
        "an index of a root": indexed("/etc/model.safetensors"),
        "an index of a link": indexed("other.safetensors", link="/etc/hostname"),
        "an index of nothing": indexed("nothing.safetensors"),
        "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
        "no sizes of frames": lambda folder: (folder / "processor_config.json").unlink(),
        "frames without end": write(
            "processor_config.json", PROCESSOR.replace(": 64", f": {10**12}")
        ),
    }
    for name in ("pytorch_model.bin", "model.pt", "model.pth", "model.ckpt", "weights.pkl"):
        changes[name] = moved(name, pickle.dumps({"a": 1}))
    return changes


def _tensor(shape: list[int], start: int, end: int) -> dict[str, object]:
    return {"lm_head.weight": {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}}


@pytest.mark.parametrize("change", rows().values(), ids=rows().keys())
def test_a_hostile_checkpoint_is_refused(bounded: Do, checkpoint: Path, change: Change) -> None:
    change(checkpoint)
    refused(export(bounded, checkpoint), checkpoint)


def test_code_in_the_folder_is_not_run(bounded: Do, checkpoint: Path) -> None:
    """Neither what auto_map names, nor a pickle beside the weights, nor a module by its name."""
    mark = checkpoint.parent / "mark"
    program = f"import os; os.mkdir({str(mark)!r})"
    for name in ("modeling.py", "torch.py", "json.py", "processing.py", "sitecustomize.py"):
        (checkpoint / name).write_text(program, "utf-8")
    for key in ("AutoConfig", "AutoModelForImageTextToText"):
        put("auto_map", value={key: "modeling.Model"})(checkpoint)
    (checkpoint / "pytorch_model.bin").write_bytes(pickle.dumps(print))
    done = bounded(
        argv=["export", ".", "-o", "../out"], cwd=str(checkpoint), bytes=8 << 30, seconds=120
    )
    assert done.code == 0, done.err
    assert not mark.exists()

"""Tokens a second of our loop beside others', one thread, SmolLM2-135M's shape; off by default.

All take turns, each in a process of its own (contender.py); a peer that is not installed is left
out. CPU seconds, so that other work on the machine counts less. Behind each figure stands how fast
this core can read memory: a token needs every weight and every cached number once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from .contender import N_CONTEXT, N_TOKENS, Turn
from .gguf135m import write_gguf

ROUNDS = 5
LAYERS, KV, WIDTH = 30, 3, 64
CACHE = 2 * LAYERS * KV * WIDTH * 4 * (N_CONTEXT + N_TOKENS // 2)
GB = 1e9
# Targets: shares of the limit that memory sets, and times the speed of others.
FP32_SHARE, Q4_SHARE, TIMES_GENAI, TIMES_TRANSFORMERS = 0.70, 0.40, 0.95, 1.9

# q4 is 4 bits with 8 in the head, as --precision q4 exports it; the other is --head-bits 4. A peer
# is held against ours of the same bits.
HEAD_BITS = {"fp32": 32, "q4": 8, "q4 head4": 4}


@contextlib.contextmanager
def contender(kind: str, path: Path) -> Iterator[Turn]:
    """Open one; a call is its turn."""
    command = [sys.executable, Path(__file__).with_name("contender.py"), kind, path]
    single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **single},  # noqa: TID251 - and the rest
        cwd="/",
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == "ready"

        def turn() -> float:
            assert process.stdin is not None
            assert process.stdout is not None
            print(file=process.stdin, flush=True)
            return float(json.loads(process.stdout.readline()))

        yield turn
        process.stdin.close()


@pytest.fixture(scope="session")
def llama(model135m: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text part as a checkpoint of its own, with a tokenizer for who wants one."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("llama135m")
    model = LlamaForCausalLM(model135m.config.text_config).eval()
    model.model.load_state_dict(model135m.model.text_model.state_dict())
    model.tie_weights()
    model.save_pretrained(folder)
    words = Tokenizer(WordLevel({"a": 0, "b": 1, "c": 2}, unk_token="a"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="b", eos_token="c", pad_token="a"
    )
    tokenizer.save_pretrained(folder)
    return folder


def built_by_genai(checkpoint: Path, folder: Path, bits: str) -> Path:
    """A model of onnxruntime-genai's own builder; 4 bits in blocks of our size."""
    precision = "fp32" if bits == "fp32" else "int4"
    options = ["accuracy_level=4", "block_size=32"]
    if bits == "q4":
        # Of a table that the head shares, 0.18.0 then looks for weights that are not there.
        options += ["matmul_mixed_precision=last_matmul:int8", "shared_embeddings=false"]
    built = folder / f"genai-{bits.replace(' ', '-')}"
    words = ["builder", "-i", str(checkpoint), "-o", str(built), "-p", precision, "-e", "cpu"]
    words += ["-c", str(folder / "cache"), "--extra_options", "hf_token=false", *options]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(sys, "argv", words)
        runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__")
    assert head_bits(built / "model.onnx") == HEAD_BITS[bits]
    return built


def head_bits(path: Path) -> int:
    """Bits of the product that the logits come from, in a graph of anyone's."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    makers = {name: node for node in graph.node for name in node.output}
    node = makers["logits"]
    while node.op_type not in ("MatMul", "MatMulNBits"):
        node = makers[node.input[0]]
    given = [attribute.i for attribute in node.attribute if attribute.name == "bits"]
    return int(given[0]) if given else 32


def contenders(shape135m: Path, checkpoint: Path, folder: Path) -> dict[str, tuple[str, Path]]:
    """Kind and model of each, by name; models of others are made in ``folder``."""
    runs: dict[str, tuple[str, Path]] = {
        "small": ("small", folder),
        "large": ("large", folder),
        "transformers fp32": ("transformers", checkpoint),
    }
    for bits, wanted in HEAD_BITS.items():
        exported = shape135m / f"ort-{bits.replace(' ', '-')}"
        assert head_bits(exported / "decoder_model_merged.onnx") == wanted
        runs[f"ours {bits}"] = "ours", exported
        if importlib.util.find_spec("onnxruntime_genai"):
            runs[f"genai {bits}"] = "genai", built_by_genai(checkpoint, folder, bits)
    if importlib.util.find_spec("llama_cpp") and importlib.util.find_spec("gguf"):
        for bits, kind in (("fp32", "F32"), ("q4", "Q4_0")):
            write_gguf(checkpoint, folder / f"{kind}.gguf", kind)
            runs[f"llama.cpp {bits}"] = "llama", folder / f"{kind}.gguf"
    return runs


@pytest.mark.benchmark(group="decode, 135M shape, 512 tokens before")
def test_tokens_a_second_beside_others(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    shape135m: Path,
    llama: Path,
    tmp_path: Path,
) -> None:
    runs = contenders(shape135m, llama, tmp_path)
    found: dict[str, list[float]] = {name: [] for name in runs}
    with contextlib.ExitStack() as stack:
        turns = {name: stack.enter_context(contender(*run)) for name, run in runs.items()}

        def turn() -> None:
            for name, run in turns.items():
                found[name].append(run())

        turn()
        for values in found.values():
            values.clear()
        benchmark.pedantic(turn, rounds=ROUNDS)
    middle = {name: float(np.median(values)) for name, values in found.items()}
    limits = {
        name: middle["small"]
        / ((shape135m / f"ort-{name}/decoder_model_merged.onnx").stat().st_size + CACHE)
        for name in ("fp32", "q4")
    }
    tell(benchmark.extra_info, middle, limits)
    at_least("fp32 / the limit of memory", 1 / middle["ours fp32"] / limits["fp32"], FP32_SHARE)
    at_least("q4 / the limit of memory", 1 / middle["ours q4"] / limits["q4"], Q4_SHARE)
    for peer, wanted in (("transformers", TIMES_TRANSFORMERS), ("genai", TIMES_GENAI)):
        for bits in HEAD_BITS:
            if f"{peer} {bits}" in found:
                pairs = zip(found[f"{peer} {bits}"], found[f"ours {bits}"], strict=True)
                times = float(np.median([theirs / mine for theirs, mine in pairs]))
                at_least(f"tokens/s, ours {bits} / {peer}", times, wanted)


def tell(info: dict[str, Any], middle: Mapping[str, float], limits: Mapping[str, float]) -> None:
    """Medians for the benchmark's JSON file."""
    for name, value in middle.items():
        if name in ("small", "large"):
            info[f"read GB/s, {name} pages"] = round(value / GB, 1)
        else:
            info[f"tokens/s, {name}"] = round(1 / value, 1)
    info |= {f"limit tokens/s, {name}": round(limit, 1) for name, limit in limits.items()}

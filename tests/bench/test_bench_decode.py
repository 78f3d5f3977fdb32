"""Tokens a second of our loop beside others', one thread, SmolLM2-135M's shape; off by default.

All take turns in one process; a peer that is not installed is left out. CPU seconds, so that other
work on the machine counts less. Behind each figure stands how fast this core can read memory: a
token needs every weight and every cached number once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import mmap
import runpy
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from edgeval.engines import GraphFiles, open_graphs
from edgeval.generate import Ending, generate
from edgeval.types import Decoding

from .gguf135m import write_gguf

N_CONTEXT, N_TOKENS, ROUNDS = 512, 32, 5
LAYERS, KV, WIDTH = 30, 3, 64
CACHE = 2 * LAYERS * KV * WIDTH * 4 * (N_CONTEXT + N_TOKENS // 2)
GB = 1e9
# Targets: shares of the limit that memory sets, and times the speed of others.
FP32_SHARE, Q4_SHARE, TIMES_GENAI, TIMES_TRANSFORMERS = 0.70, 0.40, 0.95, 1.9

# q4 is 4 bits with 8 in the head, as --precision q4 exports it; the other is --head-bits 4. A peer
# is held against ours of the same bits.
HEAD_BITS = {"fp32": 32, "q4": 8, "q4 head4": 4}

Run = Callable[[], float]
IDS = np.random.default_rng(0).integers(10, 49000, N_CONTEXT)


def readable(advice: int | None) -> NDArray[np.float32]:
    """256 MiB in pages as malloc gives them, or with advice to the kernel."""
    memory = mmap.mmap(-1, 256 << 20)
    if advice is not None:
        memory.madvise(advice)
    numbers = np.frombuffer(memory, np.float32)
    numbers[:] = 1
    return numbers


def bandwidth(numbers: NDArray[np.float32]) -> float:
    """Bytes a second of one core: the better of two ways to read an array once."""
    rows, ones = numbers.reshape(-1, 1024), np.ones(1024, np.float32)
    best = 0.0
    for read in (lambda: rows @ ones, lambda: np.dot(numbers, numbers)):
        for _ in range(3):
            start = time.thread_time()
            read()
            best = max(best, numbers.nbytes / (time.thread_time() - start))
    return best


def ours(root: Path, bits: str) -> Run:
    """A token through generate(), behind a context that is forked."""
    folder = root / f"ort-{bits.replace(' ', '-')}"
    assert head_bits(folder / "decoder_model_merged.onnx") == HEAD_BITS[bits]
    graphs = open_graphs(
        "cpu",
        GraphFiles(
            vision=folder / "vision_encoder.onnx",
            embed=folder / "embed_tokens.onnx",
            decoder=folder / "decoder_model_merged.onnx",
            threads=1,
        ),
    )
    context = graphs.start(N_CONTEXT + N_TOKENS + 8)
    first = context.extend(graphs.embed(IDS.tolist())).copy()
    ending = Ending(eos_ids=frozenset(), max_new_tokens=N_TOKENS + 1, decode=str)

    def run() -> float:
        start = time.process_time()
        generate(context.fork(), first, Decoding(), ending)
        return (time.process_time() - start) / N_TOKENS

    return run


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


def transformers_eager(folder: Path) -> Run:
    import torch
    from transformers import LlamaForCausalLM

    model = LlamaForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    prompt = torch.from_numpy(IDS)[None]

    def run() -> float:
        with torch.inference_mode():
            out = model(prompt, logits_to_keep=1, use_cache=True)
            start = time.process_time()
            for _ in range(N_TOKENS):
                token = out.logits[:, -1].argmax(-1, keepdim=True)
                out = model(token, past_key_values=out.past_key_values, use_cache=True)
        return (time.process_time() - start) / N_TOKENS

    return run


def genai(checkpoint: Path, folder: Path, bits: str) -> Run:
    """onnxruntime-genai on a model of its own builder; 4 bits in blocks of our size."""
    import onnxruntime_genai as genai_package

    precision = "fp32" if bits == "fp32" else "int4"
    options = ["accuracy_level=4", "block_size=32"]
    if bits == "q4":
        # Of a table that the head shares, 0.18.0 then looks for weights that are not there.
        options += ["matmul_mixed_precision=last_matmul:int8", "shared_embeddings=false"]
    built = folder / f"genai-{bits}"
    words = ["builder", "-i", str(checkpoint), "-o", str(built), "-p", precision, "-e", "cpu"]
    words += ["-c", str(folder / "cache"), "--extra_options", "hf_token=false", *options]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(sys, "argv", words)
        runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__")
    assert head_bits(built / "model.onnx") == HEAD_BITS[bits]
    config = genai_package.Config(str(built))
    config.overlay('{"model":{"decoder":{"session_options":{"intra_op_num_threads":1}}}}')
    model = genai_package.Model(config)

    def run() -> float:
        params = genai_package.GeneratorParams(model)
        params.set_search_options(max_length=N_CONTEXT + N_TOKENS + 8, do_sample=False)
        generator = genai_package.Generator(model, params)
        generator.append_tokens(IDS.astype(np.int32))
        generator.generate_next_token()
        start = time.process_time()
        for _ in range(N_TOKENS):
            generator.generate_next_token()
        return (time.process_time() - start) / N_TOKENS

    return run


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


def llama_cpp(checkpoint: Path, folder: Path, kind: str) -> Run:
    """llama.cpp through llama-cpp-python; few bits with 8 in the table, which is also the head."""
    from llama_cpp import Llama

    path = folder / f"{kind}.gguf"
    write_gguf(checkpoint, path, kind)
    model = Llama(
        str(path), n_ctx=1024, n_threads=1, n_threads_batch=1, n_batch=N_CONTEXT, verbose=False
    )

    def run() -> float:
        model.reset()
        model.eval(IDS.tolist())
        start = time.process_time()
        for at in range(N_TOKENS):
            model.eval([100 + at])
        return (time.process_time() - start) / N_TOKENS

    return run


@pytest.mark.benchmark(group="decode, 135M shape, 512 tokens before")
def test_tokens_a_second_beside_others(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    shape135m: Path,
    llama: Path,
    tmp_path: Path,
) -> None:
    runs: dict[str, Run] = {
        **{f"ours {bits}": ours(shape135m, bits) for bits in HEAD_BITS},
        "transformers fp32": transformers_eager(llama),
    }
    if importlib.util.find_spec("onnxruntime_genai"):
        for bits in HEAD_BITS:
            runs[f"genai {bits}"] = genai(llama, tmp_path, bits)
    if importlib.util.find_spec("llama_cpp") and importlib.util.find_spec("gguf"):
        runs["llama.cpp fp32"] = llama_cpp(llama, tmp_path, "F32")
        runs["llama.cpp q4"] = llama_cpp(llama, tmp_path, "Q4_0")
    small, large = readable(None), readable(getattr(mmap, "MADV_HUGEPAGE", None))
    found: dict[str, list[float]] = {name: [] for name in (*runs, "small", "large")}

    def turn() -> None:
        for name, run in runs.items():
            found[name].append(run())
        found["small"].append(bandwidth(small))
        found["large"].append(bandwidth(large))

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

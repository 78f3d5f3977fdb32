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

N_CONTEXT, N_TOKENS, ROUNDS = 512, 32, 5
LAYERS, HEADS, KV, WIDTH = 30, 9, 3, 64
CACHE = 2 * LAYERS * KV * WIDTH * 4 * (N_CONTEXT + N_TOKENS // 2)
GB = 1e9
# Targets: shares of the limit that memory sets, and times the speed of others.
FP32_SHARE, Q4_SHARE, TIMES_GENAI, TIMES_TRANSFORMERS = 0.70, 0.40, 0.95, 1.9

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


def ours(folder: Path) -> Run:
    """A token through generate(), behind a context that is forked."""
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


def genai(checkpoint: Path, folder: Path, precision: str) -> Run:
    """onnxruntime-genai on a model of its own builder; 4 bits in blocks of our size."""
    import onnxruntime_genai as genai_package

    # rtn_last asks for a head of 8 bits, as ours has; 0.18.0 gives 4 for this model all the same.
    options = ["int4_accuracy_level=4", "int4_block_size=32", "int4_algo_config=rtn_last"]
    built = folder / f"genai-{precision}"
    words = ["builder", "-i", str(checkpoint), "-o", str(built), "-p", precision, "-e", "cpu"]
    words += ["-c", str(folder / "cache"), "--extra_options", "hf_token=false", *options]
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(sys, "argv", words)
        runpy.run_module("onnxruntime_genai.models.builder", run_name="__main__")
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


def write_gguf(checkpoint: Path, path: Path, kind: str) -> None:
    """The checkpoint in llama.cpp's format. Names: gguf 0.19, constants.py."""
    import gguf
    from safetensors.numpy import load_file

    weights = load_file(checkpoint / "model.safetensors")
    writer = gguf.GGUFWriter(path, "llama")
    put_sizes(writer, n_words=len(weights["model.embed_tokens.weight"]))

    def add(name: str, source: str, heads: int = 0) -> None:
        array = weights[source]
        if heads:  # Its rope turns neighbours, not halves.
            array = array.reshape(heads, 2, WIDTH // 2, -1).swapaxes(1, 2).reshape(array.shape)
        if array.ndim == 1 or kind == "F32":
            writer.add_tensor(name, np.ascontiguousarray(array, np.float32))
            return
        types = gguf.GGMLQuantizationType
        bits = types.Q8_0 if name == "token_embd.weight" else types[kind]
        writer.add_tensor(name, gguf.quantize(array, bits), raw_dtype=bits)

    add("token_embd.weight", "model.embed_tokens.weight")
    add("output_norm.weight", "model.norm.weight")
    for at in range(LAYERS):
        layer, block = f"model.layers.{at}.", f"blk.{at}."
        add(block + "attn_norm.weight", layer + "input_layernorm.weight")
        add(block + "ffn_norm.weight", layer + "post_attention_layernorm.weight")
        add(block + "attn_q.weight", layer + "self_attn.q_proj.weight", HEADS)
        add(block + "attn_k.weight", layer + "self_attn.k_proj.weight", KV)
        add(block + "attn_v.weight", layer + "self_attn.v_proj.weight")
        add(block + "attn_output.weight", layer + "self_attn.o_proj.weight")
        for part in ("gate", "up", "down"):
            add(f"{block}ffn_{part}.weight", f"{layer}mlp.{part}_proj.weight")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def put_sizes(writer: Any, *, n_words: int) -> None:
    """What llama.cpp asks of a file besides its weights."""
    writer.add_context_length(8192)
    writer.add_embedding_length(HEADS * WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(1536)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_rope_freq_base(100000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{at}" for at in range(n_words)])
    writer.add_token_types([1] * n_words)
    writer.add_token_merges(["t 0"])


@pytest.mark.benchmark(group="decode, 135M shape, 512 tokens before")
def test_tokens_a_second_beside_others(
    at_least: Callable[[str, float, float], None],
    benchmark: BenchmarkFixture,
    shape135m: Path,
    llama: Path,
    tmp_path: Path,
) -> None:
    runs: dict[str, Run] = {
        "ours fp32": ours(shape135m / "ort-fp32"),
        "ours q4": ours(shape135m / "ort-q4"),
        "transformers fp32": transformers_eager(llama),
    }
    if importlib.util.find_spec("onnxruntime_genai"):
        runs["genai fp32"] = genai(llama, tmp_path, "fp32")
        runs["genai q4"] = genai(llama, tmp_path, "int4")
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
        for bits in ("fp32", "q4"):
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

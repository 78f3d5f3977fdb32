"""One contender of test_bench_decode.py in a process of its own, as it is used; a turn a line.

``contender.py KIND PATH``: opens the model, then answers every line of stdin with what one turn
gave, as JSON: CPU seconds a token, or bytes a second that this core reads. Beside others in one
process, each would lie in memory that the others had cut up.
"""

from __future__ import annotations

import json
import mmap
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

N_CONTEXT, N_TOKENS = 512, 32
Turn = Callable[[], float]
IDS = np.random.default_rng(0).integers(10, 49000, N_CONTEXT)


def ours(folder: Path) -> Turn:
    """A token through generate(), behind a context that is forked."""
    from edgeval.engines import GraphFiles, open_graphs
    from edgeval.generate import Ending, generate
    from edgeval.types import Decoding

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


def transformers(folder: Path) -> Turn:
    """Eager attention, its own cache."""
    import torch

    from edgeval.export.checkpoint import without_broken_torchvision

    with without_broken_torchvision():
        from transformers import LlamaForCausalLM

    torch.set_num_threads(1)
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


def genai(folder: Path) -> Turn:
    """onnxruntime-genai on a folder of its own builder."""
    import onnxruntime_genai as genai_package

    config = genai_package.Config(str(folder))
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


def llama(path: Path) -> Turn:
    """llama.cpp through llama-cpp-python."""
    from llama_cpp import Llama

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


def small(path: Path) -> Turn:
    """Bandwidth over pages as malloc gives them."""
    del path
    return reading(None)


def large(path: Path) -> Turn:
    """Bandwidth over pages of 2 MiB, where the kernel has them."""
    del path
    return reading(getattr(mmap, "MADV_HUGEPAGE", None))


def reading(advice: int | None) -> Turn:
    """Bytes a second of one core over 512 MiB, as much as the weights: the better of two ways."""
    memory = mmap.mmap(-1, 512 << 20)
    if advice is not None:
        memory.madvise(advice)
    numbers: NDArray[np.float32] = np.frombuffer(memory, np.float32)
    numbers[:] = 1
    rows, ones = numbers.reshape(-1, 1024), np.ones(1024, np.float32)

    def run() -> float:
        best = 0.0
        for read in (lambda: rows @ ones, lambda: np.dot(numbers, numbers)):
            for _ in range(3):
                start = time.process_time()
                read()
                best = max(best, numbers.nbytes / (time.process_time() - start))
        return best

    return run


KINDS: Mapping[str, Callable[[Path], Turn]] = {
    "ours": ours,
    "transformers": transformers,
    "genai": genai,
    "llama": llama,
    "small": small,
    "large": large,
}


def main() -> None:
    """Ready once the model is open; then a turn for every line."""
    turn = KINDS[sys.argv[1]](Path(sys.argv[2]))
    tell("ready")
    for _ in sys.stdin:
        tell(turn())


def tell(what: str | float) -> None:
    """A line to the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

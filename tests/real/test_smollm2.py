"""Real weights through our exporter, our quantiser and our token loop.

SmolLM2-135M-Instruct; see smollm2.py. Bounds are about half as strict as what was seen
(docs/families.md, "Real weights").
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from edgeval.generate import Ending, generate
from edgeval.types import Decoding

pytest.importorskip("torch")

from .conftest import DYNAMIC, NAIVE, PRECISIONS, Real
from .smollm2 import find

QUESTION = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n"
END = 2


@pytest.fixture(scope="module")
def read(real: Real) -> Callable[[str], object]:
    """What a precision makes of the text, read once."""
    from edgeval.export import damage

    kept: dict[str, object] = {}

    def reader(precision: str) -> object:
        if precision not in kept:
            graphs = real.open(precision)
            kept[precision] = damage.read(graphs, real.ids, real.wanted.said)
            graphs.close()
        return kept[precision]

    return reader


@pytest.fixture(scope="module")
def lost(real: Real, read) -> Callable[[str], object]:
    from edgeval.export import damage

    return lambda precision: damage.compare(read(precision), real.wanted)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_it_answers_a_question(real, precision):
    graphs = real.open(precision)
    ids = real.tokenizer.encode(QUESTION)
    context = graphs.start(len(ids) + 40)
    first = context.extend(graphs.embed(ids))
    ending = Ending(eos_ids=frozenset({END}), max_new_tokens=40, decode=real.tokenizer.decode)
    said = generate(context, first, Decoding(), ending)
    assert "Paris" in said.text
    assert said.stop == ("length" if precision == "q4" else "eos")


def test_the_reference_reads_english(real):
    assert real.wanted.perplexity < 40


def test_fp32_is_the_checkpoint(lost):
    got = lost("fp32")
    assert got.agreement == 1
    assert got.parted == 64
    assert got.perplexity == pytest.approx(got.reference, rel=1e-4)


def test_int8_loses_next_to_nothing(lost):
    got = lost("int8")
    assert got.agreement > 0.9
    assert got.perplexity < 1.02 * got.reference


def test_q4_loses_some(lost):
    got = lost("q4")
    assert 0.6 < got.agreement < 0.9
    assert got.perplexity < 1.3 * got.reference


@pytest.mark.parametrize("naive", NAIVE)
def test_token_by_token_dynamic_int8_loses_more_than_ours(lost, naive):
    got, ours = lost(naive), lost("int8")
    assert got.agreement < ours.agreement - 0.03
    assert got.perplexity - got.reference > 2 * (ours.perplexity - ours.reference)


@pytest.fixture(scope="module")
def prompts(real) -> Callable[[str], object]:
    """What a precision makes of prompts that it reads in one call."""
    from edgeval.export import damage

    def reader(precision: str) -> object:
        graphs = real.open(precision)
        found = damage.read_prompts(graphs, real.ids, real.wanted)
        graphs.close()
        return found

    return reader


@pytest.mark.parametrize("naive", [*NAIVE, DYNAMIC])
def test_in_one_call_dynamic_int8_wrecks_a_prompt(prompts, naive):
    """One scale for all tokens of a call: whichever way its weights are rounded."""
    got = prompts(naive)
    assert got.perplexity > 1.3 * got.reference
    assert got.agreement < 0.8


def test_in_one_call_our_int8_does_not(prompts):
    got = prompts("int8")
    assert got.perplexity < 1.05 * got.reference
    assert got.agreement > 0.85


@pytest.mark.parametrize("precision", PRECISIONS)
def test_threads_and_sharing_change_no_bit(real, precision):
    """As tests/unit/engines/test_determinism.py, at real widths."""
    prefix, question = real.ids[:150], real.ids[150:190]
    rows = []
    for threads in (1, 2, 3):
        graphs = real.open(precision, threads)
        shared = graphs.start(300)
        shared.extend(graphs.embed(prefix))
        alone = graphs.start(300)
        logits = [
            shared.fork().extend(graphs.embed(question)).copy(),
            alone.extend(graphs.embed(prefix + question)).copy(),
            alone.step(int(real.ids[190])).copy(),
        ]
        assert logits[0].tobytes() == logits[1].tobytes()
        rows.append([one.tobytes() for one in logits])
        graphs.close()
    assert rows[0] == rows[1] == rows[2]


LLAMA = """
import json, sys
import numpy as np
from llama_cpp import Llama
model = Llama(sys.argv[1], n_ctx=512, n_threads=1, logits_all=True, verbose=False)
ids = json.loads(sys.argv[2])
text = model.tokenize(sys.argv[3].encode(), add_bos=False, special=True)[: len(ids)]
model.eval(ids)
print(json.dumps([text, np.array(model.scores[: len(ids)]).argmax(-1).tolist()]))
"""


def test_it_agrees_with_llama_cpp(real, read):
    """The same file read by llama.cpp, which multiplies in 8-bit whole numbers."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    from edgeval.export.damage import TEXT, n_prompt

    command = [sys.executable, "-c", LLAMA, str(find()), json.dumps(real.ids), TEXT]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tokens, choices = json.loads(done.stdout.splitlines()[-1])
    assert tuple(tokens) == real.ids
    theirs = np.array(choices[n_prompt(real.ids) - 1 : -1])
    assert len(theirs) >= 200
    assert np.mean(read("fp32").choices[: len(theirs)] == theirs) > 0.9

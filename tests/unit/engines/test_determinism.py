"""Which bits of the logits depend on what: the lines of docs/DETERMINISM.md, measured.

A decoder reads a prefix and three questions and answers each for some tokens; what is compared is
every bit of every logit on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeval.engines import Floats, GraphFiles, Graphs, open_graphs, rows_of
from edgeval.errors import EngineError

N_SAID = 12
RNG = np.random.default_rng(20)
PREFIX = tuple(int(token) for token in RNG.integers(8, 1000, 150))
QUESTIONS = tuple(tuple(int(t) for t in RNG.integers(8, 1000, n)) for n in (17, 40, 5))
EXACT = ("fp32", "int8", "int8-ort", "q4", "q4-plain")
DYNAMIC = "int8-dynamic"
# With GroupQueryAttention, which questions that are answered together need.
ROWS = ("fp32-rows", "int8-rows", "q4")
Logits = dict[int, tuple[Floats, ...]]


@pytest.fixture(scope="module")
def decoders(
    tiny: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], Path]:
    """The carried model's decoder in a precision; those that it does not carry are made here."""
    made: dict[str, Path] = {}
    folder = tmp_path_factory.mktemp("decoders")
    carried = {"fp32": "decoder_model_merged.onnx", "q4": "decoder_model_merged_q4.onnx"}

    def decoder(precision: str) -> Path:
        if precision in carried:
            return tiny / "onnx" / carried[precision]
        if precision == "fp32-rows":
            made[precision] = request.getfixturevalue("spread_out")
        if precision == "int8-rows" and precision not in made:
            (folder / "rows").mkdir(exist_ok=True)  # Left by one that was skipped.
            made[precision] = _make(decoder("fp32-rows"), "int8-ort", folder / "rows")
        if precision not in made:
            made[precision] = _make(tiny / "onnx" / carried["fp32"], precision, folder)
        return made[precision]

    return decoder


def _make(source: Path, precision: str, folder: Path) -> Path:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("torch")
    path = folder / f"{precision}.onnx"
    if precision == DYNAMIC:
        quantization = pytest.importorskip("onnxruntime.quantization")
        quantization.quantize_dynamic(
            source, path, weight_type=quantization.QuantType.QInt8, per_channel=True
        )
        return path
    from edgeval.export.late import Traced
    from edgeval.export.quantise import quantise

    bits, _, flavour = precision.partition("-")
    graph = Traced.of(onnx.load(source))
    quantised = quantise(graph, precision=bits, flavour=flavour or "plain")  # type: ignore[arg-type]
    path.write_bytes(quantised.whole().SerializeToString())
    return path


@pytest.fixture(scope="module")
def opened(tiny: Path, decoders: Callable[[str], Path]) -> Iterator[Callable[..., Graphs]]:
    """Graphs in a precision, with so many threads."""
    kept: dict[tuple[str, int], Graphs] = {}

    def opener(precision: str, threads: int = 1) -> Graphs:
        if (precision, threads) not in kept:
            kept[precision, threads] = open_graphs(
                "cpu",
                GraphFiles(
                    vision=tiny / "onnx/vision_encoder.onnx",
                    embed=tiny / "onnx/embed_tokens.onnx",
                    decoder=decoders(precision),
                    threads=threads,
                ),
            )
        return kept[precision, threads]

    yield opener
    for graphs in kept.values():
        graphs.close()


def answers(graphs: Graphs, order: tuple[int, ...] = (0, 1, 2), *, share: bool = True) -> Logits:
    """The logits of every step of every question, by question."""
    found: Logits = {}
    prefix = graphs.start(400)
    if share:
        prefix.extend(graphs.embed(PREFIX))
    for number in order:
        if share:
            context = prefix.fork()
            logits = context.extend(graphs.embed(QUESTIONS[number]))
        else:
            context = graphs.start(400)
            logits = context.extend(graphs.embed(PREFIX + QUESTIONS[number]))
        rows = [logits.copy()]
        for _ in range(N_SAID):
            rows.append(context.step(int(rows[-1].argmax())).copy())
        found[number] = tuple(rows)
    return found


def same(got: Logits, wanted: Logits) -> bool:
    return all(
        one.tobytes() == other.tobytes()
        for number in wanted
        for one, other in zip(got[number], wanted[number], strict=True)
    )


def furthest(got: Logits, wanted: Logits) -> float:
    """The largest difference after the question, before answers can part."""
    return max(float(np.abs(got[n][0] - wanted[n][0]).max()) for n in wanted)


@pytest.mark.parametrize("precision", [*EXACT, DYNAMIC])
def test_runs_change_no_bit(opened, precision):
    assert same(answers(opened(precision)), answers(opened(precision)))


@pytest.mark.parametrize("threads", [2, 3])
@pytest.mark.parametrize("precision", [*EXACT, DYNAMIC])
def test_threads_change_no_bit(opened, precision, threads):
    assert same(answers(opened(precision, threads)), answers(opened(precision)))


@pytest.mark.parametrize("precision", [*EXACT, DYNAMIC])
def test_the_order_of_questions_changes_no_bit(opened, precision):
    assert same(answers(opened(precision), (2, 0, 1)), answers(opened(precision)))


@pytest.mark.parametrize("precision", EXACT)
def test_sharing_changes_no_bit(opened, precision):
    assert same(answers(opened(precision)), answers(opened(precision), share=False))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", ROWS)
def test_questions_together_change_no_bit(opened, precision, threads):
    graphs = opened(precision, threads)
    prefix, rows = graphs.start(400), rows_of(graphs, len(QUESTIONS))
    prefix.extend(graphs.embed(PREFIX))
    found: dict[int, list[Floats]] = {}
    for number, question in enumerate(QUESTIONS):
        context = prefix.fork()
        found[number] = [context.extend(graphs.embed(question)).copy()]
        rows.add(context)
    for _ in range(N_SAID):
        said = rows.step([int(found[number][-1].argmax()) for number in found])
        for number, logits in enumerate(said):
            found[number].append(logits.copy())
    together = {number: tuple(logits) for number, logits in found.items()}
    assert same(together, answers(graphs))


@pytest.mark.parametrize("precision", EXACT)
def test_pieces_of_a_prefill_change_no_bit(opened, precision):
    graphs = opened(precision)
    whole = graphs.start(400).extend(graphs.embed(PREFIX)).copy()
    for cut in (2, 64, 149 - 1):
        context = graphs.start(400)
        context.extend(graphs.embed(PREFIX[:cut]))
        assert context.extend(graphs.embed(PREFIX[cut:])).tobytes() == whole.tobytes()


def test_questions_together_are_refused_for_dynamic_activations(opened):
    with pytest.raises(EngineError, match=r"DynamicQuantizeLinear.*depend on those beside it"):
        rows_of(opened(DYNAMIC), 2)


def test_sharing_moves_logits_of_dynamic_activations(opened):
    """Its scales are those of the whole call, so what else is in it counts."""
    graphs = opened(DYNAMIC)
    assert furthest(answers(graphs), answers(graphs, share=False)) > 1e-3


@pytest.mark.parametrize("precision", ["fp32", "q4"])
def test_single_steps_move_logits(opened, precision):
    """One row is multiplied in another order than many: a prompt is never read by single steps."""
    graphs = opened(precision)
    whole = graphs.start(400).extend(graphs.embed(PREFIX)).copy()
    context = graphs.start(400)
    context.extend(graphs.embed(PREFIX[:100]))
    for token in PREFIX[100:]:
        last = context.step(token)
    assert 0 < np.abs(last - whole).max() < (1e-4 if precision == "fp32" else 1.0)

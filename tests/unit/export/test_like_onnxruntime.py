"""Our quantiser beside onnxruntime's own: the same bits, and where not, which.

onnxruntime.quantization.matmul_nbits_quantizer (1.31), its default algorithm, on the same graph.
Ours goes layer by layer; theirs holds the model in memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("torch")
quantization = pytest.importorskip("onnxruntime.quantization")
nbits = pytest.importorskip("onnxruntime.quantization.matmul_nbits_quantizer")

from edgeval.engines import GraphFiles, open_graphs  # noqa: E402 - needs torch
from edgeval.export.joined import joined  # noqa: E402
from edgeval.export.late import Traced  # noqa: E402
from edgeval.export.product import Settings  # noqa: E402
from edgeval.export.quantise import HEAD, quantise  # noqa: E402
from edgeval.export.rounding import to_blocks  # noqa: E402

Model = onnx.ModelProto
RNG = np.random.default_rng(0)
DEPTH, WIDTH = 256, 48


def bfloat16(weight: np.ndarray) -> np.ndarray:
    """As checkpoints have it: many numbers lie halfway between two steps."""
    bits = weight.astype(np.float32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


WEIGHTS = {
    "normal": RNG.standard_normal((DEPTH, WIDTH)),
    "bfloat16": bfloat16(RNG.standard_normal((DEPTH, WIDTH))),
    "halves": RNG.integers(-16, 17, (DEPTH, WIDTH)) / 32,
    "ties of the largest": RNG.choice([-1, 1, 0.5], (DEPTH, WIDTH)),
    "blocks of zeros": np.where(
        (np.arange(DEPTH) > 150)[:, None], RNG.standard_normal((DEPTH, WIDTH)), 0.0
    ),
}


def product(weight: np.ndarray) -> Model:
    """A graph of one MatMul that is not the head."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "graph",
        [helper.make_tensor_value_info("x", floats, ["n", weight.shape[0]])],
        [helper.make_tensor_value_info("y", floats, ["n", weight.shape[1]])],
        [onnx.numpy_helper.from_array(weight.astype(np.float32), "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def ours(model: Model, precision: str, settings: Settings, flavour: str = "ort") -> Model:
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    few = quantise(Traced.of(copy), precision=precision, flavour=flavour, settings=settings)
    return few.whole()


def theirs(model: Model, bits: int, *, leave: tuple[str, ...] = (), **settings: object) -> Model:
    config = nbits.DefaultWeightOnlyQuantConfig(
        bits=bits, **{"block_size": 32, "is_symmetric": True, "accuracy_level": 4, **settings}
    )
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    quantiser = nbits.MatMulNBitsQuantizer(
        copy, bits=bits, nodes_to_exclude=list(leave), algo_config=config
    )
    quantiser.process()
    return quantiser.model.model


def constants(model: Model) -> dict[str, list[bytes]]:
    """The bytes of the weights that each node reads, by its output."""
    known = {t.name: onnx.numpy_helper.to_array(t).tobytes() for t in model.graph.initializer}
    return {
        node.output[0]: [known[name] for name in node.input if name in known]
        for node in model.graph.node
    }


def attributes(model: Model) -> dict[str, int]:
    (node,) = model.graph.node
    assert (node.domain, node.op_type) == ("com.microsoft", "MatMulNBits")
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


@pytest.mark.parametrize("block", [16, 32, 128])
@pytest.mark.parametrize(("precision", "bits"), [("q4", 4), ("int8", 8)])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_packed_weights_and_scales_are_the_same_bytes(kind, precision, bits, block):
    float_graph = product(WEIGHTS[kind])
    got = ours(float_graph, precision, Settings(block=block))
    wanted = theirs(float_graph, bits, block_size=block)
    assert constants(got) == constants(wanted)
    assert attributes(got) == attributes(wanted)


@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_the_accuracy_level_is_theirs(level):
    float_graph = product(WEIGHTS["normal"])
    got = ours(float_graph, "q4", Settings(accuracy=level))
    assert attributes(got) == attributes(theirs(float_graph, 4, accuracy_level=level))


def test_the_kernels_own_choice_is_written_down_and_left_out_by_them():
    float_graph = product(WEIGHTS["normal"])
    got = attributes(ours(float_graph, "q4", Settings(accuracy=0)))
    wanted = attributes(theirs(float_graph, 4, accuracy_level=0))
    assert got == {**wanted, "accuracy_level": 0}


@pytest.mark.parametrize(("precision", "bits"), [("q4", 4), ("int8", 8)])
def test_what_fills_the_last_block_differs_and_nothing_else(precision, bits):
    """Behind the last row ours have the number that stands for zero, theirs zero bytes."""
    depth = 100
    float_graph = product(WEIGHTS["normal"][:depth])
    (got,), (wanted,) = (
        constants(model).values()
        for model in (ours(float_graph, precision, Settings()), theirs(float_graph, bits))
    )
    assert got[1] == wanted[1]
    mine, yours = (numbers(packed[0], bits) for packed in (got, wanted))
    np.testing.assert_array_equal(mine[:, :depth], yours[:, :depth])
    assert np.unique(mine[:, depth:]).tolist() == [2 ** (bits - 1)]
    assert not yours[:, depth:].any()


def numbers(packed: bytes, bits: int) -> np.ndarray:
    """[WIDTH, K filled up], the first of two in the low half of a byte."""
    whole = np.frombuffer(packed, np.uint8).reshape(WIDTH, -1)
    return whole if bits == 8 else np.stack([whole & 15, whole >> 4], -1).reshape(WIDTH, -1)


def test_theirs_may_have_zero_points_and_ours_never_have():
    float_graph = product(WEIGHTS["normal"] + 1)
    (got,) = constants(ours(float_graph, "q4", Settings())).values()
    (wanted,) = constants(theirs(float_graph, 4, is_symmetric=False)).values()
    assert (len(got), len(wanted)) == (2, 3)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_plain_graph_is_theirs_but_for_exact_halves(kind):
    """Their other format rounds a half away from zero, ours upwards as in MatMulNBits."""
    float_graph = product(WEIGHTS[kind])
    got = ours(float_graph, "q4", Settings(), "plain")
    wanted = theirs(float_graph, 4, quant_format=nbits.QuantFormat.QDQ)
    assert [n.op_type for n in got.graph.node] == [n.op_type for n in wanted.graph.node]
    assert got.graph.node[0].attribute == wanted.graph.node[0].attribute
    mine, yours = (
        [onnx.numpy_helper.to_array(t) for t in m.graph.initializer] for m in (got, wanted)
    )
    scales = np.repeat(mine[1], 32, axis=0)
    np.testing.assert_array_equal(mine[1], yours[1])
    inverse = np.divide(1, scales, where=scales != 0, out=0 * scales)
    steps = WEIGHTS[kind].astype(np.float32) * inverse
    off = mine[0].astype(int) - yours[0].astype(int)
    halves = np.abs(steps - np.floor(steps) - 0.5) < 1e-6
    assert not off[~halves].any()
    assert np.isin(off, (0, 1)).all()
    if kind == "halves":
        assert off.mean() > 0.1


def test_calibration_is_our_own_and_moves_scales():
    weight = WEIGHTS["normal"].astype(np.float32)
    squares = np.square(RNG.standard_normal(DEPTH)).astype(np.float32)
    assert (to_blocks(weight, 4, 32, squares)[1] != to_blocks(weight, 4, 32)[1]).any()


@pytest.fixture(scope="module")
def decoder(tiny: Path) -> Model:
    """The carried model's, its products joined as for flavour ort."""
    return joined(Traced.of(onnx.load(tiny / "onnx/decoder_model_merged.onnx"))).whole()


def named(model: Model, output: str) -> str:
    (name,) = (node.name for node in model.graph.node if node.output[0] == output)
    return name


def test_a_whole_decoder_has_the_same_weights_and_logits(decoder, tiny, tmp_path):
    """Four bits, and the head in eight, which is ours: theirs goes over the graph twice for it."""
    products = [node for node in decoder.graph.node if node.op_type == "MatMul"]
    rest = tuple(node.name for node in products if node.output[0] != HEAD)
    wanted = theirs(theirs(decoder, 4, leave=(named(decoder, HEAD),)), 8, leave=rest)
    got = ours(decoder, "q4", Settings())
    mine, yours = constants(got), constants(wanted)
    assert sum(node.op_type == "MatMulNBits" for node in got.graph.node) > 8
    assert mine == yours
    logits = [reading(model, tiny, tmp_path / name) for model, name in ((got, "a"), (wanted, "b"))]
    assert logits[0].tobytes() == logits[1].tobytes()


def reading(model: Model, tiny: Path, path: Path) -> np.ndarray:
    """Logits behind forty tokens and one more."""
    path.write_bytes(model.SerializeToString())
    onnx_folder = tiny / "onnx"
    files = GraphFiles(
        vision=onnx_folder / "vision_encoder.onnx",
        embed=onnx_folder / "embed_tokens.onnx",
        decoder=path,
        threads=1,
    )
    graphs = open_graphs("cpu", files)
    context = graphs.start(50)
    first = context.extend(graphs.embed(list(range(10, 50)))).copy()
    return np.stack([first, context.step(7).copy()])


def test_dynamic_activations_are_those_of_quantize_dynamic(tiny, tmp_path):
    """Asked for with --activations dynamic: their per_channel form, weight by weight."""
    path = tiny / "onnx/decoder_model_merged.onnx"
    quantization.quantize_dynamic(
        path,
        tmp_path / "b",
        op_types_to_quantize=["MatMul"],
        weight_type=quantization.QuantType.QInt8,
        per_channel=True,
    )
    got = ours(onnx.load(path), "int8", Settings(dynamic=True), "plain")
    wanted = onnx.load(tmp_path / "b")
    mine, yours = (whole_numbers(model) for model in (got, wanted))
    assert len(mine) > 8
    assert mine == yours
    logits = [reading(model, tiny, tmp_path / name) for model, name in ((got, "a"), (wanted, "b"))]
    assert logits[0].tobytes() == logits[1].tobytes()


def whole_numbers(model: Model) -> list[bytes]:
    """The weights that are multiplied as whole numbers, and the scales of their columns."""
    known = {t.name: onnx.numpy_helper.to_array(t).tobytes() for t in model.graph.initializer}
    read = [
        name
        for node in model.graph.node
        if node.op_type in ("MatMulInteger", "Mul")
        for name in node.input
    ]
    return sorted(known[name] for name in read if name in known)

"""Weights in fewer bits: near the weights they stand for, in operators of the flavour."""

from __future__ import annotations

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

from edgeval.export import quantise  # noqa: E402 - needs onnx
from edgeval.export.late import Traced  # noqa: E402
from edgeval.export.product import Settings  # noqa: E402
from edgeval.export.rounding import to_blocks  # noqa: E402

DEPTH, WIDTH = 96, 40


def product(weight: np.ndarray) -> onnx.ModelProto:
    """A graph of one MatMul whose output is not the head."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "graph",
        [helper.make_tensor_value_info("x", floats, ["n", weight.shape[0]])],
        [helper.make_tensor_value_info("y", floats, ["n", weight.shape[1]])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def quantised(weight: np.ndarray, precision: str, flavour: str) -> onnx.ModelProto:
    traced = Traced.of(product(weight.copy()))
    return quantise.quantise(traced, precision=precision, flavour=flavour).whole()


@pytest.fixture(scope="module")
def weight() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((DEPTH, WIDTH)).astype(np.float32)


def unpacked(model: onnx.ModelProto) -> np.ndarray:
    """The weights as the graph applies them: its output for unit vectors."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (out,) = session.run(None, {"x": np.eye(DEPTH, dtype=np.float32)})
    return out


@pytest.mark.parametrize("flavour", ["plain", "ort"])
@pytest.mark.parametrize(("precision", "largest"), [("int8", 0.02), ("q4", 0.35)])
def test_weights_move_by_less_than_a_step(weight, precision, flavour, largest):
    model = quantised(weight, precision, flavour)
    onnx.checker.check_model(model)
    assert np.abs(unpacked(model) - weight).max() < largest


@pytest.mark.parametrize("precision", ["int8", "q4"])
def test_plain_graphs_have_standard_operators_only(weight, precision):
    model = quantised(weight, precision, "plain")
    assert {node.op_type for node in model.graph.node} == {"DequantizeLinear", "MatMul"}
    assert {entry.domain for entry in model.opset_import} == {""}


def test_plain_8_bits_stay_in_opset_18(weight):
    model = quantised(weight, "int8", "plain")
    assert [entry.version for entry in model.opset_import] == [18]


@pytest.mark.parametrize("flavour", ["plain", "ort"])
def test_smaller_blocks_are_nearer(weight, flavour):
    off = []
    for block in (16, 32, 96):
        traced = Traced.of(product(weight.copy()))
        settings = Settings(block=block if flavour == "plain" or block < 96 else 128)
        few = quantise.quantise(traced, precision="q4", flavour=flavour, settings=settings)
        off.append(float(np.square(unpacked(few.whole()) - weight).mean()))
    assert off == sorted(off)
    assert off[0] < 0.8 * off[-1]


def test_the_accuracy_level_is_written_down(weight):
    settings = Settings(accuracy=1)
    traced = Traced.of(product(weight.copy()))
    few = quantise.quantise(traced, precision="q4", flavour="ort", settings=settings)
    (node,) = few.model.graph.node
    assert onnx.helper.get_node_attr_value(node, "accuracy_level") == 1


def test_the_float_weight_is_gone(weight):
    model = quantised(weight, "q4", "ort")
    assert sum(len(w.raw_data) for w in model.graph.initializer) < weight.nbytes / 4


def test_full_precision_is_left_alone(weight):
    before = product(weight.copy())
    assert quantised(weight, "fp32", "ort").SerializeToString() == before.SerializeToString()


def test_the_largest_weight_of_a_block_is_kept_exactly():
    weight = np.linspace(-1, 3, 32, dtype=np.float32)[:, None]
    numbers, scales = to_blocks(weight, 4)
    assert (numbers[0, 0] * scales[0, 0])[-1] == 3.0


def test_a_block_of_zeros_stays_zero():
    numbers, scales = to_blocks(np.zeros((64, 3), np.float32), 8)
    assert not numbers.any()
    assert not scales.any()


def test_a_depth_that_fills_no_block_is_filled_with_zeros():
    weight = np.ones((40, 2), np.float32)
    numbers, _ = to_blocks(weight, 8)
    assert numbers.shape == (2, 2, 32)
    assert not numbers[:, 1, 8:].any()

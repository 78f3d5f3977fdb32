"""The operators TensorRT takes, by version, against its table and our graphs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.engines.trt import building, graphfile, operators
from edgeval.engines.trt.graphfile import GraphFile, Operation, Port
from edgeval.engines.trt.operators import objections
from edgeval.errors import EngineError

VERSIONS = ((10, 3), (10, 16), (11, 0))


def graph(*operations: Operation, opset: int = 18, dtype: str = "float32") -> GraphFile:
    port = Port(dtype=dtype, shape=(1,))
    return GraphFile(
        path=Path("g.onnx"),
        opset=opset,
        inputs={"x": port},
        outputs={"y": port},
        operations=operations,
        data=(),
    )


def node(op: str, domain: str = "", inputs=("x",), outputs=("y",)) -> Operation:
    return Operation(op=op, domain=domain, inputs=inputs, outputs=outputs, wholes={})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["vision_encoder", "embed_tokens", "decoder_model_merged"])
def test_the_carried_plain_graphs_are_taken(tiny, name, version):
    assert objections(graphfile.read(tiny / "onnx" / f"{name}.onnx"), version) == []


def test_a_graph_for_onnxruntime_is_refused_in_one_sentence(tiny):
    with pytest.raises(EngineError, match=r"^engine trt: [^\n]*MatMulNBits[^\n]*plain"):
        building.source("decoder", tiny / "onnx" / "decoder_model_merged_q4.onnx", (10, 3))


@pytest.mark.parametrize("op", ["If", "Loop", "Scan", "NonZero", "SequenceAt", "Unique"])
def test_what_has_no_place_in_an_engine_is_named(op):
    assert op in " ".join(objections(graph(node(op)), (11, 0)))


@pytest.mark.parametrize(
    ("op", "first"), [("Attention", (10, 14)), ("TensorScatter", (10, 15)), ("Swish", (11, 0))]
)
def test_newer_operators_are_taken_from_their_version_on(op, first):
    assert objections(graph(node(op)), first) == []
    assert objections(graph(node(op)), (10, 3))


def test_attention_with_a_past_is_refused():
    with_past = node("Attention", inputs=("q", "k", "v", "", "past_k", "past_v"))
    assert objections(graph(with_past), (11, 0))
    assert objections(graph(node("Attention", outputs=("y", "present_k"))), (11, 0))


@pytest.mark.parametrize(("opset", "version"), [(21, (10, 3)), (23, (10, 9)), (25, (11, 0))])
def test_newer_sets_of_operators_are_refused(opset, version):
    assert f"opset {opset}" in objections(graph(opset=opset), version)[0]
    assert objections(graph(opset=opset - 1), version) == []


def test_float64_is_refused():
    assert "float64" in objections(graph(dtype="float64"), (11, 0))[0]


def test_our_table_is_the_parsers(shared):
    """Every operator that the parser's own table takes, but for those that are too slow."""
    path = shared / "prototypes" / "tensorrt" / "onnx_trt_ops.json"
    table = json.loads(path.read_text("utf-8"))
    since = {
        op: tuple(map(int, row["since"].split(".")))
        for op, row in table.items()
        if row["ok"] and "since" in row
    }
    assert dict(operators.SINCE) == since
    taken = {op for op, row in table.items() if row["ok"]} - set(since) - set(operators.SLOW)
    assert taken >= operators.TAKEN
    left_out = {"ImageScaler", "ParametricSoftplus", "ScaledTanh"}
    assert {op for op in taken - operators.TAKEN if "Random" not in op} == left_out

"""Graphs that round activations by scales of the whole call, told by their operators."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.errors import ManifestError
from edgeval.modelfolder.dynamic import dynamic_operators


def field(number: int, payload: bytes) -> bytes:
    """One length-delimited protobuf field of at most 16,383 bytes."""
    size = len(payload)
    return varint(number << 3 | 2) + varint(size) + payload


def varint(value: int) -> bytes:
    """A number of at most 14 bits."""
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80, value >> 7])


def node(operator: str, inner: bytes = b"") -> bytes:
    return field(1, field(4, operator.encode()) + inner)


def branch(body: bytes) -> bytes:
    """An attribute of a node that holds a graph."""
    return field(5, field(1, b"then_branch") + field(6, body))


@pytest.fixture
def of(tmp_path: Path):
    """Operators found in a file of so many bytes."""

    def found(content: bytes) -> tuple[str, ...]:
        path = tmp_path / "graph.onnx"
        path.write_bytes(content)
        return dynamic_operators(path)

    return found


@pytest.mark.parametrize("name", ["decoder_model_merged", "decoder_model_merged_q4"])
def test_the_carried_decoders_have_none(tiny, name):
    assert dynamic_operators(tiny / f"onnx/{name}.onnx") == ()


@pytest.mark.parametrize(
    "operator",
    ["DynamicQuantizeLinear", "MatMulInteger", "DynamicQuantizeMatMul", "MatMulIntegerToFloat"],
)
def test_each_operator_is_found(of, operator):
    assert of(field(7, node("Add") + node(operator))) == (operator,)


def test_constant_scales_are_not(of):
    assert of(field(7, node("QuantizeLinear") + node("MatMulNBits"))) == ()


def test_found_in_both_branches_of_an_if(of):
    body = node("If", branch(node("MatMulInteger")) + branch(node("DynamicQuantizeLinear")))
    assert of(field(7, body)) == ("DynamicQuantizeLinear", "MatMulInteger")


def test_found_in_a_function_of_the_model(of):
    function = field(25, field(7, field(4, b"MatMulInteger")))
    assert of(field(7, node("Own")) + function) == ("MatMulInteger",)


def test_what_is_no_graph_is_an_error(of):
    with pytest.raises(ManifestError, match="not an ONNX file"):
        of(b"\x3a\xff")


def test_graphs_in_graphs_without_end_are_an_error(of):
    body = node("If")
    for _ in range(30):
        body = node("If", branch(body))
    with pytest.raises(ManifestError, match="nested too deep"):
        of(field(7, body))

"""Ports, operators and weights of a graph, as the onnx package reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval.engines.trt import graphfile, rows
from edgeval.errors import ManifestError

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def outside(plain, tmp_path_factory) -> Path:
    """The carried decoder with its weights in a file beside it."""
    path: Path = tmp_path_factory.mktemp("outside") / "decoder.onnx"
    onnx.save_model(
        onnx.load(plain.path),
        str(path),
        save_as_external_data=True,
        location="decoder.onnx_data",
        size_threshold=1024,
    )
    return path


def test_a_graph_reads_as_onnx_reads_it(plain):
    model = onnx.load(plain.path, load_external_data=False)
    assert plain.opset == model.opset_import[0].version
    nodes = [(n.op_type, n.domain, tuple(n.input), tuple(n.output)) for n in model.graph.node]
    assert [(o.op, o.domain, o.inputs, o.outputs) for o in plain.operations] == nodes
    for port in model.graph.input:
        kind = port.type.tensor_type
        shape = tuple(d.dim_param or d.dim_value for d in kind.shape.dim)
        assert plain.inputs[port.name].shape == shape
        dtype = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        assert plain.inputs[port.name].dtype == dtype


def test_weights_outside_are_named_and_hashed(outside):
    graph = graphfile.read(outside)
    assert [path.name for path in graph.data] == ["decoder.onnx_data"]
    assert set(graph.digests()) == {"decoder.onnx", "decoder.onnx_data"}


def test_weights_outside_stay_there_when_the_decoder_is_rewritten(plain, outside):
    small = rows.rewritten(graphfile.read(outside))
    assert len(small) < 100_000 < len(rows.rewritten(plain))
    model = onnx.load_model_from_string(small)
    onnx.external_data_helper.load_external_data_for_model(model, str(outside.parent))
    onnx.checker.check_model(model)


def test_the_rewritten_decoder_is_sound(plain):
    onnx.checker.check_model(onnx.load_model_from_string(rows.rewritten(plain)), full_check=True)


def test_weights_that_are_missing_are_named(outside, tmp_path):
    alone = tmp_path / outside.name
    alone.write_bytes(outside.read_bytes())
    with pytest.raises(ManifestError, match=r"decoder\.onnx_data are missing"):
        graphfile.read(alone)

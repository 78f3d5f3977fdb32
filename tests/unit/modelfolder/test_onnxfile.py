"""The reader of ONNX files against files of the carried model and against broken ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeval.errors import ManifestError
from edgeval.modelfolder import onnxfile


def field(number: int, payload: bytes) -> bytes:
    """One length-delimited protobuf field of at most 127 bytes."""
    return bytes([number << 3 | 2, len(payload)]) + payload


def number(field_number: int, value: int) -> bytes:
    """One small whole-number protobuf field."""
    return bytes([field_number << 3, value])


def lookup(location: str) -> bytes:
    """A Gather over a [2, 3] float32 table that lies in another file, 4 bytes in."""
    pairs = (("location", location), ("offset", "4"), ("length", "24"))
    external = b"".join(
        field(13, field(1, key.encode()) + field(2, value.encode())) for key, value in pairs
    )
    table = number(1, 2) + number(1, 3) + number(2, 1) + field(8, b"table") + external
    node = field(1, b"table") + field(1, b"input_ids") + field(4, b"Gather")
    return field(7, field(1, node) + field(5, table))


def test_the_carried_vision_graph_is_outlined(tiny):
    graph = onnxfile.read(tiny / "onnx/vision_encoder.onnx")
    assert graph.inputs == ("pixel_values", "pixel_attention_mask")
    assert graph.outputs == ("image_features",)
    assert "Conv" in {node.op for node in graph.nodes}


def test_the_outline_equals_that_of_the_onnx_package(tiny):
    onnx = pytest.importorskip("onnx")
    path = tiny / "onnx/decoder_model_merged.onnx"
    want = onnx.load(path).graph
    got = onnxfile.read(path)
    assert got.inputs == tuple(port.name for port in want.input)
    assert [node.op for node in got.nodes] == [node.op_type for node in want.node]
    assert {w.name: w.shape for w in got.weights.values()} == {
        w.name: tuple(w.dims) for w in want.initializer
    }


def test_a_lookup_table_is_mapped_from_the_file(tiny):
    table = onnxfile.lookup_table(tiny / "onnx/embed_tokens.onnx")
    assert isinstance(table, np.memmap)
    assert table.shape == (1032, 128)


def test_a_graph_that_is_more_than_a_lookup_has_no_table(tiny):
    assert onnxfile.lookup_table(tiny / "onnx/vision_encoder.onnx") is None


def test_weights_in_another_file_are_found(tmp_path):
    path = tmp_path / "embed.onnx"
    path.write_bytes(lookup("embed.onnx_data"))
    values = np.arange(7, dtype="<f4")
    (tmp_path / "embed.onnx_data").write_bytes(values.tobytes())
    table = onnxfile.lookup_table(path)
    assert table is not None
    assert table.tolist() == values[1:].reshape(2, 3).tolist()


def test_weights_outside_the_folder_are_refused(tmp_path):
    path = tmp_path / "embed.onnx"
    path.write_bytes(lookup("../secret"))
    with pytest.raises(ManifestError, match="outside the folder"):
        onnxfile.read(path)


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"PK\x03\x04 zip", b"\x3a\x7f"])
def test_what_is_not_onnx_is_named(tmp_path: Path, data: bytes):
    path = tmp_path / "x.onnx"
    path.write_bytes(data)
    with pytest.raises(ManifestError, match="not an ONNX file"):
        onnxfile.read(path)


def test_a_file_cut_anywhere_is_an_error_or_an_outline_never_a_crash(tiny, tmp_path):
    whole = (tiny / "onnx/embed_tokens.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    for length in (1, 2, 7, 60, 100, 1000, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ManifestError):
            onnxfile.read(path)

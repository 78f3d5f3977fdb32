"""The decoder rewritten to rows: the same ports and nodes but for the cache's."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from edgeval.engines.trt import graphfile, rows
from edgeval.errors import EngineError


@pytest.fixture(scope="module")
def written(plain, tmp_path_factory) -> graphfile.GraphFile:
    path = tmp_path_factory.mktemp("rows") / "decoder.onnx"
    path.write_bytes(rows.rewritten(plain))
    return graphfile.read(path)


def test_the_file_has_the_ports_that_are_promised(plain, written):
    inputs, outputs = rows.ports(plain)
    assert (written.inputs, written.outputs) == (inputs, outputs)


def test_no_node_is_lost_or_changed(plain, written):
    added = [node for node in written.operations if node not in plain.operations]
    assert len(written.operations) == len(plain.operations) + len(added)
    assert {node.op for node in added} == {"Transpose"}
    assert len(added) == 2 * len(rows.caches(plain))


def test_the_rows_are_the_end_of_the_present(plain):
    """The plain graph's present, turned and cut, to the bit."""
    rng = np.random.default_rng(2)
    n_past, n_new, wide = 5, 3, plain.inputs["inputs_embeds"].fixed(2, "")
    feeds = {
        "inputs_embeds": rng.standard_normal((1, n_new, wide)).astype(np.float32),
        "attention_mask": np.ones((1, n_past + n_new), np.int64),
        "position_ids": np.arange(n_past, n_past + n_new)[None],
        "num_logits_to_keep": np.array(1),
    }
    plain_feeds, rows_feeds = dict(feeds), dict(feeds)
    for cache in rows.caches(plain):
        past = rng.standard_normal((1, cache.heads, n_past, cache.width)).astype(np.float32)
        plain_feeds[rows.PAST + cache.name] = past
        rows_feeds[cache.past_rows] = np.ascontiguousarray(past.transpose(0, 2, 1, 3))
    provider = ["CPUExecutionProvider"]
    whole = onnxruntime.InferenceSession(str(plain.path), providers=provider)
    ours = onnxruntime.InferenceSession(rows.rewritten(plain), providers=provider)
    for cache in rows.caches(plain):
        (present,) = whole.run([rows.PRESENT + cache.name], plain_feeds)
        (new,) = ours.run([cache.rows], rows_feeds)
        np.testing.assert_array_equal(new, present[:, :, n_past:].transpose(0, 2, 1, 3))
    np.testing.assert_array_equal(
        ours.run(["logits"], rows_feeds)[0], whole.run(["logits"], plain_feeds)[0]
    )


def test_a_decoder_of_another_flavour_is_refused(tiny):
    other = graphfile.read(tiny / "onnx" / "decoder_model_merged_q4.onnx")
    with pytest.raises(EngineError, match="--flavour plain"):
        rows.caches(other)


def test_a_graph_without_a_cache_is_refused(tiny):
    with pytest.raises(EngineError, match="no decoder"):
        rows.caches(graphfile.read(tiny / "onnx" / "vision_encoder.onnx"))

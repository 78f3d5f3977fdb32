"""The decoder rewritten to keep its cache in place: the same logits, whatever lies beyond them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime
import pytest

from edgeval.engines.trt import graphfile, operators, profiles, rows, scatter
from edgeval.engines.trt.graphfile import GraphFile, Operation
from edgeval.errors import EngineError

CONTEXT = 24
PROVIDER = ["CPUExecutionProvider"]


@pytest.fixture(scope="module")
def written(plain, tmp_path_factory) -> GraphFile:
    path = tmp_path_factory.mktemp("scatter") / "decoder.onnx"
    path.write_bytes(scatter.rewritten(plain, CONTEXT))
    return graphfile.read(path)


def test_the_file_has_the_ports_that_are_promised_and_no_open_cache(plain, written):
    inputs, outputs = scatter.ports(plain)
    caches = rows.caches(plain)
    assert (set(written.inputs), set(written.outputs)) == (set(inputs), set(outputs))
    for cache in caches:
        for port in (written.inputs[cache.past], written.outputs[cache.present]):
            assert port.shape == (1, cache.heads, CONTEXT, cache.width)
    assert written.inputs["past_length"] == inputs["past_length"]
    assert written.inputs["attention_mask"].shape[-1] == CONTEXT


def test_joins_are_scatters_and_no_other_node_is_lost(plain, written):
    n_caches = len(rows.caches(plain))
    added = [node for node in written.operations if node not in plain.operations]
    lost = [node.op for node in plain.operations if node not in written.operations]
    assert [node.op for node in added].count("TensorScatter") == n_caches
    assert {node.op for node in added} == {"TensorScatter", "Identity", "Add"}
    assert (lost.count("Concat"), set(lost)) == (n_caches, {"Concat", "Add"})
    assert len(written.operations) == len(plain.operations)


def test_the_operators_are_those_of_10_15_and_not_of_10_14(written):
    assert written.opset == 24
    assert operators.objections(written, (10, 15)) == []
    assert operators.objections(written, (10, 14)) == ["TensorScatter (from 10.15 on)"]


def session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=PROVIDER)


def test_prefill_in_pieces_and_steps_give_the_plain_graphs_logits_and_rows(plain, tensor_scatter):
    """Rows beyond the last token hold numbers of no meaning, and are never seen."""
    rng = np.random.default_rng(3)
    wide = plain.inputs["inputs_embeds"].fixed(2, "")
    caches = rows.caches(plain)
    theirs, ours = session(plain.path.read_bytes()), session(scatter.rewritten(plain, CONTEXT))
    past = {c.past: np.zeros((1, c.heads, 0, c.width), np.float32) for c in caches}
    kept = {
        c.past: rng.standard_normal((1, c.heads, CONTEXT, c.width)).astype(np.float32) * 9
        for c in caches
    }
    names = ["logits", *(cache.present for cache in caches)]
    n_past = 0
    for n_new in (7, 5, 1, 1, 1, 9):
        feeds = {
            "inputs_embeds": rng.standard_normal((1, n_new, wide)).astype(np.float32),
            "position_ids": np.arange(n_past, n_past + n_new)[None],
            "num_logits_to_keep": np.array(1),
        }
        seen = np.ones((1, n_past + n_new), np.int64)
        want, *present = theirs.run(names, {**feeds, **past, "attention_mask": seen})
        got, *held = ours.run(
            names,
            {
                **feeds,
                **kept,
                "attention_mask": np.ones((1, CONTEXT), np.int64),
                "past_length": np.array([n_past]),
            },
        )
        n_past += n_new
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-4)
        for cache, longer, whole in zip(caches, present, held, strict=True):
            np.testing.assert_allclose(whole[:, :, :n_past], longer, rtol=0, atol=1e-4)
            np.testing.assert_array_equal(whole[:, :, n_past:], kept[cache.past][:, :, n_past:])
        past = {cache.past: array for cache, array in zip(caches, present, strict=True)}
        kept = {cache.past: array for cache, array in zip(caches, held, strict=True)}
    assert n_past == CONTEXT


def with_node(graph: GraphFile, op: str, *inputs: str, **wholes: int) -> GraphFile:
    node = Operation(op=op, domain="", inputs=inputs, outputs=("new",), wholes=wholes)
    return replace(graph, operations=(*graph.operations, node))


def length_of_the_past(graph: GraphFile) -> str:
    return next(
        node.outputs[0]
        for node in graph.operations
        if node.op == "Shape" and node.wholes == {"start": 2, "end": 3}
    )


def test_a_length_used_in_a_way_that_is_not_known_is_refused(plain):
    strange = with_node(plain, "Mul", length_of_the_past(plain), "x")
    with pytest.raises(EngineError, match=r"Mul new takes the length.*use --engine trt$"):
        scatter.changes(strange)


@pytest.mark.parametrize("wholes", [{}, {"start": 1, "end": 3}, {"start": 2}])
def test_a_shape_that_holds_the_length_among_others_is_refused(plain, wholes):
    strange = with_node(plain, "Shape", rows.caches(plain)[0].past, **wholes)
    with pytest.raises(EngineError, match="Shape new takes the length"):
        scatter.changes(strange)


def test_a_graph_that_does_not_ask_for_the_length_is_refused(plain):
    kept = tuple(node for node in plain.operations if node.op != "Shape")
    with pytest.raises(EngineError, match="nothing is reckoned"):
        scatter.changes(replace(plain, operations=kept))


def test_profiles_of_a_cache_in_place_have_one_size_of_it(plain):
    inputs, _ = scatter.ports(plain)
    prefill, decode = profiles.decoder_profiles(inputs, 2048)
    for profile in (prefill, decode):
        for name, sizes in {
            "past_key_values.0.key": (1, 4, 2048, 32),
            "attention_mask": (1, 2048),
            "past_length": (1,),
        }.items():
            span = profile.shapes[name]
            assert {span.low, span.best, span.high} == {sizes}
    assert str(prefill) == (
        "prefill: inputs_embeds 1x1..1024 (1024)x128, position_ids 1x1..1024 (1024), "
        "past_key_values.* 1x4x2048x32"
    )
    assert str(decode) == "decode: past_key_values.* 1x4x2048x32"

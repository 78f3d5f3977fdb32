"""Decoders as others publish them: other ports, the same answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.engines import Floats, GraphFiles, open_graphs
from edgeval.errors import ManifestError

onnx = pytest.importorskip("onnx")

PROMPT, MORE = tuple(range(20, 60)), tuple(range(100, 117))
N_SAID = 6


@pytest.fixture
def logits(tiny: Path, tmp_path: Path) -> Callable[[Callable[[Any], None]], Floats]:
    """All logits of a prompt, of more of it and of some answers, by a changed decoder."""

    def of(change: Callable[[Any], None]) -> Floats:
        model = onnx.load(tiny / "onnx/decoder_model_merged.onnx")
        change(model)
        path = tmp_path / "decoder.onnx"
        path.write_bytes(model.SerializeToString())
        graphs = open_graphs(
            "cpu",
            GraphFiles(
                vision=tiny / "onnx/vision_encoder.onnx",
                embed=tiny / "onnx/embed_tokens.onnx",
                decoder=path,
                threads=1,
            ),
        )
        context = graphs.start(100)
        rows = [context.extend(graphs.embed(PROMPT)).copy()]
        rows.append(context.extend(graphs.embed(MORE)).copy())
        for token in range(200, 200 + N_SAID):
            rows.append(context.step(token).copy())
        graphs.close()
        return np.stack(rows)

    return of


def as_it_is(model: Any) -> None:
    del model


def merged(model: Any) -> None:
    """Two branches of an If: with an empty cache in the place of the past, and with the past."""
    graph, helper = model.graph, onnx.helper
    nodes, outputs = list(graph.node), list(graph.output)
    past = {port.name: port for port in graph.input if port.name.startswith("past_key_values.")}

    def branch(name: str, renamed: dict[str, str], first: list[Any]) -> Any:
        inner = [type(node).FromString(node.SerializeToString()) for node in nodes]
        made = {output for node in inner for output in node.output if output}
        names = {**{output: f"{name}.{output}" for output in made}, **renamed}
        for node in inner:
            node.name = ""
            node.input[:] = [names.get(port, port) for port in node.input]
            node.output[:] = [names.get(port, port) for port in node.output]
        ports = [type(port).FromString(port.SerializeToString()) for port in outputs]
        for port in ports:
            port.name = names[port.name]
        return helper.make_graph([*first, *inner], name, [], ports)

    empty = []
    for name, port in past.items():
        sides = port.type.tensor_type.shape.dim
        tensor = helper.make_tensor(
            "v", onnx.TensorProto.FLOAT, [1, sides[1].dim_value, 0, sides[3].dim_value], []
        )
        empty.append(helper.make_node("Constant", [], [f"empty.{name}"], value=tensor))
    choice = helper.make_node(
        "If",
        ["use_cache_branch"],
        [port.name for port in outputs],
        then_branch=branch("go_on", {}, []),
        else_branch=branch("begin", {name: f"empty.{name}" for name in past}, empty),
    )
    del graph.node[:]
    graph.node.append(choice)
    graph.input.append(
        helper.make_tensor_value_info("use_cache_branch", onnx.TensorProto.BOOL, [1])
    )


def without_positions(model: Any) -> None:
    """Positions counted from the mask, inside."""
    graph, helper = model.graph, onnx.helper
    (port,) = (port for port in graph.input if port.name == "position_ids")
    graph.input.remove(port)
    for name, values in (("axis", [1]), ("one", [1]), ("far", [2**62]), ("at", 1)):
        graph.initializer.append(onnx.numpy_helper.from_array(np.array(values, np.int64), name))
    first = [
        helper.make_node("CumSum", ["attention_mask", "at"], ["counted"]),
        helper.make_node("Sub", ["counted", "one"], ["places"]),
        helper.make_node("Shape", ["inputs_embeds"], ["n_tokens"], start=1, end=2),
        helper.make_node("Neg", ["n_tokens"], ["from"]),
        helper.make_node("Slice", ["places", "from", "far", "axis"], ["position_ids"]),
    ]
    nodes = [*first, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def halved(model: Any) -> None:
    """Cache and logits in half precision, embeddings in float32."""
    graph, helper, half = model.graph, onnx.helper, onnx.TensorProto.FLOAT16
    before, after = [], []
    for port in graph.input:
        if port.name.startswith("past_key_values."):
            port.type.tensor_type.elem_type = half
            wide = f"{port.name}.wide"
            before.append(helper.make_node("Cast", [port.name], [wide], to=onnx.TensorProto.FLOAT))
            for node in graph.node:
                node.input[:] = [wide if name == port.name else name for name in node.input]
    for port in graph.output:
        port.type.tensor_type.elem_type = half
        wide = f"{port.name}.wide"
        for node in graph.node:
            node.input[:] = [wide if name == port.name else name for name in node.input]
            node.output[:] = [wide if name == port.name else name for name in node.output]
        after.append(helper.make_node("Cast", [wide], [port.name], to=half))
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)


def all_logits(model: Any) -> None:
    """Without num_logits_to_keep: logits of every token."""
    (port,) = (port for port in model.graph.input if port.name == "num_logits_to_keep")
    model.graph.input.remove(port)
    # The example's own number, which no call has fewer tokens than.
    keep = onnx.numpy_helper.from_array(np.array(1, np.int64), "num_logits_to_keep")
    model.graph.initializer.append(keep)


@pytest.mark.parametrize("change", [merged, without_positions, all_logits])
def test_other_ports_give_the_same_logits(logits, change):
    np.testing.assert_allclose(logits(change), logits(as_it_is), rtol=0, atol=2e-5)


def test_a_half_cache_between_float_embeddings_is_near(logits):
    difference = np.abs(logits(halved) - logits(as_it_is)).max()
    assert 0 < difference < 0.1


def test_a_strange_port_is_told_with_what_is_wanted(logits):
    def strange(model: Any) -> None:
        model.graph.input.append(
            onnx.helper.make_tensor_value_info("cache_position", onnx.TensorProto.INT64, [1])
        )

    with pytest.raises(ManifestError, match=r"takes cache_position.*wants inputs_embeds"):
        logits(strange)

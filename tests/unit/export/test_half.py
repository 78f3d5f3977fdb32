"""Half precision: which numbers are float16, which stay float32, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")

from edgeval.errors import ManifestError  # noqa: E402 - needs onnx
from edgeval.export import half, late, ranges  # noqa: E402
from edgeval.export.late import Late, Traced  # noqa: E402
from edgeval.export.ranges import Kept  # noqa: E402
from edgeval.modelfolder import onnxfile  # noqa: E402

SINGLE, HALF = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
WIDTH = 8
GRAPH = """<ir_version: 10, opset_import: ["" : 18]>
graph (float[1, n, 8] x, float[1, p, 8] past) => (float[1, n, 8] logits, float[1, t, 8] present)
<float[8, 1] column = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}>
{
  place = MatMul(x, column)
  turn = Cos(place)
  q = MatMul(x, wq)
  turned = Mul(q, turn)
  present = Concat <axis = 1> (past, q)
  across = Transpose <perm = [0, 2, 1]> (present)
  scores = MatMul(turned, across)
  likely = Softmax(scores)
  mixed = MatMul(likely, present)
  logits = MatMul(mixed, wo)
}"""
PORTS = {"past": "past_key_values.0.key", "present": "present.0.key"}


def traced(scale: float = 1.0) -> Traced:
    """An attention of one head with late weights, as a decoder's."""
    model = onnx.parser.parse_model(GRAPH)
    # The parser takes no names with dots.
    for port in (*model.graph.input, *model.graph.output):
        port.name = PORTS.get(port.name, port.name)
    for names in (names for node in model.graph.node for names in (node.input, node.output)):
        for at, name in enumerate(names):
            names[at] = PORTS.get(name, name)
    rng = np.random.default_rng(0)
    weights = {}
    for name in ("wq", "wo"):
        array = (scale * rng.standard_normal((WIDTH, WIDTH))).astype(np.float32)
        weights[name] = Late(
            name=name,
            data_type=SINGLE,
            dims=array.shape,
            make=lambda array=array: array,
            layer=f"model.{name}",
        )
        model.graph.initializer.append(weights[name].header())
    return Traced(model=model, late=weights)


def kinds(model: onnx.ModelProto) -> dict[str, int]:
    """Types of all tensors, by onnx's own inference."""
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    ports = (*graph.input, *graph.output, *graph.value_info)
    found = {port.name: port.type.tensor_type.elem_type for port in ports}
    return found | {tensor.name: tensor.data_type for tensor in graph.initializer}


def works_in(model: onnx.ModelProto, output: str) -> int:
    """The type of what the node that makes ``output`` reads."""
    found = kinds(model)
    (node,) = [node for node in model.graph.node if output in node.output]
    (kind,) = {found[name] for name in node.input}
    return kind


def run(model: onnx.ModelProto) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {
        port.name: rng.standard_normal((1, 3, WIDTH)).astype(
            np.float16 if "float16" in port.type else np.float32
        )
        for port in session.get_inputs()
    }
    return session.run(None, feeds)


def test_products_are_half_and_softmax_is_not():
    model = half.halve(traced(), Kept()).traced.whole()
    onnx.checker.check_model(model)
    found = [works_in(model, name) for name in ("q", "scores", "mixed", "likely", "turned")]
    assert found == [HALF, HALF, HALF, SINGLE, SINGLE]


def test_only_the_cache_is_half_at_the_ports():
    model = half.halve(traced(), Kept()).traced.model
    ports = [*model.graph.input, *model.graph.output]
    assert {port.name: port.type.tensor_type.elem_type for port in ports} == {
        "x": SINGLE,
        "past_key_values.0.key": HALF,
        "logits": SINGLE,
        "present.0.key": HALF,
    }


def test_weights_are_float16_on_disk():
    model = half.halve(traced(), Kept(layers=frozenset({"model.wq"}))).traced.whole()
    big = [t.data_type for t in model.graph.initializer if list(t.dims) == [WIDTH, WIDTH]]
    assert big == [HALF, HALF]


def test_a_kept_layer_multiplies_in_float32():
    model = half.halve(traced(), Kept(layers=frozenset({"model.wq"}))).traced.whole()
    assert (works_in(model, "q"), works_in(model, "logits.inner")) == (SINGLE, HALF)


def test_kept_scores_are_worked_out_in_float32():
    model = half.halve(traced(), Kept(scores=True)).traced.whole()
    assert (works_in(model, "scores"), works_in(model, "mixed")) == (SINGLE, HALF)


def test_angles_are_never_half():
    assert works_in(half.halve(traced(), Kept()).traced.whole(), "place") == SINGLE


def test_operators_in_float32_are_told():
    assert half.halve(traced(), Kept()).operators == {"Cos", "MatMul", "Mul", "Softmax"}


def test_it_is_near_the_full_graph():
    got, want = run(half.halve(traced(), Kept()).traced.whole()), run(traced().whole())
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one.astype(np.float32), other, atol=0.02)


def test_a_weight_that_float16_cannot_hold_is_named():
    halved = half.halve(traced(scale=1e5), Kept())
    with pytest.raises(ManifestError, match=r"w. holds .* more than float16 can"):
        halved.traced.whole()


def test_large_numbers_in_a_layer_keep_it():
    layers = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4, bias=False))
    with torch.no_grad(), ranges.watched(layers) as seen:
        layers[0].bias.fill_(20_000)
        layers[0].weight.fill_(0)
        layers[1].weight.fill_(1e-9)
        layers(torch.ones(1, 4))
    assert seen.kept().layers == {"0", "1"}


@pytest.mark.parametrize(("score", "kept"), [(60.0, False), (70.0, True)])
def test_large_scores_are_kept(score, kept):
    with torch.no_grad(), ranges.watched(torch.nn.Identity()) as seen:
        torch.nn.functional.softmax(torch.tensor([1.0, score, torch.finfo().min]), dim=-1)
    assert seen.kept().scores == kept


def test_numbers_that_are_none_keep_their_layer():
    layer = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with torch.no_grad(), ranges.watched(layer) as seen:
        layer(torch.full((1, 2), torch.nan))
    assert seen.kept().layers == {"0"}


def test_weights_beside_the_graph_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inside = late.save(traced(), tmp_path / "inside.onnx")
    monkeypatch.setattr(late, "MAX_INLINE_BYTES", 1)
    monkeypatch.setattr(late, "MIN_EXTERNAL_BYTES", 1)
    beside = late.save(traced(), tmp_path / "beside.onnx")
    assert [path.name for path in (*inside, *beside)] == [
        "inside.onnx",
        "beside.onnx",
        "beside.onnx_data",
    ]
    loaded = onnx.load(beside[0])
    for got, want in zip(run(loaded), run(onnx.load(inside[0])), strict=True):
        np.testing.assert_array_equal(got, want)


def test_weights_beside_the_graph_begin_at_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(late, "MAX_INLINE_BYTES", 1)
    monkeypatch.setattr(late, "MIN_EXTERNAL_BYTES", 1)
    path, _ = late.save(traced(), tmp_path / "graph.onnx")
    tensors = onnx.load(path, load_external_data=False).graph.initializer
    places = {entry.key: entry.value for t in tensors for entry in t.external_data}
    assert int(places["offset"]) % late.PAGE == 0


def test_a_table_in_half_precision_is_still_looked_up_in_its_file(tmp_path: Path):
    model = onnx.parser.parse_model(
        """<ir_version: 10, opset_import: ["" : 18]>
        graph (int64[1, n] input_ids) => (float[1, n, 2] inputs_embeds)
        <float[3, 2] table = {0, 1, 2, 3, 4, 5}> { inputs_embeds = Gather(table, input_ids) }"""
    )
    path = tmp_path / "embed.onnx"
    late.save(half.halve(Traced.of(model), Kept()).traced, path)
    table = onnxfile.lookup_table(path)
    assert table is not None
    assert (table.dtype, table.tolist()) == (np.float16, [[0, 1], [2, 3], [4, 5]])

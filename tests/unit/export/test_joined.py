"""Products of one input in one: the same numbers, and the others left alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
pytest.importorskip("torch")

from edgeval.export import quantise  # noqa: E402 - needs onnx
from edgeval.export.joined import joined  # noqa: E402
from edgeval.export.late import Traced  # noqa: E402
from edgeval.export.rounding import to_blocks  # noqa: E402

# A depth that blocks of 32 do not fill.
DEPTH, WIDTHS = 72, {"q": 48, "k": 16, "v": 32}
RESULTS = {"k2": ["n", 16], "o": ["n", 7], "v2": [32, "n"], "xv": [3, 32]}


@pytest.fixture(params=["", "k", "qkv"])
def model(request: pytest.FixtureRequest) -> onnx.ModelProto:
    """q, k and v of x, some with a bias; a product of q alone, and one of two inputs."""
    return graph_of(request.param)


def graph_of(biased: str) -> onnx.ModelProto:
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    rng = np.random.default_rng(0)
    weights = {
        f"w{name}": rng.standard_normal((DEPTH, width)).astype(np.float32)
        for name, width in WIDTHS.items()
    }
    weights["wo"] = rng.standard_normal((WIDTHS["q"], 7)).astype(np.float32)
    weights |= {f"b{name}": weights[f"w{name}"][0] for name in biased}
    nodes = []
    for name in WIDTHS:
        whole = f"{name}1" if name in biased else name
        nodes.append(helper.make_node("MatMul", ["x", f"w{name}"], [whole]))
        if name in biased:  # On either side, as tracers have it.
            nodes.append(helper.make_node("Add", sorted([whole, f"b{name}"]), [name]))
    nodes += [
        helper.make_node("MatMul", ["q", "wo"], ["o"]),
        helper.make_node("Neg", ["k"], ["k2"]),
        helper.make_node("Transpose", ["v"], ["v2"], perm=[1, 0]),
        helper.make_node("MatMul", ["x2", "v"], ["xv"]),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [
            helper.make_tensor_value_info("x", floats, ["n", DEPTH]),
            helper.make_tensor_value_info("x2", floats, [3, "n"]),
        ],
        [helper.make_tensor_value_info(name, floats, shape) for name, shape in RESULTS.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def outputs(model: onnx.ModelProto, n_tokens: int) -> Sequence[np.ndarray]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(n_tokens)
    x, x2 = rng.standard_normal((n_tokens, DEPTH)), rng.standard_normal((3, n_tokens))
    return session.run(None, {"x": x.astype(np.float32), "x2": x2.astype(np.float32)})


@pytest.mark.parametrize(
    ("biased", "kinds"),
    [
        ("", ["MatMul", "Split"]),
        ("k", ["MatMul", "Split", "Add"]),
        ("qkv", ["MatMul", "Add", "Split"]),
    ],
)
def test_three_products_of_one_input_become_one(biased, kinds):
    traced = joined(Traced.of(graph_of(biased)))
    rest = ["MatMul", "Neg", "Transpose", "MatMul"]
    assert [node.op_type for node in traced.model.graph.node] == kinds + rest
    assert sorted(traced.late) == ["wo", "wq+wk+wv"]
    assert traced.late["wq+wk+wv"].dims == (DEPTH, sum(WIDTHS.values()))
    onnx.checker.check_model(traced.whole(), full_check=True)


def test_joined_products_are_near_the_same_in_float32(model):
    want = outputs(model, 5)
    got = outputs(joined(Traced.of(model)).whole(), 5)
    for mine, theirs in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-4)


@pytest.mark.parametrize("n_tokens", [1, 5, 70])
@pytest.mark.parametrize("precision", ["int8", "q4"])
def test_joined_and_quantised_has_the_bits_of_each_quantised_alone(
    model, precision, n_tokens, monkeypatch
):
    def made() -> onnx.ModelProto:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return quantise.quantise(Traced.of(copy), precision=precision, flavour="ort").whole()

    together = made()
    monkeypatch.setattr(quantise, "joined", lambda traced: traced)
    alone = made()
    mixed = len([tensor for tensor in model.graph.initializer if tensor.name.startswith("b")]) == 1
    kinds = [[node.op_type for node in graph.graph.node] for graph in (together, alone)]
    assert [found.count("MatMulNBits") for found in kinds] == [2, 4]
    for mine, theirs in zip(outputs(together, n_tokens), outputs(alone, n_tokens), strict=True):
        if mixed:  # onnxruntime puts a bias that stands alone into its product, in another order.
            np.testing.assert_allclose(mine, theirs, atol=1e-4)
        else:
            assert mine.tobytes() == theirs.tobytes()


def test_scales_of_joined_weights_are_chosen_for_their_input(model):
    traced = Traced.of(model)
    apart = dict(traced.late)
    whole = joined(traced).late["wq+wk+wv"]
    squares = np.linspace(0.1, 10, DEPTH).astype(np.float32)
    numbers, scales = to_blocks(whole.make(), 4, squares=squares)
    parts = [to_blocks(apart[f"w{n}"].make(), 4, squares=squares) for n in WIDTHS]
    assert (numbers == np.concatenate([part[0] for part in parts])).all()
    assert (scales == np.concatenate([part[1] for part in parts])).all()


def test_plain_and_full_precision_graphs_stay_as_they_are(model):
    before = [node.op_type for node in model.graph.node]
    full = quantise.quantise(Traced.of(model), precision="fp32", flavour="ort")
    assert [node.op_type for node in full.model.graph.node] == before
    plain = quantise.quantise(Traced.of(model), precision="int8", flavour="plain")
    assert [n.op_type for n in plain.model.graph.node].count("MatMul") == before.count("MatMul")

"""Five families: the graphs are the model, token for token, at other sizes too."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.errors import ManifestError
from edgeval.generate import together
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding

from .conftest import N_TOKENS, clip, generated, said
from .small import KINDS, VARIED

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

MAX_DLOGIT = 2e-5
SIZE = (3, 90, 70)
ROLES = {
    "vision": "vision_encoder",
    "embed": "embed_tokens",
    "decoder": "decoder_model_merged",
}


@pytest.mark.parametrize("flavour", ["plain", "ort"])
@pytest.mark.parametrize("shape", VARIED)
def test_64_tokens_and_logits_equal_generate(opened, wanted, flavour, shape):
    frames, want = wanted(shape)
    got = said(opened("fp32", flavour), frames)
    assert got.prompt == want.prompt
    assert got.tokens == want.tokens
    assert np.abs(got.logits - want.logits).max() <= MAX_DLOGIT


@pytest.mark.parametrize("precision", ["fp32", "q4"])
def test_answers_together_are_those_of_one_at_a_time(kind, opened, precision):
    model = opened(precision, "ort")
    view = model.see(clip(model, *kind.clips["portrait"]))
    prompts = [model.prompt(view, Ask(text="so " * n, max_new_tokens=1)) for n in range(1, 5)]
    asked = [(view, prompt, Decoding(), 30 - 7 * n) for n, prompt in enumerate(prompts)]
    wanted = [model.answer(*one).token_ids for one in asked]
    answers = together((model.answering(*one) for one in asked), model.rows(3), most=3)
    assert [said.token_ids for said in answers] == wanted


def test_sharing_changes_no_token(opened):
    model, alone = opened("fp32", "ort"), opened("fp32", "ort", share=False)
    frames = clip(model, *SIZE)
    assert said(model, frames).tokens == said(alone, frames).tokens


@pytest.mark.parametrize(
    "family", [name for name, kind in KINDS.items() if kind.patched], indirect=True, scope="module"
)
def test_bites_change_no_feature(opened, monkeypatch):
    model = opened()
    frames = clip(model, 6, 90, 70)
    whole = model._with_features(model.see(frames)).features
    monkeypatch.setattr("edgeval.qwenvl.processor.BITE_SCORES", 1)
    assert len(list(model.processor.feeds(frames.pixels))) == len(frames.pixels) // 2
    apart = model._with_features(model.see(frames)).features
    np.testing.assert_array_equal(apart.rows, whole.rows)
    if whole.deep is not None:
        np.testing.assert_array_equal(apart.deep, whole.deep)


def test_q4_is_near_its_dequantised_twin(kind, opened, checkpoint):
    from edgeval.export.checkpoint import load
    from edgeval.export.rounding import to_blocks

    model = opened("q4", "ort")
    frames = clip(model, *SIZE)
    twin = load(checkpoint).model
    with torch.no_grad():
        for name, module in twin.named_modules():
            if not isinstance(module, torch.nn.Linear):
                continue
            weight = module.weight.T.numpy()
            numbers, scales = to_blocks(weight, 4 if "language_model" in name else 8)
            full = (numbers * scales[..., None]).reshape(len(numbers), -1)[:, : len(weight)]
            module.weight.copy_(torch.from_numpy(full.astype(np.float32)))
    assert said(model, frames).error(generated(kind, twin, model, frames)) < 0.05


@pytest.mark.parametrize("flavour", ["plain", "ort"])
def test_half_precision_is_near_full(opened, ort_files, folder, tmp_path, flavour):
    onnx = pytest.importorskip("onnx")
    from edgeval.export import half, late, ranges

    full, model = opened("fp32", flavour), opened("fp32", flavour)
    paths = {role: folder / f"onnx/{name}.onnx" for role, name in ROLES.items()}
    if flavour == "ort":
        paths["decoder"] = ort_files["fp32"].decoder
    for role, path in paths.items():
        halved = half.halve(late.Traced.of(onnx.load(path)), ranges.Kept())
        paths[role] = tmp_path / f"{role}.onnx"
        late.save(halved.traced, paths[role])
    model._graphs = open_graphs("cpu", GraphFiles(threads=1, **paths))
    frames = clip(full, *SIZE)
    # Rounding to 11 bits shows; more than a few roundings does not.
    assert 1e-5 < said(model, frames).error(said(full, frames)) < 0.01


def with_half_ports(model: Any) -> Any:
    """The graph with float16 at every port that has float32, as some published ones are."""
    onnx = pytest.importorskip("onnx")
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    ports = [port for port in model.graph.input if port.type.tensor_type.elem_type == single]
    given = [port for port in model.graph.output if port.type.tensor_type.elem_type == single]
    wide = {port.name: f"{port.name}.wide" for port in (*ports, *given)}
    for names in (names for node in model.graph.node for names in (node.input, node.output)):
        for at, name in enumerate(names):
            names[at] = wide.get(name, name)
    cast = onnx.helper.make_node
    inner = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(
        [cast("Cast", [port.name], [wide[port.name]], to=single) for port in ports]
        + inner
        + [cast("Cast", [wide[port.name]], [port.name], to=half) for port in given]
    )
    for port in (*ports, *given):
        port.type.tensor_type.elem_type = half
    return model


def test_half_ports_are_given_what_they_take(opened, folder, tmp_path):
    onnx = pytest.importorskip("onnx")
    full, model = opened(), opened()
    paths = {}
    for role, name in ROLES.items():
        paths[role] = tmp_path / f"{name}.onnx"
        onnx.save(with_half_ports(onnx.load(folder / f"onnx/{name}.onnx")), paths[role])
    model._graphs = open_graphs("cpu", GraphFiles(threads=1, **paths))
    frames = clip(full, *SIZE)
    assert said(model, frames).error(said(full, frames)) < 0.01


def test_plain_graphs_hold_standard_operators_only(folder):
    onnx = pytest.importorskip("onnx")
    for path in (folder / "onnx").glob("*.onnx"):
        graph = onnx.load(path)
        assert {entry.domain: entry.version for entry in graph.opset_import} == {"": 18}
        assert {node.op_type for node in graph.graph.node} & {"If", "Loop", "Scan"} == set()


def test_the_proof_holds_all_tokens(folder):
    assert manifest.load(folder).variant(None).proof["equal_tokens"] == N_TOKENS


def test_a_text_part_that_our_graphs_lack_is_refused(family, kind, loaded, monkeypatch):
    module = importlib.import_module(f"edgeval.export.{family}")
    name, value, words = kind.refused
    monkeypatch.setattr(loaded.config.text_config, name, value, raising=False)
    with pytest.raises(ManifestError, match=words):
        module.graphs(loaded, "plain")

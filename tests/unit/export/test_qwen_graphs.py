"""The Qwen-VL families: the graphs are the model, token for token, at other sizes too."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.errors import ManifestError
from edgeval.generate import together
from edgeval.model import Model, open_model
from edgeval.types import Ask, Decoding, FramePlan, FrameRule, Frames, Picture, VideoInfo

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_TOKENS = 64
MAX_DLOGIT = 2e-5
# (frames, height, width): landscape, portrait and odd, one frame, an odd number, many.
CLIPS = ((4, 112, 168), (2, 150, 71), (1, 60, 60), (5, 57, 203), (40, 64, 64))
FAMILIES = ("qwen2_5_vl", "qwen2_vl", "qwen3_vl")
TEXT = {
    "vocab_size": 2112,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "num_key_value_heads": 1,
    "max_position_embeddings": 8192,
    "initializer_range": 0.1,
    "tie_word_embeddings": False,
    "pad_token_id": 2048,
    "bos_token_id": 2048,
    "eos_token_id": 2050,
}
ROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
TOKENS = {
    "image_token_id": 2060,
    "video_token_id": 2061,
    "vision_start_token_id": 2057,
    "vision_end_token_id": 2058,
}
# Windows of 3 tokens a side fill no frame of CLIPS evenly.
VISION: Mapping[str, Mapping[str, Any]] = {
    "qwen2_vl": {
        "depth": 2, "embed_dim": 32, "hidden_size": 48, "mlp_ratio": 3, "num_heads": 4,
        "patch_size": 14,
    },
    "qwen2_5_vl": {
        "depth": 4, "hidden_size": 32, "out_hidden_size": 48, "intermediate_size": 40,
        "num_heads": 4, "patch_size": 14, "window_size": 84, "fullatt_block_indexes": [1, 3],
        "tokens_per_second": 4,
    },
    "qwen3_vl": {
        "depth": 4, "hidden_size": 32, "out_hidden_size": 48, "intermediate_size": 40,
        "num_heads": 4, "patch_size": 16, "num_position_embeddings": 144,
        "deepstack_visual_indexes": [0, 2],
    },
}  # fmt: skip
KINDS = {"qwen2_vl": "Qwen2VL", "qwen2_5_vl": "Qwen2_5_VL", "qwen3_vl": "Qwen3VL"}
Models = Callable[..., Model]


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def checkpoint(family: str, shared: Path, hf: None, tmp_path_factory: Any) -> Path:
    """A random-weight checkpoint of sizes that no published one has."""
    folder: Path = tmp_path_factory.mktemp(family)
    kind = KINDS[family]
    part = f"transformers.models.{family}"
    config_class = getattr(
        importlib.import_module(f"{part}.configuration_{family}"), f"{kind}Config"
    )
    model_class = getattr(
        importlib.import_module(f"{part}.modeling_{family}"), f"{kind}ForConditionalGeneration"
    )
    rope = {**ROPE, "mrope_interleaved": True} if family == "qwen3_vl" else ROPE
    text = {**TEXT, "rope_parameters": rope}
    if family == "qwen3_vl":
        text["head_dim"] = 16
    torch.manual_seed(5)
    config = config_class(text_config=text, vision_config=dict(VISION[family]), **TOKENS)
    model = model_class(config).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn(parameter.shape) * (0.03 if "norm" in name else 0.08))
    model.save_pretrained(folder)
    for path in (shared / "e2e/ckpt" / family).iterdir():
        if path.name not in ("config.json", "model.safetensors", "generation_config.json"):
            shutil.copyfile(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def folder(checkpoint: Path, tmp_path_factory: Any) -> Path:
    """The checkpoint exported in full precision, standard operators."""
    from edgeval.export.folder import Plan, export

    output: Path = tmp_path_factory.mktemp("exported") / "model"
    export(
        Plan(
            checkpoint=checkpoint,
            output=output,
            precision="fp32",
            flavour="plain",
            name="small",
            source="random weights",
            licence="unknown",
        )
    )
    return output


@pytest.fixture(scope="module")
def loaded(checkpoint: Path) -> Any:
    from edgeval.export.checkpoint import load

    return load(checkpoint).model


@pytest.fixture(scope="module")
def ort_files(family: str, folder: Path, loaded: Any) -> Mapping[str, GraphFiles]:
    """The decoder of the flavour ort in two precisions, traced once."""
    from edgeval.export import late, quantise, trace

    embed, vision = (folder / f"onnx/{name}.onnx" for name in ("embed_tokens", "vision_encoder"))
    spec = importlib.import_module(f"edgeval.export.{family}").graphs(loaded, "ort")[2]
    decoder = trace.trace(spec)
    full, few = (folder.parent / f"decoder{suffix}.onnx" for suffix in ("", "_q4"))
    late.save(decoder, full)
    late.save(quantise.quantise(decoder, precision="q4", flavour="ort"), few)
    return {
        name: GraphFiles(vision=vision, embed=embed, decoder=path, threads=1)
        for name, path in (("fp32", full), ("q4", few))
    }


@pytest.fixture(scope="module")
def opened(folder: Path, ort_files: Mapping[str, GraphFiles]) -> Models:
    """The model with end tokens taken as words."""

    def open_as(precision: str = "fp32", flavour: str = "plain", *, share: bool = True) -> Model:
        model = open_model(folder, engine="cpu", precision=None, threads=1, share=share)
        model._stops = dataclasses.replace(model._stops, eos_ids=frozenset())
        if flavour == "ort":
            model._graphs = open_graphs("cpu", ort_files[precision])
        return model

    return open_as


def clip(model: Model, n_frames: int, height: int, width: int) -> Frames:
    rng = np.random.default_rng(n_frames)
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=3 * n_frames,
        fps=2.0,
        duration_s=1.5 * n_frames,
        width=width,
        height=height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(3 * n_frames) / 2,
    )
    indices = tuple(range(0, 3 * n_frames, 3))
    plan = FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))
    shrink = model.shrinker(plan)
    images = rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)
    return Frames(
        plan=plan,
        pixels=tuple(shrink(Picture(planes=None, rgb=image)) for image in images),
        pts_s=np.array(indices) / 2,
    )


def said(model: Model, frames: Frames) -> tuple[tuple[int, ...], list[int], np.ndarray]:
    """Prompt, 64 tokens of our own loop, and the logits after the prompt."""
    view = model.see(frames)
    prompt = model.prompt(view, Ask(text="Which came first?", max_new_tokens=N_TOKENS))
    tokens = model.answer(view, prompt, Decoding(), max_new_tokens=N_TOKENS).token_ids
    seen = model._with_features(view) if view.features is None else view
    context = model._graphs.start(len(prompt.token_ids))
    logits = model._inputs(prompt.token_ids, seen).append_to(context)
    return prompt.token_ids, list(tokens), np.array(logits)


def generated(
    loaded: Any, prompt: tuple[int, ...], model: Model, frames: Frames
) -> tuple[list[int], np.ndarray]:
    """What generate() of transformers says, end token or not, and its first logits."""
    feeds = list(model.processor.feeds(frames.pixels))
    grid = np.array(feeds[0]["grid_thw"])
    grid[0, 0] = sum(feed["grid_thw"][0, 0] for feed in feeds)
    ids = torch.tensor([prompt])
    inputs: dict[str, Any] = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": 2 * (ids == TOKENS["video_token_id"]).long(),
        "pixel_values_videos": torch.from_numpy(np.concatenate([f["pixel_values"] for f in feeds])),
        "video_grid_thw": torch.from_numpy(grid),
    }
    if hasattr(loaded.config.vision_config, "tokens_per_second"):
        # Every third frame of two a second, two to a patch.
        inputs["second_per_grid_ts"] = torch.tensor([3.0])
    loaded.generation_config.eos_token_id = None
    loaded.model.rope_deltas = None
    with torch.no_grad():
        out = loaded.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=N_TOKENS,
            min_new_tokens=N_TOKENS,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return out.sequences[0, len(prompt) :].tolist(), out.logits[0][0].numpy()


@pytest.mark.parametrize("size", CLIPS)
def test_64_tokens_and_logits_equal_generate(opened, loaded, size):
    frames = clip(opened(), *size)
    for flavour in ("plain", "ort"):
        model = opened("fp32", flavour)
        prompt, tokens, logits = said(model, frames)
        if flavour == "plain":
            want_tokens, want_logits = generated(loaded, prompt, model, frames)
        assert tokens == want_tokens
        assert np.abs(logits - want_logits).max() <= MAX_DLOGIT


@pytest.mark.parametrize("precision", ["fp32", "q4"])
def test_answers_together_are_those_of_one_at_a_time(opened, precision):
    model = opened(precision, "ort")
    view = model.see(clip(model, *CLIPS[0]))
    prompts = [model.prompt(view, Ask(text="so " * n, max_new_tokens=1)) for n in range(1, 5)]
    asked = [(view, prompt, Decoding(), 30 - 7 * n) for n, prompt in enumerate(prompts)]
    wanted = [model.answer(*one).token_ids for one in asked]
    answers = together((model.answering(*one) for one in asked), model.rows(3), most=3)
    assert [said.token_ids for said in answers] == wanted


def test_sharing_changes_no_token(opened):
    model, alone = opened("fp32", "ort"), opened("fp32", "ort", share=False)
    frames = clip(model, 3, 90, 70)
    assert said(model, frames)[1] == said(alone, frames)[1]


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


def test_q4_is_near_its_dequantised_twin(opened, checkpoint):
    from edgeval.export.checkpoint import load
    from edgeval.export.rounding import to_blocks

    model = opened("q4", "ort")
    frames = clip(model, 3, 90, 70)
    prompt, _, logits = said(model, frames)
    twin = load(checkpoint).model
    with torch.no_grad():
        for name, module in twin.named_modules():
            if not isinstance(module, torch.nn.Linear) or "visual" in name:
                continue
            weight = module.weight.T.numpy()
            numbers, scales = to_blocks(weight, 8 if name == "lm_head" else 4)
            full = (numbers * scales[..., None]).reshape(len(numbers), -1)[:, : len(weight)]
            module.weight.copy_(torch.from_numpy(full.astype(np.float32)))
    _, want = generated(twin, prompt, model, frames)
    error = np.sqrt(np.mean((logits - want) ** 2)) / want.std()
    assert error < 0.05


@pytest.mark.parametrize("flavour", ["plain", "ort"])
def test_half_precision_is_near_full(opened, ort_files, folder, tmp_path, flavour):
    onnx = pytest.importorskip("onnx")
    from edgeval.export import half, late, ranges

    full, model = opened("fp32", flavour), opened("fp32", flavour)
    decoder = folder / "onnx/decoder_model_merged.onnx"
    paths = {
        "vision": folder / "onnx/vision_encoder.onnx",
        "embed": folder / "onnx/embed_tokens.onnx",
        "decoder": ort_files["fp32"].decoder if flavour == "ort" else decoder,
    }
    for role, path in paths.items():
        halved = half.halve(late.Traced.of(onnx.load(path)), ranges.Kept())
        paths[role] = tmp_path / f"{role}.onnx"
        late.save(halved.traced, paths[role])
    model._graphs = open_graphs("cpu", GraphFiles(threads=1, **paths))
    frames = clip(full, *(3, 90, 70))
    (ids, _, got), (same_ids, _, want) = said(model, frames), said(full, frames)
    assert ids == same_ids
    error = np.sqrt(np.mean((got - want) ** 2)) / want.std()
    # Rounding to 11 bits shows; more than a few roundings does not.
    assert 1e-5 < error < 0.01


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
    for role, name in (
        ("vision", "vision_encoder"),
        ("embed", "embed_tokens"),
        ("decoder", "decoder_model_merged"),
    ):
        paths[role] = tmp_path / f"{name}.onnx"
        onnx.save(with_half_ports(onnx.load(folder / f"onnx/{name}.onnx")), paths[role])
    model._graphs = open_graphs("cpu", GraphFiles(threads=1, **paths))
    frames = clip(full, 3, 90, 70)
    (_, _, got), (_, _, want) = said(model, frames), said(full, frames)
    assert np.sqrt(np.mean((got - want) ** 2)) / want.std() < 0.01


def test_plain_graphs_hold_standard_operators_only(folder):
    onnx = pytest.importorskip("onnx")
    for path in (folder / "onnx").glob("*.onnx"):
        graph = onnx.load(path)
        assert {entry.domain: entry.version for entry in graph.opset_import} == {"": 18}
        assert {node.op_type for node in graph.graph.node} & {"If", "Loop", "Scan"} == set()


def test_a_window_over_text_is_refused(family, loaded, monkeypatch):
    module = importlib.import_module(f"edgeval.export.{family}")
    text = loaded.config.text_config
    monkeypatch.setattr(text, "layer_types", ["sliding_attention"] * 3, raising=False)
    with pytest.raises(ManifestError, match="sliding-window"):
        module.graphs(loaded, "plain")

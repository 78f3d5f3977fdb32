"""LLaVA-OneVision and InternVL: the graphs are the model, token for token, at other sizes too."""

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
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding, FramePlan, FrameRule, Frames, VideoInfo

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_TOKENS = 64
MAX_DLOGIT = 2e-5
SIDE = 60
VISION_GRAPH = "vision_encoder"
# (frames, height, width): portrait and odd, one frame, an odd number, many.
CLIPS = ((2, 75, 41), (1, 60, 60), (3, 33, 90), (25, 40, 64))
TEXT = {
    "vocab_size": 2112,
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
    "initializer_range": 0.1,
    "tie_word_embeddings": False,
    "pad_token_id": 2048,
    "bos_token_id": 2048,
    "eos_token_id": 2050,
}
VISION = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
PORTS = {"internvl": "pixel_values", "llava_onevision": "pixel_values_videos"}
Models = Callable[..., Model]


def configured(family: str) -> Any:
    """A random-weight model of sizes that no published one has."""
    if family == "internvl":
        from transformers.models.internvl.configuration_internvl import InternVLConfig
        from transformers.models.internvl.modeling_internvl import InternVLForConditionalGeneration

        config = InternVLConfig(
            image_token_id=2053,
            image_seq_length=9,
            downsample_ratio=0.5,
            text_config={"model_type": "qwen3", "head_dim": 16, **TEXT},
            vision_config={
                **VISION, "image_size": [SIDE, SIDE], "patch_size": [10, 10],
                "attention_bias": True, "use_qk_norm": True, "norm_type": "rms_norm",
            },
        )  # fmt: skip
        return InternVLForConditionalGeneration(config)
    from transformers.models.llava_onevision.configuration_llava_onevision import (
        LlavaOnevisionConfig,
    )
    from transformers.models.llava_onevision.modeling_llava_onevision import (
        LlavaOnevisionForConditionalGeneration,
    )

    config = LlavaOnevisionConfig(
        image_token_index=2051,
        video_token_index=2052,
        vision_feature_layer=-2,
        vision_feature_select_strategy="full",
        image_grid_pinpoints=[[SIDE, SIDE]],
        text_config={"model_type": "qwen2", **TEXT},
        vision_config={
            **VISION, "model_type": "siglip_vision_model", "image_size": SIDE, "patch_size": 12,
            "vision_use_head": False,
        },
    )  # fmt: skip
    return LlavaOnevisionForConditionalGeneration(config)


@pytest.fixture(scope="module", params=sorted(PORTS))
def family(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def checkpoint(family: str, shared: Path, hf: None, tmp_path_factory: Any) -> Path:
    """A small checkpoint with the tokenizer and the template of the recorded ones."""
    folder: Path = tmp_path_factory.mktemp(family)
    torch.manual_seed(5)
    model = configured(family).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn(parameter.shape) * (0.03 if "norm" in name else 0.08))
    model.save_pretrained(folder)
    for path in (shared / "e2e/ckpt" / family).glob("*token*"):
        shutil.copyfile(path, folder / path.name)
    for path in (shared / "e2e/ckpt" / family).glob("chat_template.*"):
        shutil.copyfile(path, folder / path.name)
    size = f'{{"height": {SIDE}, "width": {SIDE}}}'
    (folder / "processor_config.json").write_text(
        f'{{"image_seq_length": 9, "num_image_tokens": 25, "video_processor": {{"size": {size}, '
        '"resample": 3, "image_mean": [0.5, 0.4, 0.6], "image_std": [0.5, 0.3, 0.2]}}',
        "utf-8",
    )
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
    """The graphs of the flavour ort in two precisions, traced once."""
    import onnx

    from edgeval.export import late, quantise, trace

    embed, vision = (folder / "onnx" / f"{name}.onnx" for name in ("embed_tokens", VISION_GRAPH))
    spec = importlib.import_module(f"edgeval.export.{family}").graphs(loaded, "ort")[2]
    decoder = trace.trace(spec)
    full = folder.parent / "decoder.onnx"
    late.save(decoder, full)
    few, eight = folder.parent / "decoder_q4.onnx", folder.parent / "vision_int8.onnx"
    late.save(quantise.quantise(decoder, precision="q4", flavour="ort"), few)
    late.save(
        quantise.quantise(late.Traced.of(onnx.load(vision)), precision="int8", flavour="ort"), eight
    )
    return {
        "fp32": GraphFiles(vision=vision, embed=embed, decoder=full, threads=1),
        "q4": GraphFiles(vision=eight, embed=embed, decoder=few, threads=1),
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
    from edgeval.types import Picture

    rng = np.random.default_rng(n_frames)
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=n_frames,
        fps=1.0,
        duration_s=float(n_frames),
        width=width,
        height=height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames, dtype=float),
    )
    indices = tuple(range(n_frames))
    plan = FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))
    shrink = model.shrinker(plan)
    images = rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)
    return Frames(
        plan=plan,
        pixels=tuple(shrink(Picture(planes=None, rgb=image)) for image in images),
        pts_s=info.pts_s,
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
    family: str, loaded: Any, prompt: tuple[int, ...], model: Model, frames: Frames
) -> tuple[list[int], np.ndarray]:
    """What generate() of transformers says, end token or not, and its first logits."""
    feeds = [np.asarray(feed["pixel_values"]) for feed in model.processor.feeds(frames.pixels)]
    pixels = torch.from_numpy(np.concatenate(feeds))
    loaded.generation_config.eos_token_id = None
    inputs: Mapping[str, Any] = {
        "input_ids": torch.tensor([prompt]),
        "attention_mask": torch.ones(1, len(prompt), dtype=torch.int64),
        PORTS[family]: pixels if family == "internvl" else pixels[None],
    }
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


@pytest.mark.parametrize("flavour", ["plain", "ort"])
@pytest.mark.parametrize("size", CLIPS)
def test_64_tokens_and_logits_equal_generate(family, opened, loaded, flavour, size):
    model = opened("fp32", flavour)
    frames = clip(model, *size)
    prompt, tokens, logits = said(model, frames)
    want_tokens, want_logits = generated(family, loaded, prompt, model, frames)
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
    frames = clip(model, 3, 50, 50)
    assert said(model, frames)[1] == said(alone, frames)[1]


def test_q4_is_near_its_dequantised_twin(family, opened, checkpoint):
    from edgeval.export.checkpoint import load
    from edgeval.export.rounding import to_blocks

    model = opened("q4", "ort")
    frames = clip(model, 3, 50, 50)
    prompt, _, logits = said(model, frames)
    twin = load(checkpoint).model
    with torch.no_grad():
        for name, module in twin.named_modules():
            if not isinstance(module, torch.nn.Linear):
                continue
            text = "language_model" in name
            weight = module.weight.T.numpy()
            numbers, scales = to_blocks(weight, 4 if text else 8)
            full = (numbers * scales[..., None]).reshape(len(numbers), -1)[:, : len(weight)]
            module.weight.copy_(torch.from_numpy(full.astype(np.float32)))
    _, want = generated(family, twin, prompt, model, frames)
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
    frames = clip(full, *(3, 33, 90))
    (ids, _, got), (same_ids, _, want) = said(model, frames), said(full, frames)
    assert ids == same_ids
    error = np.sqrt(np.mean((got - want) ** 2)) / want.std()
    # Rounding to 11 bits shows; more than a few roundings does not.
    assert 1e-5 < error < 0.01


def test_plain_graphs_hold_standard_operators_only(folder):
    onnx = pytest.importorskip("onnx")
    for path in (folder / "onnx").glob("*.onnx"):
        graph = onnx.load(path)
        assert {entry.domain: entry.version for entry in graph.opset_import} == {"": 18}
        assert {node.op_type for node in graph.graph.node} & {"If", "Loop", "Scan"} == set()


def test_the_proof_holds_all_tokens(folder):
    assert manifest.load(folder).variant(None).proof["equal_tokens"] == N_TOKENS


def test_another_text_part_is_refused(family, loaded):
    module = importlib.import_module(f"edgeval.export.{family}")
    kind = loaded.config.text_config.model_type
    loaded.config.text_config.model_type = "gpt_oss"
    try:
        with pytest.raises(ManifestError, match="got a text part of model_type 'gpt_oss'"):
            module.graphs(loaded, "plain")
    finally:
        loaded.config.text_config.model_type = kind

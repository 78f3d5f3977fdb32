"""Small random checkpoints of five families, exported once each, and their answers."""

from __future__ import annotations

import dataclasses
import importlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.model import Model, open_model
from edgeval.types import Ask, Decoding, FramePlan, FrameRule, Frames, Picture, VideoInfo

from .small import KINDS, SIDE, VIDEO_TOKEN, Kind

N_TOKENS = 64
# Every third frame of two a second.
FPS, STEP = 2.0, 3
Models = Callable[..., Model]


@pytest.fixture(scope="module", params=KINDS)
def family(request: pytest.FixtureRequest) -> str:
    """Every family in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def kind(family: str) -> Kind:
    """What the tests know of it."""
    return KINDS[family]


@pytest.fixture(scope="module")
def checkpoint(family: str, kind: Kind, shared: Path, hf: None, tmp_path_factory: Any) -> Path:
    """A small checkpoint with the tokenizer and the template of the recorded ones."""
    import torch

    folder: Path = tmp_path_factory.mktemp(family)
    torch.manual_seed(5)
    model = kind.model(family).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.add_(torch.randn(parameter.shape) * (0.03 if "norm" in name else 0.08))
    model.save_pretrained(folder)
    own = ("config.json", "model.safetensors", "generation_config.json")
    for path in (shared / "e2e/ckpt" / family).iterdir():
        if path.name not in own and (kind.patched or "processor" not in path.name):
            shutil.copyfile(path, folder / path.name)
    if not kind.patched:
        size = f'{{"height": {SIDE}, "width": {SIDE}}}'
        (folder / "processor_config.json").write_text(
            f'{{"image_seq_length": 9, "num_image_tokens": 25, "video_processor": {{"size": {size},'
            ' "resample": 3, "image_mean": [0.5, 0.4, 0.6], "image_std": [0.5, 0.3, 0.2]}}',
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
    """The model of transformers."""
    from edgeval.export.checkpoint import load

    return load(checkpoint).model


@pytest.fixture(scope="module")
def ort_files(family: str, folder: Path, loaded: Any) -> Mapping[str, GraphFiles]:
    """The graphs of the flavour ort in two precisions, traced once."""
    import onnx

    from edgeval.export import late, quantise, trace

    embed, vision = (folder / f"onnx/{name}.onnx" for name in ("embed_tokens", "vision_encoder"))
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
    """Noise as a model sees it."""
    rng = np.random.default_rng(n_frames)
    n_source = STEP * n_frames
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=n_source,
        fps=FPS,
        duration_s=n_source / FPS,
        width=width,
        height=height,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_source) / FPS,
    )
    indices = tuple(range(0, n_source, STEP))
    plan = FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices))
    shrink = model.shrinker(plan)
    images = rng.integers(0, 256, (n_frames, height, width, 3), dtype=np.uint8)
    return Frames(
        plan=plan,
        pixels=tuple(shrink(Picture(planes=None, rgb=image)) for image in images),
        pts_s=np.array(indices) / FPS,
    )


@dataclass(frozen=True)
class Said:
    """Prompt, 64 tokens, and the logits after the prompt."""

    prompt: tuple[int, ...]
    tokens: list[int]
    logits: np.ndarray

    def error(self, want: Said) -> float:
        """Of the logits, in their standard deviations."""
        assert self.prompt == want.prompt
        return float(np.sqrt(np.mean((self.logits - want.logits) ** 2)) / want.logits.std())


def said(model: Model, frames: Frames) -> Said:
    """By our own loop."""
    view = model.see(frames)
    prompt = model.prompt(view, Ask(text="Which came first?", max_new_tokens=N_TOKENS))
    tokens = model.answer(view, prompt, Decoding(), max_new_tokens=N_TOKENS).token_ids
    seen = model._with_features(view) if view.features is None else view
    context = model._graphs.start(len(prompt.token_ids))
    logits = model._inputs(prompt.token_ids, seen).append_to(context)
    return Said(prompt.token_ids, list(tokens), np.array(logits))


def generated(kind: Kind, loaded: Any, model: Model, frames: Frames) -> Said:
    """What generate() of transformers says, end token or not."""
    import torch

    ask = Ask(text="Which came first?", max_new_tokens=N_TOKENS)
    prompt = model.prompt(model.see(frames), ask).token_ids
    ids = torch.tensor([prompt])
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    loaded.generation_config.eos_token_id = None
    if kind.patched:
        loaded.model.rope_deltas = None
        inputs |= patched(loaded, ids, model, frames)
    else:
        feeds = [np.asarray(feed["pixel_values"]) for feed in model.processor.feeds(frames.pixels)]
        pixels = torch.from_numpy(np.concatenate(feeds))
        inputs[kind.port] = pixels if kind.port == "pixel_values" else pixels[None]
    with torch.no_grad():
        out = loaded.generate(
            **inputs,
            do_sample=False,
            max_new_tokens=N_TOKENS,
            min_new_tokens=N_TOKENS,
            output_logits=True,
            return_dict_in_generate=True,
        )
    return Said(prompt, out.sequences[0, len(prompt) :].tolist(), out.logits[0][0].numpy())


def patched(loaded: Any, ids: Any, model: Model, frames: Frames) -> dict[str, Any]:
    """Inputs of the families that see patches with a grid."""
    import torch

    feeds = list(model.processor.feeds(frames.pixels))
    grid = np.array(feeds[0]["grid_thw"])
    grid[0, 0] = sum(feed["grid_thw"][0, 0] for feed in feeds)
    inputs = {
        "mm_token_type_ids": 2 * (ids == VIDEO_TOKEN).long(),
        "pixel_values_videos": torch.from_numpy(np.concatenate([f["pixel_values"] for f in feeds])),
        "video_grid_thw": torch.from_numpy(grid),
    }
    if hasattr(loaded.config.vision_config, "tokens_per_second"):
        # Two frames to a patch.
        inputs["second_per_grid_ts"] = torch.tensor([2 * STEP / FPS])
    return inputs


@pytest.fixture(scope="module")
def wanted(kind: Kind, loaded: Any, opened: Models) -> Callable[[str], tuple[Frames, Said]]:
    """A clip and what transformers says of it, asked once for both flavours."""

    @cache
    def ask(name: str) -> tuple[Frames, Said]:
        model = opened()
        frames = clip(model, *kind.clips[name])
        return frames, generated(kind, loaded, model, frames)

    return ask

"""Real engines of every family's graphs, built by TensorRT-RTX on the CPU; none of them is run.

Six families, three graphs each, float32 and float16, prefill and decode profiles of the decoder.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeval.engines import GraphFiles, open_graphs
from edgeval.engines.trt import (
    building,
    graphfile,
    library,
    operators,
    profiles,
    rows,
    scatter,
)
from edgeval.engines.trt.building import Source, Target
from edgeval.engines.trt.making import Making, make
from edgeval.engines.trt.ways import IN_PLACE, WAYS
from edgeval.errors import EngineError

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

VERSIONS = ((10, 3), (10, 16), (11, 0))
TEXT = {
    "vocab_size": 1040,
    "hidden_size": 96,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
QWEN = {
    "text_config": {
        **TEXT,
        "rope_parameters": {
            "rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3],
        },
    },
    "image_token_id": 1030, "video_token_id": 1031,
    "vision_start_token_id": 1032, "vision_end_token_id": 1033,
}  # fmt: skip
TOWER = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4,
}  # fmt: skip
WINDOWED = {
    "depth": 2, "hidden_size": 32, "out_hidden_size": 96, "intermediate_size": 40, "num_heads": 4,
}  # fmt: skip
# Module of transformers, beginning of its class names, and what the config is made of.
FAMILIES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "smolvlm": ("SmolVLM", {
        "image_token_id": 5, "scale_factor": 2, "tie_word_embeddings": False, "pad_token_id": 0,
        "text_config": {**TEXT, "model_type": "llama"},
        "vision_config": {**TOWER, "image_size": 48, "patch_size": 12},
    }),
    "internvl": ("InternVL", {
        "image_token_id": 1030, "image_seq_length": 4, "downsample_ratio": 0.5,
        "text_config": {**TEXT, "model_type": "qwen2"},
        "vision_config": {**TOWER, "image_size": [48, 48], "patch_size": [12, 12]},
    }),
    "llava_onevision": ("LlavaOnevision", {
        "image_token_index": 1030, "video_token_index": 1031, "vision_feature_layer": -1,
        "vision_feature_select_strategy": "full", "image_grid_pinpoints": [[48, 48]],
        "text_config": {**TEXT, "model_type": "qwen2"},
        "vision_config": {
            **TOWER, "model_type": "siglip_vision_model", "image_size": 48, "patch_size": 12,
            "vision_use_head": False,
        },
    }),
    "qwen2_vl": ("Qwen2VL", {**QWEN, "vision_config": {
        "depth": 2, "embed_dim": 32, "hidden_size": 96, "mlp_ratio": 3, "num_heads": 4,
        "patch_size": 14,
    }}),
    "qwen2_5_vl": ("Qwen2_5_VL", {**QWEN, "vision_config": {
        **WINDOWED, "patch_size": 14, "window_size": 84, "fullatt_block_indexes": [1],
    }}),
    "qwen3_vl": ("Qwen3VL", {**QWEN, "vision_config": {
        **WINDOWED, "patch_size": 16, "num_position_embeddings": 144,
        "deepstack_visual_indexes": [0],
    }}),
}  # fmt: skip
GRAPHS = {"vision": "vision_encoder", "embed": "embed_tokens", "decoder": "decoder_model_merged"}


@pytest.fixture(scope="module")
def target(tmp_path_factory) -> Target:
    """TensorRT-RTX for Ampere, which this machine need not have."""
    try:
        found = library.load((library.RTX,))
    except EngineError as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("engines")
    return Target(library=found, sm=86, device="", shared_memory=False, root=root)


@pytest.fixture(scope="module", params=FAMILIES)
def model(request, hf) -> tuple[str, Any]:
    """A family's name and a model of it, small and random."""
    return request.param, small(request.param)


def small(name: str) -> Any:
    """A random model of a family."""
    kind, values = FAMILIES[name]
    part = f"transformers.models.{name}"
    configs = importlib.import_module(f"{part}.configuration_{name}")
    models = importlib.import_module(f"{part}.modeling_{name}")
    torch.manual_seed(5)
    config = getattr(configs, f"{kind}Config")(**values)
    return getattr(models, f"{kind}ForConditionalGeneration")(config).eval()


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A model's graphs and what torch says. ``files``: precision to role to path."""

    files: Mapping[str, Mapping[str, Path]]
    fixed: Any
    reference: Any


@pytest.fixture(scope="module")
def exported(target, model, tmp_path_factory) -> Exported:
    """A family's graphs in both precisions, as ``edgeval export --flavour plain`` writes them."""
    from edgeval.export import graphfiles, proof, quantise, trace

    name, network = model
    module = importlib.import_module(f"edgeval.export.{name}")
    folder = tmp_path_factory.mktemp(name)
    fixed = module.fixed_inputs(network)
    reference = proof.reference(network, fixed)
    names = {layer: layer_name for layer_name, layer in network.named_modules()}
    files = {}
    # Traced once for both: that is what takes long.
    traced = {spec.name: trace.trace(spec, names) for spec in module.graphs(network, "plain")}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trace, "trace", lambda spec, _names: traced[spec.name])
        for precision in ("fp32", "fp16"):
            form = graphfiles.Form(
                precision=precision,
                flavour="plain",
                settings=quantise.DEFAULT,
                ranges=reference.ranges,
                names=names,
            )
            written = graphfiles.write(folder, module.graphs(network, "plain"), form)
            files[precision] = {role: written.files[GRAPHS[role]].path for role in GRAPHS}
    return Exported(files=files, fixed=fixed, reference=reference)


def wanted(source: Source) -> tuple[profiles.Profile, ...]:
    """Profiles as a run of a small clip needs them."""
    inputs, _ = source.ports()
    if source.role == "decoder":
        return profiles.decoder_profiles(inputs, 2048)
    if source.role == "embed":
        return (profiles.tokens_profile(inputs, 100),)
    feeds: dict[str, np.ndarray] = {}
    for name, port in inputs.items():
        if name.endswith("grid_thw"):
            feeds[name] = np.array([[2, 8, 12]])
        else:
            free = iter((1, 3) if len(port.shape) > 2 and port.shape[1] != 3 else (3,))
            shape = [n if isinstance(n, int) else next(free) for n in port.shape]
            feeds[name] = np.zeros([2 * 8 * 12, shape[1]] if len(shape) == 2 else shape)
    return (profiles.vision_profile(inputs, feeds),)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("role", GRAPHS)
def test_an_engine_is_built(target, exported, role, precision):
    source = building.source(role, exported.files[precision][role], target.operator_version)
    stored = building.engine(target, source, wanted(source))
    assert stored.path.stat().st_size > 10_000
    assert len(stored.profiles) == (2 if role == "decoder" else 1)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_an_engine_that_keeps_its_cache_in_place_is_built(target, exported, precision):
    path = exported.files[precision]["decoder"]
    source = building.source("decoder", path, target.operator_version, IN_PLACE)
    IN_PLACE.check(target.library, source.graph)
    stored = building.engine(target, source, wanted(source))
    assert stored.path.stat().st_size > 10_000


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_decoder_in_place_has_the_operators_of_10_15(exported, precision, tmp_path):
    graph = graphfile.read(exported.files[precision]["decoder"])
    profile, _ = profiles.decoder_profiles(IN_PLACE.ports(graph)[0], 64)
    path = tmp_path / "decoder.onnx"
    path.write_bytes(IN_PLACE.rewritten(graph, profile))
    assert operators.objections(graphfile.read(path), (10, 15)) == []


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_takes_the_operators(exported, version, precision):
    for role, path in exported.files[precision].items():
        found = building.source(role, path, version)
        assert operators.objections(found.graph, version) == []


def test_the_float16_cache_is_float16(exported):
    found = building.source("decoder", exported.files["fp16"]["decoder"], (10, 3))
    assert {cache.dtype for cache in rows.caches(found.graph)} == {"float16"}


@pytest.mark.parametrize("engine", WAYS)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_hosts_part_says_what_torch_says(exported, host_engine, precision, engine):
    """The cache, grids, positions and deep features, with onnxruntime in TensorRT's place."""
    from edgeval.export import proof

    graphs = open_graphs(engine, GraphFiles(**exported.files[precision]))
    proved = proof.prove(exported.reference, graphs, fixed=exported.fixed, precision=precision)
    graphs.close()
    assert proved.holds, proved


def test_a_cache_in_place_is_what_the_library_takes_it_for(target, plain, tmp_path):
    """Else it would not mind that its size is left open."""
    making = Making(
        model=scatter.rewritten(plain, scatter.CONTEXT),
        path=plain.path,
        profiles=profiles.decoder_profiles(scatter.ports(plain)[0], 1024),
        sm=target.sm,
        memory=0,
        timing=tmp_path / "timing",
        output=tmp_path / "engine",
    )
    with pytest.raises(EngineError, match="KV cache tensor must have a static sequence length"):
        make(target.library, making, lambda *_: None)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_weights_beside_a_graph_are_found(target, plain, tmp_path, way):
    """They are too large for one file from 1.5 GB on; the rewritten graph is never one."""
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "decoder.onnx"
    model = onnx.load(plain.path)
    onnx.save_model(
        model, str(path), save_as_external_data=True, location="weights", size_threshold=1024
    )
    source = building.source("decoder", path, target.operator_version, way)
    stored = building.engine(target, source, wanted(source))
    assert stored.path.stat().st_size > (tmp_path / "weights").stat().st_size


@pytest.mark.parametrize(("precision", "first"), [("int8", (10, 3)), ("q4", (10, 9))])
def test_weights_in_fewer_bits_are_built(target, hf, tmp_path, precision, first):
    """DequantizeLinear by column, and by block in int4, which is of opset 21."""
    from edgeval.export import late, quantise, smolvlm, trace

    traced = trace.trace(smolvlm.graphs(small("smolvlm"), "plain")[2], {})
    smaller = quantise.quantise(traced, precision=precision, flavour="plain")
    (path, *_) = late.save(smaller, tmp_path / "decoder.onnx")
    for way in WAYS.values():
        source = building.source("decoder", path, first, way)
        assert building.engine(target, source, wanted(source)).path.stat().st_size > 10_000
    if first > (10, 3):
        with pytest.raises(EngineError, match="opset 21"):
            building.source("decoder", path, (10, 3))

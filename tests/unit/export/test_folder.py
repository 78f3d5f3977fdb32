"""Whole exports: the graphs are the model, token for token, and the folder says so."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from edgeval.engines import Graphs
from edgeval.errors import ManifestError
from edgeval.model import open_model
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Decoding, FramePlan, FrameRule, Frames, VideoInfo

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
pytest.importorskip("transformers")

N_TOKENS = 64
PROCESSOR = """{"image_seq_len": %d, "video_processor": {"image_mean": [0.5, 0.5, 0.5],
"image_std": [0.5, 0.5, 0.5], "resample": 1, "max_image_size": {"longest_edge": %d},
"video_sampling": {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": %d}}}}"""


def plan(checkpoint: Path, output: Path, **changes):
    from edgeval.export.folder import Plan

    values = {
        "checkpoint": checkpoint,
        "output": output,
        "precision": "fp32",
        "flavour": "plain",
        "name": "exported",
        "source": "a test",
        "licence": "Apache-2.0",
        **changes,
    }
    return Plan(**values)


@pytest.fixture(scope="module")
def odd(tmp_path_factory, hf, tiny) -> Path:
    """A random-weight SmolVLM of other sizes: grouped heads, untied head, 16 tokens a frame."""
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMForConditionalGeneration

    torch.manual_seed(3)
    config = SmolVLMConfig(
        image_token_id=5,
        scale_factor=2,
        tie_word_embeddings=False,
        pad_token_id=0,
        text_config={
            "model_type": "llama",
            "vocab_size": 1040,
            "hidden_size": 48,
            "intermediate_size": 112,
            "num_hidden_layers": 2,
            "num_attention_heads": 6,
            "num_key_value_heads": 2,
            "head_dim": 8,
            "max_position_embeddings": 2048,
            "initializer_range": 0.15,
            "pad_token_id": 0,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "image_size": 96,
            "patch_size": 12,
        },
    )
    folder = tmp_path_factory.mktemp("odd")
    model = SmolVLMForConditionalGeneration(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape) * 0.08)
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tiny / name, folder / name)
    (folder / "processor_config.json").write_text(PROCESSOR % (16, 96, 96), "utf-8")
    return folder


@pytest.fixture(scope="module")
def trained(shared, tmp_path_factory) -> Path:
    """The trained prototype, with the processor config it lacks."""
    folder = tmp_path_factory.mktemp("trained")
    for path in (shared / "prototypes/tiny/ckpt").iterdir():
        shutil.copyfile(path, folder / path.name)
    (folder / "processor_config.json").write_text(PROCESSOR % (4, 64, 64), "utf-8")
    return folder


@pytest.fixture(scope="module")
def exported(odd, tmp_path_factory) -> Path:
    """The odd model in full precision, standard operators."""
    from edgeval.export.folder import export

    output = tmp_path_factory.mktemp("exported") / "model"
    export(plan(odd, output))
    return output


def clip(side: int, n_frames: int = 3) -> Frames:
    rng = np.random.default_rng(8)
    info = VideoInfo(
        path=Path("noise.mp4"),
        n_frames=n_frames,
        fps=1.0,
        duration_s=float(n_frames),
        width=side,
        height=side,
        rotation_deg=0,
        pix_fmt="yuv420p",
        codec="h264",
        pts_s=np.arange(n_frames, dtype=float),
    )
    indices = tuple(range(n_frames))
    return Frames(
        plan=FramePlan(info=info, indices=indices, rule=FrameRule(how="indices", indices=indices)),
        pixels=tuple(rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in indices),
        pts_s=info.pts_s,
    )


def torch_answer(checkpoint: Path, prompt: tuple[int, ...], frames: Frames) -> list[int]:
    """What generate() of transformers says, 64 tokens, end token or not."""
    from edgeval.export.checkpoint import load

    pixels = (np.stack(frames.pixels).astype(np.float32) - 127.5) / np.float32(127.5)
    model = load(checkpoint).model
    model.generation_config.eos_token_id = None
    with torch.no_grad():
        out = model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.int64),
            pixel_values=torch.from_numpy(pixels.transpose(0, 3, 1, 2)[None].copy()),
            do_sample=False,
            max_new_tokens=N_TOKENS,
            min_new_tokens=N_TOKENS,
        )
    return out[0, len(prompt) :].tolist()


def our_answer(folder: Path, frames: Frames, *, share: bool) -> tuple[tuple[int, ...], list[int]]:
    """Prompt and 64 tokens of our own loop, end tokens taken as words."""
    model = open_model(folder, engine="cpu", precision=None, threads=1, share=share)
    model._stops = dataclasses.replace(model._stops, eos_ids=frozenset())
    view = model.see(frames)
    prompt = model.prompt(view, Ask(text="Which sign stood first?", max_new_tokens=N_TOKENS))
    generation = model.answer(view, prompt, Decoding(), max_new_tokens=N_TOKENS)
    return prompt.token_ids, list(generation.token_ids)


@pytest.fixture(scope="module")
def trained_folder(trained, tmp_path_factory, hf) -> Path:
    """The trained prototype as onnxruntime likes it best."""
    from edgeval.export.folder import export

    output = tmp_path_factory.mktemp("trained_folder") / "model"
    export(plan(trained, output, flavour="ort"))
    return output


@pytest.fixture(scope="module")
def odd_wanted(odd, exported) -> list[int]:
    """The odd checkpoint's own answer."""
    prompt, _ = our_answer(exported, clip(96), share=True)
    return torch_answer(odd, prompt, clip(96))


@pytest.fixture(scope="module")
def trained_wanted(trained, trained_folder) -> list[int]:
    """The trained checkpoint's own answer."""
    prompt, _ = our_answer(trained_folder, clip(64), share=True)
    return torch_answer(trained, prompt, clip(64))


@pytest.mark.parametrize("share", [True, False])
def test_64_tokens_equal_generate_on_other_sizes(exported, odd_wanted, share):
    assert our_answer(exported, clip(96), share=share)[1] == odd_wanted


@pytest.mark.parametrize("share", [True, False])
def test_64_tokens_equal_generate_on_the_trained_model(trained_folder, trained_wanted, share):
    assert our_answer(trained_folder, clip(64), share=share)[1] == trained_wanted


def test_weights_that_are_not_all_there_are_refused(odd, tmp_path):
    from safetensors.numpy import load_file, save_file

    from edgeval.export import checkpoint

    shutil.copytree(odd, tmp_path, dirs_exist_ok=True)
    tensors = load_file(odd / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(ManifestError, match=r"lack 1 tensors, lm_head\.weight"):
        checkpoint.load(tmp_path)


def test_the_manifest_holds_the_proof(exported):
    proof = manifest.load(exported).variant("fp32").proof
    assert (proof["tokens"], proof["equal_tokens"]) == (64, 64)


def test_every_promised_hash_holds(exported):
    found = manifest.load(exported)
    assert manifest.verify(found, found.variant(None))


def test_plain_graphs_hold_standard_operators_only(exported):
    onnx = pytest.importorskip("onnx")
    for path in (exported / "onnx").glob("*.onnx"):
        model = onnx.load(path)
        assert {entry.domain: entry.version for entry in model.opset_import} == {"": 18}
        assert {node.op_type for node in model.graph.node} & {"If", "Loop", "Scan"} == set()


def test_graphs_name_nothing_of_the_machine(exported):
    onnx = pytest.importorskip("onnx")
    for path in (exported / "onnx").glob("*.onnx"):
        graph = onnx.load(path).graph
        assert not any(node.doc_string or node.metadata_props for node in graph.node)
        assert str(Path(__file__).parent).encode() not in path.read_bytes()


def test_the_same_checkpoint_gives_the_same_bytes(odd, exported, hf):
    from edgeval.export import checkpoint, smolvlm, trace

    spec = smolvlm.graphs(checkpoint.load(odd).model, "plain")[2]
    again = trace.trace(spec).whole().SerializeToString(deterministic=True)
    assert again == (exported / "onnx/decoder_model_merged.onnx").read_bytes()


@pytest.fixture
def traced_before(exported, monkeypatch):
    """Tracing gives the graphs of ``exported`` again, in the plan's folder and without the wait."""
    from edgeval.export import graphfiles

    def write(folder, specs, form):
        files = {}
        for role, file in manifest.load(exported).variant("fp32").graphs.items():
            target = folder / f"{form.precision}_{file.path.name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.path, target)
            files[role] = dataclasses.replace(file, path=target)
        return graphfiles.Written(files=files, told={})

    monkeypatch.setattr(graphfiles, "write", write)


def test_a_second_precision_joins_the_first(odd, tmp_path, traced_before):
    from edgeval.export.folder import export

    export(plan(odd, tmp_path))
    export(plan(odd, tmp_path, precision="int8"))
    found = manifest.load(tmp_path)
    assert (sorted(found.variants), found.default) == (["fp32", "int8"], "fp32")
    assert "perplexity" not in found.variants["fp32"].proof
    told = found.variants["int8"].proof
    assert told["perplexity"] == pytest.approx(told["perplexity_fp32"], rel=0.1)
    assert 0.9 < float(told["argmax_agreement"]) <= 1


def test_another_models_folder_is_not_written_over(odd, exported):
    from edgeval.export.folder import export

    with pytest.raises(ManifestError, match="holds model 'exported'"):
        export(plan(odd, exported, name="another"))


def test_graphs_that_are_not_the_model_are_not_shipped(odd, tmp_path, monkeypatch, traced_before):
    from edgeval.export import folder, proof

    class Wrong:
        """Graphs whose features are off."""

        def __init__(self, graphs: Graphs) -> None:
            self._graphs = graphs

        def see(self, feeds):
            return {k: v + np.float32(0.1) for k, v in self._graphs.see(feeds).items()}

        def __getattr__(self, name: str):
            return getattr(self._graphs, name)

    prove = proof.prove
    monkeypatch.setattr(
        proof, "prove", lambda wanted, graphs, **rest: prove(wanted, Wrong(graphs), **rest)
    )
    with pytest.raises(ManifestError, match="differ from the checkpoint"):
        folder.export(plan(odd, tmp_path))
    assert not (tmp_path / manifest.FILE).exists()


@pytest.fixture
def traced(exported, monkeypatch) -> tuple[str, ...]:
    """Names of graphs that are traced already: those of ``exported``."""
    onnx = pytest.importorskip("onnx")
    from edgeval.export import late, trace

    def loaded(spec, names):
        return late.Traced.of(onnx.load(exported / f"onnx/{spec.name}.onnx"))

    monkeypatch.setattr(trace, "trace", loaded)
    return ("vision_encoder", "embed_tokens", "decoder_model_merged")


def test_dynamic_activations_on_request_are_told_and_never_share(odd, tmp_path, traced):
    from edgeval.export.folder import export

    export(plan(odd, tmp_path / "model", precision="int8", dynamic=True))
    variant = manifest.load(tmp_path / "model").variant("int8-dynamic")
    assert variant.graphs["decoder_model_merged"].path.name.endswith("_int8_dynamic.onnx")
    assert variant.proof["activations"] == "dynamic"
    assert 0 < variant.proof["rms_dlogit"] < variant.proof["logit_std"]
    assert variant.proof["perplexity"] != variant.proof["perplexity_fp32"]
    assert variant.proof["prompt_perplexity"] != variant.proof["prompt_perplexity_fp32"]
    answers = [our_answer(tmp_path / "model", clip(96), share=share) for share in (True, False)]
    assert answers[0] == answers[1]


def test_a_head_of_four_bits_on_request(odd, tmp_path, traced):
    from edgeval.export.folder import export

    sizes = []
    for bits in (8, 4):
        wanted = {"precision": "q4", "flavour": "ort", "head_bits": bits}
        export(plan(odd, tmp_path / str(bits), **wanted))
        variant = manifest.load(tmp_path / str(bits)).variant("q4")
        sizes.append(variant.graphs["decoder_model_merged"].path.stat().st_size)
        assert variant.proof["head_bits"] == bits
    assert sizes[1] < sizes[0]


def test_weights_beside_the_graphs_are_proved_and_promised(odd, tmp_path, monkeypatch, traced):
    """What checkpoints of gigabytes go through, at the size of a toy."""
    from edgeval.export import folder, late

    monkeypatch.setattr(late, "MAX_INLINE_BYTES", 1)
    folder.export(plan(odd, tmp_path / "model"))
    found = manifest.load(tmp_path / "model")
    roles = found.variant("fp32").graphs
    assert {role for role in roles if role.endswith("_data")} == {f"{name}_data" for name in traced}
    assert manifest.verify(found, found.variant(None))
    assert found.variant("fp32").proof["equal_tokens"] == N_TOKENS


def test_the_checkpoint_is_gone_before_the_graphs_come(odd, tmp_path, monkeypatch, traced):
    """Of either there may be gigabytes; large weights stay as their file has them, with hooks."""
    import gc
    import weakref

    from safetensors.torch import load_file, save_file

    from edgeval.export import checkpoint, folder, thin

    shutil.copytree(odd, tmp_path / "half")
    weights = {name: t.bfloat16() for name, t in load_file(odd / "model.safetensors").items()}
    save_file(weights, tmp_path / "half/model.safetensors", {"format": "pt"})
    config = (odd / "config.json").read_text("utf-8")
    (tmp_path / "half/config.json").write_text(config.replace("float32", "bfloat16"), "utf-8")
    monkeypatch.setitem(thin.thin.__kwdefaults__, "small", 0)
    load = checkpoint.load
    layers: list[weakref.ref[torch.nn.Module]] = []
    weights = []

    def loading(path):
        loaded = load(path)
        # As onnxscript does, which remembers the last graph.
        weights.extend(loaded.model.parameters())
        layers.extend(weakref.ref(layer) for layer in loaded.model.modules())
        return loaded

    class Opened(Exception):
        """As far as it needs to go."""

    def opening(engine, files):
        del engine, files
        raise Opened(sum(layer() is not None for layer in layers))

    monkeypatch.setattr(checkpoint, "load", loading)
    monkeypatch.setattr(folder, "open_graphs", opening)
    gc.disable()
    try:
        with pytest.raises(Opened) as held:
            folder.export(plan(tmp_path / "half", tmp_path / "model"))
    finally:
        gc.enable()
    assert len(layers) > 20
    assert held.value.args == (0,)
    assert sum(weight.untyped_storage().nbytes() for weight in weights) == 0

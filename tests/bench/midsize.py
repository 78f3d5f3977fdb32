"""Random checkpoints of real widths, and one clip through what is exported of them.

    python tests/bench/midsize.py make smolvlm LIKE OUT      a checkpoint in bfloat16
    python tests/bench/midsize.py export OUT MODEL q4 ort    edgeval export, and its peak memory
    python tests/bench/midsize.py run MODEL CLIP 16          one question on a clip: times, memory

LIKE is a small checkpoint of the family, whose tokenizer and token ids are taken. Widths are those
of the published model named beside each; depths are cut so that 100 to 500 million weights are
left, and vocabularies to 32,768 tokens. Weights are drawn from a normal distribution, so answers
mean nothing. Each prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

VOCABULARY = 32_768
SECONDS = 60
QWEN2_VL_2B: Mapping[str, Any] = {
    "text_config": {
        "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28,
        "num_attention_heads": 12, "num_key_value_heads": 2, "vocab_size": 151_936,
        "rope_parameters": {
            "mrope_section": [16, 24, 24], "rope_theta": 1e6, "rope_type": "default"
        },
    },
    "vision_config": {
        "depth": 32, "embed_dim": 1280, "hidden_size": 1536, "mlp_ratio": 4, "num_heads": 16
    },
}  # fmt: skip
QWEN2_05B = {
    "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 16,
    "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": VOCABULARY,
    "layer_types": ["full_attention"] * 16, "max_window_layers": 16,
}  # fmt: skip
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "qwen2_vl-2b": QWEN2_VL_2B,
    # SmolVLM2-256M-Video-Instruct, whole.
    "smolvlm": {
        "text_config": {
            "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "head_dim": 64,
            "num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49_280,
        },
        "vision_config": {
            "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12,
            "num_attention_heads": 12,
        },
    },
    # Qwen2-VL-2B.
    "qwen2_vl": {
        "text_config": {
            **QWEN2_VL_2B["text_config"], "num_hidden_layers": 4, "vocab_size": VOCABULARY,
            "layer_types": ["full_attention"] * 4,
        },
        "vision_config": {**QWEN2_VL_2B["vision_config"], "depth": 8},
    },
    # Qwen2.5-VL-3B.
    "qwen2_5_vl": {
        "text_config": {
            "hidden_size": 2048, "intermediate_size": 11_008, "num_hidden_layers": 3,
            "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": VOCABULARY,
            "rope_parameters": {
                "mrope_section": [16, 24, 24], "rope_theta": 1e6, "rope_type": "default"
            },
        },
        "vision_config": {
            "depth": 8, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16,
            "out_hidden_size": 2048, "fullatt_block_indexes": [3, 7],
        },
    },
    # Qwen3-VL-2B.
    "qwen3_vl": {
        "text_config": {
            "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 4,
            "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
            "vocab_size": VOCABULARY,
            "rope_parameters": {
                "mrope_interleaved": True, "mrope_section": [24, 20, 20], "rope_theta": 5e6,
                "rope_type": "default",
            },
        },
        "vision_config": {
            "depth": 8, "hidden_size": 1024, "intermediate_size": 4096, "num_heads": 16,
            "out_hidden_size": 2048, "deepstack_visual_indexes": [2, 4, 6],
        },
    },
    # llava-onevision-qwen2-0.5b.
    "llava_onevision": {
        "text_config": QWEN2_05B,
        "vision_config": {
            "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 8,
            "num_attention_heads": 16,
        },
    },
    # InternVL3-1B.
    "internvl": {
        "text_config": QWEN2_05B,
        "vision_config": {
            "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 12,
            "num_attention_heads": 16,
        },
    },
}  # fmt: skip


def make(shape: str, like: Path, out: Path) -> dict[str, object]:
    """Write a checkpoint tensor by tensor, so that its size does not matter."""
    import torch

    # Beside this folder, and found by no one who runs this file.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
    from gpu_check.checkpoint import write_weights
    from gpu_check.families import model_class

    out.mkdir(parents=True)
    for path in like.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            shutil.copyfile(path, out / path.name)
    config = json.loads((like / "config.json").read_text("utf-8"))
    for part, sizes in SHAPES[shape].items():
        config[part] |= sizes
        if "layer_types" in config[part]:
            config[part]["layer_types"] = ["full_attention"] * config[part]["num_hidden_layers"]
    config |= {"tie_word_embeddings": True, "dtype": "bfloat16"}
    config["text_config"]["tie_word_embeddings"] = True
    (out / "config.json").write_text(json.dumps(config, indent=1), "utf-8")
    kind = model_class(config["model_type"])
    with torch.device("meta"):
        model = kind(kind.config_class(**config))
    tensors = {
        name: tuple(tensor.shape)
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"
    }
    write_weights(out / "model.safetensors", tensors)
    return {"weights": sum(torch.Size(shape).numel() for shape in tensors.values())}


def export(checkpoint: Path, model: Path, precision: str, flavour: str) -> dict[str, object]:
    """Export in a process of its own; peak memory beside the size of the weights on disk."""
    command = [sys.executable, "-m", "edgeval", "export", str(checkpoint), "-o", str(model)]
    command += ["--precision", precision, "--flavour", flavour]
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    size = sum(path.stat().st_size for path in checkpoint.glob("*.safetensors"))
    return {
        "said": done.stdout.strip(),
        "seconds": round(time.perf_counter() - start, 1),
        "peak_MB": peak // 1_000_000,
        "checkpoint_MB": size // 1_000_000,
        "peak_over_checkpoint": round(peak / size, 2),
    }


def run(folder: Path, video: Path, n_frames: int) -> dict[str, object]:
    """One question on one clip: what each stage took, and the process's peak memory."""
    from dataclasses import replace

    from edgeval import frames
    from edgeval.media import decode, probe
    from edgeval.model import open_model
    from edgeval.types import Ask, Decoding, FrameRule

    start = time.perf_counter()
    model = open_model(folder, engine="cpu", precision=None, threads=None)
    opened = time.perf_counter()
    model._stops = replace(model._stops, eos_ids=frozenset())
    info = probe.probe(video)
    # Spread over its first minute.
    last = min(info.n_frames, round(SECONDS * info.fps)) - 1
    indices = tuple(at * last // (n_frames - 1) for at in range(n_frames))
    plan = frames.plan(info, FrameRule(how="indices", indices=indices))
    decoded = decode.decode(plan, shrink=model.shrinker(plan))
    seen = time.perf_counter()
    view = model.see(decoded)
    prompt = model.prompt(view, Ask(text="What happens at the end?", max_new_tokens=32))
    said = model.answer(view, prompt, Decoding(), max_new_tokens=32)
    timing = asdict(said.timing)
    steps = timing.pop("step_s")
    return {
        "frames": len(decoded.pixels),
        "tokens": len(prompt.token_ids),
        "open_s": round(opened - start, 2),
        "decode_s": round(seen - opened, 2),
        **{name: round(value, 2) for name, value in timing.items() if isinstance(value, float)},
        "ms_a_token": round(1000 * sorted(steps)[len(steps) // 2], 1),
        "peak_MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 // 1_000_000,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, names in (
        ("make", ("shape", "like", "out")),
        ("export", ("checkpoint", "model", "precision", "flavour")),
        ("run", ("model", "clip", "frames")),
    ):
        one = verbs.add_parser(verb)
        for name in names:
            one.add_argument(name, choices=list(SHAPES) if name == "shape" else None)
    given = parser.parse_args()
    found: dict[str, object]
    if given.verb == "make":
        found = make(given.shape, Path(given.like), Path(given.out))
    elif given.verb == "export":
        found = export(Path(given.checkpoint), Path(given.model), given.precision, given.flavour)
    else:
        found = run(Path(given.model), Path(given.clip), int(given.frames))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()

"""A Qwen2-VL checkpoint with random weights, of the published 2B's widths or of next to none."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from gpu_check.families import model_class

MODEL_TYPE = "qwen2_vl"
WORDS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MARKS = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% for content in message['content'] %}"
    "{% if content['type'] == 'video' %}<|vision_start|><|video_pad|><|vision_end|>"
    "{% elif content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
# A normal distribution's numbers at a time.
PIECE = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the text and the vision part, by the names of transformers."""

    text: Mapping[str, Any]
    vision: Mapping[str, Any]


SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        # Qwen2-VL-2B-Instruct's config.json.
        "2b": Shape(
            text={
                "hidden_size": 1536,
                "intermediate_size": 8960,
                "num_hidden_layers": 28,
                "num_attention_heads": 12,
                "num_key_value_heads": 2,
                "vocab_size": 151_936,
                "rope_parameters": {
                    "mrope_section": [16, 24, 24],
                    "rope_theta": 1e6,
                    "rope_type": "default",
                },
            },
            vision={
                "depth": 32,
                "embed_dim": 1280,
                "hidden_size": 1536,
                "mlp_ratio": 4,
                "num_heads": 16,
                "patch_size": 14,
            },
        ),
        "tiny": Shape(
            text={
                "hidden_size": 128,
                "intermediate_size": 256,
                "num_hidden_layers": 2,
                "num_attention_heads": 4,
                "num_key_value_heads": 2,
                "vocab_size": 512,
                "rope_parameters": {
                    "mrope_section": [4, 6, 6],
                    "rope_theta": 1e6,
                    "rope_type": "default",
                },
            },
            vision={
                "depth": 2,
                "embed_dim": 64,
                "hidden_size": 128,
                "mlp_ratio": 4,
                "num_heads": 2,
                "patch_size": 14,
            },
        ),
    }
)


def make(shape: Shape, folder: Path) -> Path:
    """The folder, made once; weights in bfloat16, normally distributed, the same every time."""
    if (folder / "model.safetensors").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    ids = write_tokenizer(folder / "tokenizer.json")
    for name, value in texts_of(shape, ids).items():
        (folder / name).write_text(value, "utf-8")
    kind = model_class(MODEL_TYPE)
    with torch.device("meta"):
        model = kind(kind.config_class.from_pretrained(folder))
    tied = "lm_head.weight"
    sizes = {name: tuple(t.shape) for name, t in model.state_dict().items() if name != tied}
    beside = folder / "model.part"
    write_weights(beside, sizes)
    beside.replace(folder / "model.safetensors")
    return folder


def write_tokenizer(path: Path) -> Mapping[str, int]:
    """A token a byte, and the special ones; their ids."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    made = Tokenizer(models.BPE(vocab={one: at for at, one in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([*WORDS, *MARKS])
    made.save(str(path))
    vocabulary: dict[str, int] = made.get_vocab()
    return {one: vocabulary[one] for one in (*WORDS, *MARKS)}


def texts_of(shape: Shape, ids: Mapping[str, int]) -> dict[str, str]:
    """Every file but weights and tokenizer."""
    end = ids["<|im_end|>"]
    plain = {"bos_token_id": ids["<|endoftext|>"], "eos_token_id": end, "pad_token_id": end}
    seen = {
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "merge_size": 2,
        "patch_size": shape.vision["patch_size"],
        "temporal_patch_size": 2,
        "size": {"longest_edge": 12_845_056, "shortest_edge": 3136},
    }
    config = {
        "model_type": MODEL_TYPE,
        "dtype": "bfloat16",
        "tie_word_embeddings": True,
        "image_token_id": ids["<|image_pad|>"],
        "video_token_id": ids["<|video_pad|>"],
        "vision_start_token_id": ids["<|vision_start|>"],
        "vision_end_token_id": ids["<|vision_end|>"],
        "text_config": {
            "model_type": "qwen2_vl_text",
            "max_position_embeddings": 32_768,
            "tie_word_embeddings": True,
            "rms_norm_eps": 1e-6,
            **shape.text,
            **plain,
        },
        "vision_config": {
            "model_type": "qwen2_vl_vision",
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "in_channels": 3,
            **shape.vision,
        },
    }
    processor = {"image_processor": seen, "video_processor": seen}
    words = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    tables = {
        "config.json": config,
        "generation_config.json": plain,
        "processor_config.json": processor,
        "tokenizer_config.json": words,
    }
    texts = {name: json.dumps(table, indent=1) for name, table in tables.items()}
    return {**texts, "chat_template.jinja": TEMPLATE}


def write_weights(path: Path, sizes: Mapping[str, tuple[int, ...]]) -> None:
    """Tensors of those sizes, one after the other, so that their size does not matter.

    The safetensors format: the header's length, the header, the numbers.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, size in sizes.items():
        end = at + 2 * torch.Size(size).numel()
        header[name] = {"dtype": "BF16", "shape": list(size), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, size in sizes.items():
            for numbers in _numbers(name, size):
                file.write(numbers)


def _numbers(name: str, size: tuple[int, ...]) -> Iterator[bytes]:
    """Norms near one, biases near zero, the rest so that layers keep the size of what they get."""
    generator = torch.Generator().manual_seed(sum(name.encode()))
    middle = 1.0 if "norm" in name and name.endswith("weight") else 0.0
    spread = 0.02 if len(size) < 2 else 0.7 / (torch.Size(size[1:]).numel() ** 0.5)
    left = torch.Size(size).numel()
    while left:
        n = min(left, PIECE)
        numbers = torch.randn(n, generator=generator) * spread + middle
        yield numbers.to(torch.bfloat16).view(torch.int16).numpy().tobytes()
        left -= n

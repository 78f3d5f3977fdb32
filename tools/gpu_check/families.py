"""A model of each family, small and random, with attention heads as wide as real ones."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch

from edgeval.export.checkpoint import without_broken_torchvision
from edgeval.export.exporters import EXPORTERS

HEAD = 64
TEXT: Mapping[str, Any] = {
    "vocab_size": 1040,
    "hidden_size": 128,
    "intermediate_size": 320,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": HEAD,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
# Qwen2 has no width of heads of its own: it follows from the hidden size.
QWEN2 = {**{k: v for k, v in TEXT.items() if k != "head_dim"}, "hidden_size": 4 * HEAD}
PLACES = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]}
MARKS = {
    "image_token_id": 1030,
    "video_token_id": 1031,
    "vision_start_token_id": 1032,
    "vision_end_token_id": 1033,
}
TOWER = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
WINDOWED = {"depth": 2, "hidden_size": 64, "intermediate_size": 80, "num_heads": 2}
CONFIGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "smolvlm": {
            "image_token_id": 5,
            "scale_factor": 2,
            "tie_word_embeddings": False,
            "pad_token_id": 0,
            "text_config": {**TEXT, "model_type": "llama"},
            "vision_config": {**TOWER, "image_size": 48, "patch_size": 12},
        },
        "qwen2_vl": {
            **MARKS,
            "text_config": {**QWEN2, "rope_parameters": PLACES},
            "vision_config": {
                "depth": 2,
                "embed_dim": 64,
                "hidden_size": 4 * HEAD,
                "mlp_ratio": 3,
                "num_heads": 2,
                "patch_size": 14,
            },
        },
        "qwen2_5_vl": {
            **MARKS,
            "text_config": {**QWEN2, "rope_parameters": PLACES},
            "vision_config": {
                **WINDOWED,
                "out_hidden_size": 4 * HEAD,
                "patch_size": 14,
                "window_size": 84,
                "fullatt_block_indexes": [1],
            },
        },
        "qwen3_vl": {
            **MARKS,
            "text_config": {
                **TEXT,
                "rope_parameters": {**PLACES, "rope_theta": 5e6, "mrope_interleaved": True},
            },
            "vision_config": {
                **WINDOWED,
                "out_hidden_size": TEXT["hidden_size"],
                "patch_size": 16,
                "num_position_embeddings": 144,
                "deepstack_visual_indexes": [0],
            },
        },
        "llava_onevision": {
            "image_token_index": 1030,
            "video_token_index": 1031,
            "vision_feature_layer": -1,
            "vision_feature_select_strategy": "full",
            "image_grid_pinpoints": [[48, 48]],
            "text_config": {**QWEN2, "model_type": "qwen2"},
            "vision_config": {
                **TOWER,
                "model_type": "siglip_vision_model",
                "image_size": 48,
                "patch_size": 12,
                "vision_use_head": False,
            },
        },
        "internvl": {
            "image_token_id": 1030,
            "image_seq_length": 4,
            "downsample_ratio": 0.5,
            "text_config": {**QWEN2, "model_type": "qwen2"},
            "vision_config": {**TOWER, "image_size": [48, 48], "patch_size": [12, 12]},
        },
    }
)


def network(name: str) -> Any:
    """A family's model in float32 on the CPU, its weights from a fixed seed."""
    torch.manual_seed(5)
    kind = model_class(name)
    return kind(kind.config_class(**CONFIGS[name])).eval().requires_grad_(requires_grad=False)


def model_class(model_type: str) -> Any:
    """The class of transformers for a model_type."""
    module, _, name = EXPORTERS[model_type].model_class.partition(":")
    with without_broken_torchvision():
        return getattr(importlib.import_module(module), name)

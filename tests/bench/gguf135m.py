"""A checkpoint of SmolLM2-135M's shape in llama.cpp's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

LAYERS, HEADS, KV, WIDTH = 30, 9, 3, 64


def write_gguf(checkpoint: Path, path: Path, kind: str) -> None:
    """The checkpoint in llama.cpp's format. Names: gguf 0.19, constants.py."""
    import gguf
    from safetensors.numpy import load_file

    weights = load_file(checkpoint / "model.safetensors")
    writer = gguf.GGUFWriter(path, "llama")
    put_sizes(writer, n_words=len(weights["model.embed_tokens.weight"]))

    def add(name: str, source: str, heads: int = 0) -> None:
        array = weights[source]
        if heads:  # Its rope turns neighbours, not halves.
            array = array.reshape(heads, 2, WIDTH // 2, -1).swapaxes(1, 2).reshape(array.shape)
        if array.ndim == 1 or kind == "F32":
            writer.add_tensor(name, np.ascontiguousarray(array, np.float32))
            return
        types = gguf.GGMLQuantizationType
        bits = types.Q8_0 if name == "token_embd.weight" else types[kind]
        writer.add_tensor(name, gguf.quantize(array, bits), raw_dtype=bits)

    add("token_embd.weight", "model.embed_tokens.weight")
    add("output_norm.weight", "model.norm.weight")
    for at in range(LAYERS):
        layer, block = f"model.layers.{at}.", f"blk.{at}."
        add(block + "attn_norm.weight", layer + "input_layernorm.weight")
        add(block + "ffn_norm.weight", layer + "post_attention_layernorm.weight")
        add(block + "attn_q.weight", layer + "self_attn.q_proj.weight", HEADS)
        add(block + "attn_k.weight", layer + "self_attn.k_proj.weight", KV)
        add(block + "attn_v.weight", layer + "self_attn.v_proj.weight")
        add(block + "attn_output.weight", layer + "self_attn.o_proj.weight")
        for part in ("gate", "up", "down"):
            add(f"{block}ffn_{part}.weight", f"{layer}mlp.{part}_proj.weight")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def put_sizes(writer: Any, *, n_words: int) -> None:
    """What llama.cpp asks of a file besides its weights."""
    writer.add_context_length(8192)
    writer.add_embedding_length(HEADS * WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(1536)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_rope_freq_base(100000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{at}" for at in range(n_words)])
    writer.add_token_types([1] * n_words)
    writer.add_token_merges(["t 0"])

"""The network: a real SmolVLM, only small, and how its weights begin."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional

from edgeval.export.checkpoint import without_broken_torchvision
from training import passes
from training.batch import EARLY, UNTAUGHT, Batch
from training.view import FPS, MOST_FRAMES, SQUARE
from training.words import GROUPS, TOKENS_A_FRAME, UNSAID

with without_broken_torchvision():
    from transformers import (
        LlamaConfig,
        SmolVLMConfig,
        SmolVLMForConditionalGeneration,
        SmolVLMVisionConfig,
    )

PATCH, SHUFFLE = 8, 4
# Cosines are multiplied by this before the softmax of the slots.
SHARPNESS = 14.0
# Of how far image tokens are from their words, beside which of a group they are nearest to.
NEAR_WEIGHT = 0.5
# Of a told token, by its length: as far from its words as a seen one.
NOISE = 0.5
Model = SmolVLMForConditionalGeneration


def config(tokenizer: Tokenizer) -> SmolVLMConfig:
    """1.9 million parameters and the embeddings of the vocabulary."""
    pad, bos, eos, image = (
        tokenizer.token_to_id(token)
        for token in ("<|endoftext|>", "<|im_start|>", "<end_of_utterance>", "<image>")
    )
    ends = {"pad_token_id": pad, "bos_token_id": bos, "eos_token_id": eos}
    return SmolVLMConfig(
        vision_config=SmolVLMVisionConfig(
            hidden_size=96,
            intermediate_size=256,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=SQUARE,
            patch_size=PATCH,
        ),
        text_config=LlamaConfig(
            hidden_size=128,
            intermediate_size=256,
            num_hidden_layers=8,
            num_attention_heads=4,
            num_key_value_heads=4,
            vocab_size=tokenizer.get_vocab_size(),
            max_position_embeddings=4096,
            rope_theta=10000.0,
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
            **ends,
        ),
        scale_factor=SHUFFLE,
        image_token_id=image,
        tie_word_embeddings=True,
        **ends,
    )


def fresh(tokenizer: Tokenizer, seed: int) -> Model:
    """A network with new weights, larger than usual: it is small and learns for minutes."""
    torch.manual_seed(seed)
    model = SmolVLMForConditionalGeneration(config(tokenizer))
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_(0, 0.1)
        projection = model.model.connector.modality_projection.proj.weight
        projection.normal_(0, 0.1 / projection.shape[1] ** 0.5)
        for name, weight in model.named_parameters():
            if "layers" in name and weight.ndim == 2:
                weight.normal_(0, 0.6 / weight.shape[1] ** 0.5)
        patches = model.model.vision_model.embeddings
        patches.patch_embedding.weight.normal_(0, (3 * PATCH * PATCH) ** -0.5)
        patches.position_embedding.weight.normal_(0, 0.3)
    return model


def renew_decoder(model: Model, seed: int) -> None:
    """New weights in the decoder's layers; the embeddings stay."""
    torch.manual_seed(seed)
    text = model.model.text_model
    with torch.no_grad():
        for name, weight in text.layers.named_parameters():
            if weight.ndim == 1:
                weight.fill_(1)
                continue
            ends = "o_proj" in name or "down_proj" in name
            weight.normal_(0, (0.18 if ends else 0.6) / weight.shape[1] ** 0.5)
        text.norm.weight.fill_(1)


def deepen(model: Model) -> None:
    """Later layers begin as copies of the early ones that add nothing yet.

    So the network says what it said, and there is room for more.
    """
    layers = model.model.text_model.layers
    with torch.no_grad():
        for at, layer in enumerate(layers[EARLY:]):
            layer.load_state_dict(layers[at % EARLY].state_dict())
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()


def image_tokens(model: Model, pixels: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """[n, 3, S, S] in -1..1 to [n, TOKENS_A_FRAME, hidden]."""
    return passes.seen(model.model, pixels, dtype).view(len(pixels), TOKENS_A_FRAME, -1)


def slot_ids(tokenizer: Tokenizer) -> list[list[int]]:
    """The token of every word of every group."""
    return [
        [tokenizer.encode(word if word.startswith("<") else f" {word}").ids[0] for word in words]
        for words in GROUPS.values()
    ]


def slot_loss(
    model: Model, tokens: torch.Tensor, slots: torch.Tensor, ids: list[list[int]]
) -> tuple[torch.Tensor, dict[str, float]]:
    """Mean over groups of the cross-entropy of each image token against a group's words.

    ``slots`` [n, tokens, groups]. Also the share of right words of each group that was said.
    Cosines leave free how long a token is and what else it says; a decoder's layers add next to
    nothing to a long one, and take what is told for what is seen. So what is left counts too.
    """
    table = model.get_input_embeddings().weight
    flat = functional.normalize(tokens.float(), dim=-1).flatten(0, 1)
    wanted = told_tokens(model, slots, ids, noise=0)
    off = (tokens.float() - wanted).square().sum(-1) / wanted.square().sum(-1)
    far = off[(slots != UNSAID).any(-1)].mean()
    losses, right = [], {"off": float(far.detach())}
    for at, (name, words) in enumerate(zip(GROUPS, ids, strict=True)):
        said = slots[..., at].flatten()
        if not bool((said != UNSAID).any()):
            continue
        of_group = functional.normalize(table[words].float(), dim=-1)
        logits = SHARPNESS * flat @ of_group.T
        losses.append(functional.cross_entropy(logits, said, ignore_index=UNSAID))
        held = said != UNSAID
        right[name] = float((logits.argmax(-1) == said)[held].float().mean())
    return torch.stack(losses).mean() + NEAR_WEIGHT * far, right


def told_tokens(
    model: Model, slots: torch.Tensor, ids: list[list[int]], noise: float = NOISE
) -> torch.Tensor:
    """[n, tokens, hidden]: image tokens as vision is taught to make them, and some noise.

    Each is the middle of the words that it says, of their directions, and as long as a word.
    """
    table = model.get_input_embeddings().weight.detach().float()
    words = [word for group in ids for word in group]
    length = table[words].norm(dim=-1).mean()
    table = functional.normalize(table, dim=-1)
    said = table.new_zeros((*slots.shape[:2], table.shape[1]))
    for at, words in enumerate(ids):
        held = slots[..., at]
        said = said + table[words][held.clamp_min(0)] * (held != UNSAID).unsqueeze(-1)
    said = functional.normalize(said, dim=-1)
    if noise:
        said = said + torch.randn_like(said) * (noise / said.shape[-1] ** 0.5)
    return length * functional.normalize(said, dim=-1)


def answer_loss(
    model: Model, tokens: torch.Tensor | None, batch: Batch, dtype: torch.dtype
) -> tuple[torch.Tensor, float]:
    """Cross-entropy of the taught tokens, and the share of them that would be said.

    Where a letter is to be said, what it stands for is to be known some layers before.
    """
    table = model.get_input_embeddings().weight
    ids, labels = (
        torch.as_tensor(array, device=table.device) for array in (batch.ids, batch.labels)
    )
    embeds = functional.embedding(ids, table)
    if tokens is not None and len(tokens):
        held = (ids == model.config.image_token_id).unsqueeze(-1)
        embeds = embeds.masked_scatter(held, tokens.flatten(0, 1).to(embeds.dtype))
    taught = (labels != UNTAUGHT).nonzero().squeeze(-1)
    wanted = labels[taught]
    meant = torch.as_tensor(batch.meant, device=table.device)
    lettered = (meant[:, 0] != UNTAUGHT).nonzero().squeeze(-1)
    early = (EARLY, lettered) if len(lettered) and not batch.depth else None
    hidden, known = passes.decoded(model.model.text_model, embeds, batch, taught, dtype, early)
    logits = functional.linear(hidden, table.to(dtype)).float()
    loss = functional.cross_entropy(logits, wanted)
    right = float((logits.argmax(-1) == wanted).float().mean())
    if known is not None:
        said = functional.linear(known, table.to(dtype)).float().log_softmax(-1)
        # It counts as much as to say the letter does.
        loss = loss - said.gather(1, meant[lettered]).mean(1).sum() / len(taught)
    return loss, right


def write_checkpoint(model: Model, tokenizer: Path, folder: Path) -> None:
    """A checkpoint folder as Hugging Face has it, ready for `edgeval export`."""
    model.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(tokenizer.with_name(name), folder / name)
    shutil.copyfile(
        Path(__file__).parents[1] / "chat_template.jinja", folder / "chat_template.jinja"
    )
    edge = {"longest_edge": SQUARE}
    shared = {
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_pad": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "max_image_size": edge,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": edge,
    }
    video = {"fps": FPS, "max_frames": MOST_FRAMES, "video_size": edge}
    row = {
        "image_processor": {
            **shared,
            "do_image_splitting": False,
            "image_processor_type": "SmolVLMImageProcessor",
        },
        "image_seq_len": TOKENS_A_FRAME,
        "processor_class": "SmolVLMProcessor",
        "video_processor": {
            **shared,
            "do_sample_frames": False,
            "fps": FPS,
            "num_frames": MOST_FRAMES,
            "return_metadata": False,
            "video_processor_type": "SmolVLMVideoProcessor",
            "video_sampling": video,
        },
    }
    text = json.dumps(row, indent=1) + "\n"
    (folder / "processor_config.json").write_text(text, encoding="utf-8")

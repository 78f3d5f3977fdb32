"""The network in fewer passes is transformers' own, values and gradients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from training.batch import Batch, packed
from training.view import BLIND, SQUARE, Line, View
from training.words import GROUP_NAMES, TOKENS_A_FRAME

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
Pairs = list[tuple[View, list[Line]]]


@pytest.fixture(scope="module")
def model(tokenizer_file: Path, hf: None):  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer
    from training import network

    made = network.fresh(Tokenizer.from_file(str(tokenizer_file)), 0)
    made.set_attn_implementation("eager")
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in made.parameters():
            if weight.ndim == 1:  # Gains of one and biases of nought would hide a mistake.
                weight.add_(torch.randn(weight.shape, generator=draw), alpha=0.3)
    return made


def line(draw: np.random.Generator, n: int) -> Line:
    taught = draw.random(n) < 0.5
    taught[-1] = True
    return Line(ids=ids(draw, n), taught=tuple(taught.tolist()))


def ids(draw: np.random.Generator, n: int) -> tuple[int, ...]:
    return tuple(draw.integers(300, 900, n).tolist())


def view(draw: np.random.Generator, n: int, image: int) -> View:
    prefix = [one for _ in range(n) for one in (*ids(draw, 3), *(image,) * TOKENS_A_FRAME)]
    return View(
        pixels=np.full((n, SQUARE, SQUARE, 3), n, np.uint8),
        slots=np.zeros((n, TOKENS_A_FRAME, len(GROUP_NAMES)), np.int64),
        facts=None,
        prefix=tuple(prefix),
    )


@pytest.fixture(scope="module")
def rows(model) -> Pairs:  # type: ignore[no-untyped-def]
    """Prefixes of like and of unlike lengths, and none; lines that share a block or do not."""
    draw = np.random.default_rng(0)
    image = model.config.image_token_id
    lengths = {2: (9, 30, 5), 6: (12, 11, 40), 5: (12,), 0: (20, 33)}
    return [
        (view(draw, n, image) if n else BLIND, [line(draw, size) for size in sizes])
        for n, sizes in lengths.items()
    ]


def one_by_one(model, rows: Pairs, tokens):  # type: ignore[no-untyped-def]
    """The loss by transformers, every question with the frames before it and nothing else."""
    said, wanted, at = [], [], 0
    for shown, lines in rows:
        mine = tokens[at : at + len(shown.pixels)]
        at += len(shown.pixels)
        for one in lines:
            every = torch.tensor([[*shown.prefix, *one.ids]])
            embeds = model.get_input_embeddings()(every)
            held = (every == model.config.image_token_id)[..., None]
            embeds = embeds.masked_scatter(held, mine.flatten(0, 1))
            logits = model.lm_head(
                model.model.text_model(inputs_embeds=embeds, use_cache=False).last_hidden_state
            )[0]
            first = len(shown.prefix)
            taught = [place for place in range(1, len(one.ids)) if one.taught[place]]
            said += [logits[first + place - 1] for place in taught]
            wanted += [one.ids[place] for place in taught]
    return torch.nn.functional.cross_entropy(torch.stack(said), torch.tensor(wanted))


def by_length(rows: Pairs) -> Pairs:
    """As ``packed`` has them, which is the order of its pictures."""
    return sorted(rows, key=lambda row: -len(row[0].prefix))


def gradients(model, loss, tokens):  # type: ignore[no-untyped-def]
    model.zero_grad()
    tokens.grad = None
    loss.backward()
    held = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return held | {"image tokens": tokens.grad}


def test_answers_are_those_of_one_question_at_a_time(model, rows: Pairs) -> None:  # type: ignore[no-untyped-def]
    from training import network

    batch = packed(rows)
    assert len({block.behind for block in batch.blocks}) == 3
    draw = torch.Generator().manual_seed(1)
    tokens = torch.randn(13, TOKENS_A_FRAME, 128, generator=draw, requires_grad=True)
    expected = one_by_one(model, by_length(rows), tokens)
    of_expected = gradients(model, expected, tokens)
    found, _ = network.answer_loss(model, tokens, batch, torch.float32)
    of_found = gradients(model, found, tokens)
    assert float(found.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    assert of_found.keys() == of_expected.keys()
    for name, gradient in of_expected.items():
        off = float((of_found[name] - gradient).abs().max() / gradient.abs().max())
        assert off < 1e-4, name


def test_pictures_follow_the_order_of_their_rows(rows: Pairs) -> None:
    batch: Batch = packed(rows)
    assert [int(image[0, 0, 0]) for image in batch.pixels] == [6] * 6 + [5] * 5 + [2] * 2


def test_image_tokens_are_those_of_transformers(model) -> None:  # type: ignore[no-untyped-def]
    from training import network

    pixels = torch.randn(3, 3, SQUARE, SQUARE, generator=torch.Generator().manual_seed(2))
    inner = model.model
    expected = inner.connector(inner.vision_model(pixel_values=pixels).last_hidden_state)
    found = network.image_tokens(model, pixels, torch.float32)
    weight = torch.randn(expected.shape, generator=torch.Generator().manual_seed(3))
    grads = []
    for one in (expected, found):
        model.zero_grad()
        (one * weight).sum().backward()
        grads.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert torch.allclose(found, expected, atol=1e-5)
    assert grads[0].keys() == grads[1].keys()
    for name, gradient in grads[0].items():
        # Of a bias of keys it is nought but for rounding.
        off = float((grads[1][name] - gradient).abs().max())
        assert off < 1e-4 * max(float(gradient.abs().max()), 1), name


def test_bfloat16_gives_nearly_the_same(model, rows: Pairs) -> None:  # type: ignore[no-untyped-def]
    from training import network

    tokens = torch.randn(
        13, TOKENS_A_FRAME, 128, generator=torch.Generator().manual_seed(1), requires_grad=True
    )
    batch = packed(rows)
    full, _ = network.answer_loss(model, tokens, batch, torch.float32)
    of_full = gradients(model, full, tokens)
    half, _ = network.answer_loss(model, tokens, batch, torch.bfloat16)
    of_half = gradients(model, half, tokens)
    assert float(half.detach()) == pytest.approx(float(full.detach()), rel=0.01)
    for name, gradient in of_full.items():
        off = float((of_half[name] - gradient).norm() / gradient.norm())
        assert off < 0.05, name


def test_muon_is_that_of_torch() -> None:
    from training.muon import Muon

    ends = []
    for kind in (Muon, torch.optim.Muon):
        draw = torch.Generator().manual_seed(0)
        shapes = ((32, 32), (48, 32), (32, 48), (32, 32))
        weights = [torch.nn.Parameter(torch.randn(s, generator=draw)) for s in shapes]
        idle = torch.nn.Parameter(torch.ones(32, 32))
        optimiser = kind([*weights, idle], lr=0.02, momentum=0.95, weight_decay=0.01)
        for _ in range(3):
            for weight in weights:
                weight.grad = torch.randn(weight.shape, generator=draw)
            optimiser.step()
        assert torch.equal(idle, torch.ones(32, 32))
        ends.append(weights)
    for found, expected in zip(*ends, strict=True):
        assert torch.allclose(found, expected, atol=2e-3)
        assert not torch.equal(found, torch.zeros_like(found))

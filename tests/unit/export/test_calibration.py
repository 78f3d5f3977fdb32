"""Scales chosen for the inputs that a layer gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from edgeval.chat.tokenizer import Tokenizer  # noqa: E402 - needs torch
from edgeval.errors import DataError, ManifestError  # noqa: E402
from edgeval.export import calibration  # noqa: E402
from edgeval.export.rounding import to_blocks  # noqa: E402

WIDTH = 8


class Reader(torch.nn.Module):
    """A table, and a layer that sees its rows."""

    def __init__(self, n_known: int) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(n_known, WIDTH)
        self.layer = torch.nn.Linear(WIDTH, 2)

    def get_input_embeddings(self) -> torch.nn.Embedding:
        return self.table

    def forward(self, input_ids: torch.Tensor, *, use_cache: bool) -> torch.Tensor:
        assert not use_cache
        return self.layer(self.table(input_ids))


@pytest.fixture
def tokenizer(tiny: Path) -> Tokenizer:
    return Tokenizer(tiny / "tokenizer.json")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("What stood first, the red sign or the blue one? " * 60, "utf-8")
    return path


def test_squares_are_those_of_the_rows_that_are_read(tokenizer, text):
    model = Reader(2000)
    heard = calibration.calibrate(model, tokenizer, text)
    ids = tokenizer.encode(text.read_text("utf-8"))[: calibration.MOST_TOKENS]
    rows = model.table.weight.detach().numpy()[list(ids)]
    np.testing.assert_allclose(heard.squares["layer"], np.square(rows).mean(0), rtol=1e-5)
    assert heard.told.startswith(f"{len(ids)} tokens of ")


def test_hooks_are_gone_afterwards(tokenizer, text):
    model = Reader(2000)
    calibration.calibrate(model, tokenizer, text)
    assert not model.layer._forward_pre_hooks


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe\x00", None])
def test_what_is_no_text_is_one_sentence(tokenizer, tmp_path, raw):
    path = tmp_path / "text.txt"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(DataError, match="calibration"):
        calibration.calibrate(Reader(2000), tokenizer, path)


def test_a_tokenizer_of_another_model_is_named(tokenizer, text):
    with pytest.raises(ManifestError, match="the tokenizer is of another model"):
        calibration.calibrate(Reader(3), tokenizer, text)


def test_what_goes_in_loses_less_with_calibrated_scales():
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((64, 40)).astype(np.float32)
    squares = np.square(rng.standard_normal(64) * rng.choice([0.1, 3.0], 64)).astype(np.float32)

    def loss(given: np.ndarray | None) -> float:
        numbers, scales = to_blocks(weight, 4, 32, given)
        back = (numbers * scales[..., None]).reshape(40, 64).T
        return float((squares[:, None] * np.square(weight - back)).sum())

    assert loss(squares) < 0.85 * loss(None)


def test_even_inputs_still_lose_no_more():
    weight = np.random.default_rng(1).standard_normal((64, 40)).astype(np.float32)

    def loss(given: np.ndarray | None) -> float:
        numbers, scales = to_blocks(weight, 4, 32, given)
        return float(np.square(weight - (numbers * scales[..., None]).reshape(40, 64).T).sum())

    assert loss(np.ones(64, np.float32)) <= loss(None)

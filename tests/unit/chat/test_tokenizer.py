"""Text to ids and back."""

from __future__ import annotations

import pytest

from edgeval.chat.tokenizer import Tokenizer
from edgeval.errors import Interrupted, ManifestError


@pytest.fixture(scope="module")
def tokenizer(tiny) -> Tokenizer:
    return Tokenizer(tiny / "tokenizer.json", bos_token="<|im_start|>")


def test_text_comes_back(tokenizer):
    text = "Which sign stood beside 7?"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_special_tokens_are_not_text(tokenizer):
    assert tokenizer.decode(tokenizer.encode("<|im_start|>a<end_of_utterance>")) == "a"


def test_ids_are_told_by_token(tokenizer):
    assert (tokenizer.id("<image>"), tokenizer.id("no such token")) == (5, None)


@pytest.mark.parametrize("text", ["", "{}", "<html>"])
def test_what_is_no_tokenizer_is_named(tmp_path, text):
    path = tmp_path / "tokenizer.json"
    path.write_text(text, "utf-8")
    with pytest.raises(ManifestError, match=r"not a tokenizer\.json"):
        Tokenizer(path)


def test_being_asked_to_stop_is_no_fault_of_the_tokenizer(tiny, monkeypatch):
    """A signal's handler runs inside the library's call; its error must come out as it is."""
    tokenizer = Tokenizer(tiny / "tokenizer.json")

    class Stopped:
        def encode(self, *_: object, **__: object) -> None:
            raise Interrupted("got SIGTERM")

        def decode(self, *_: object, **__: object) -> None:
            raise KeyboardInterrupt

    monkeypatch.setattr(tokenizer, "_tokenizer", Stopped())
    with pytest.raises(Interrupted, match="SIGTERM"):
        tokenizer.encode("a")
    with pytest.raises(KeyboardInterrupt):
        tokenizer.decode([1])

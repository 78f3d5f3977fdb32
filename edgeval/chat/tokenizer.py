"""Text to token ids and back, as the checkpoint's tokenizer.json does it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import tokenizers

from edgeval.errors import ManifestError


class Tokenizer:
    """``encode`` and ``decode`` of one checkpoint; safe to share by threads."""

    def __init__(self, path: Path, *, bos_token: str = "") -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust side raises no other
            raise ManifestError(f"{path}: not a tokenizer.json ({error})") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._bos = bos_token

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids. Special tokens of the post-processor are added only where text lacks them.

        Source: transformers 5.23.0 processing_utils.py apply_chat_template: none are added to a
        prompt that starts with the begin-of-text token.
        """
        add = not (self._bos and text.startswith(self._bos))
        return tuple(self._tokenizer.encode(text, add_special_tokens=add).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens."""
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))

    def id(self, token: str) -> int | None:
        """The id of a token's text, None when the vocabulary lacks it."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

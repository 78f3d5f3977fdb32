"""Text to token ids and back, as the checkpoint's tokenizer.json does it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import tokenizers

from edgeval.chat.audit import audit
from edgeval.errors import EdgevalError, ManifestError

# Keys under which a config.json names the tokens that stand for pictures.
PICTURE_KEYS = ("image_token_id", "image_token_index", "video_token_id", "video_token_index")


def picture_ids(config: Mapping[str, object]) -> frozenset[int]:
    """The ids that a config.json has for tokens of pictures; none where it does not say."""
    found = [config.get(key) for key in PICTURE_KEYS]
    return frozenset(value for value in found if isinstance(value, int))


class Tokenizer:
    """``encode`` and ``decode`` of one checkpoint; safe to share by threads."""

    def __init__(self, path: Path, *, bos_token: str = "") -> None:
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the Rust side raises no other
            raise ManifestError(f"{path}: not a tokenizer.json ({error})") from error
        audit(self._tokenizer, str(path))
        self._path = path
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._bos = bos_token

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids. Special tokens of the post-processor are added only where text lacks them.

        Source: transformers 5.23.0 processing_utils.py apply_chat_template: none are added to a
        prompt that starts with the begin-of-text token.
        """
        add = not (self._bos and text.startswith(self._bos))
        try:
            return tuple(self._tokenizer.encode(text, add_special_tokens=add).ids)
        except BaseException as error:
            raise self._failed(error) from error

    def decode(self, ids: Sequence[int]) -> str:
        """Text without special tokens."""
        try:
            return str(self._tokenizer.decode(list(ids), skip_special_tokens=True))
        except BaseException as error:
            raise self._failed(error) from error

    def id(self, token: str) -> int | None:
        """The id of a token's text, None when the vocabulary lacks it."""
        found = self._tokenizer.token_to_id(token)
        return None if found is None else int(found)

    def known_id(self, token: str) -> int:
        """The id of a token's text. ManifestError when the vocabulary lacks it."""
        found = self.id(token)
        if found is None:
            raise ManifestError(f"{self._path.name}: has no token {token!r}")
        return found

    def check_special(self, token: str, wanted: Collection[int]) -> int:
        """The id of a special token. ManifestError unless its text gives that one token.

        ``wanted``: ids that the model's config names for such tokens, any where it names none.
        """
        found = self.known_id(token)
        if wanted and found not in wanted:
            raise ManifestError(
                f"{self._path.name}: token {token!r} is {found}, in config.json it is "
                f"{' or '.join(map(str, sorted(wanted)))}; the tokenizer is of another model"
            )
        if self._tokenizer.encode(token, add_special_tokens=False).ids != [found]:
            raise ManifestError(
                f"{self._path.name}: splits {token!r}, which is one token of the model; the "
                "tokenizer is of another model"
            )
        return found

    def _failed(self, error: BaseException) -> ManifestError:
        """The error in a sentence; anything that is not the library's own is raised again."""
        # A panic of the library has no base but BaseException. Ours come from signal handlers.
        panic = type(error).__name__ == "PanicException"
        if isinstance(error, EdgevalError) or not (panic or isinstance(error, Exception)):
            raise error
        line = "".join(str(error).strip().splitlines()[:1])
        return ManifestError(f"{self._path.name}: fails on a text ({line[:200]})")

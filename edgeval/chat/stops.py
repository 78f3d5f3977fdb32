"""What ends an answer, and what else generation_config.json decides about tokens."""

from __future__ import annotations

from dataclasses import dataclass

from edgeval.chat.tokenizer import Tokenizer
from edgeval.errors import ManifestError
from edgeval.modelfolder import Manifest
from edgeval.modelfolder.numbers import brief, positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Stops:
    """What the checkpoint's generation_config says about decoding."""

    eos_ids: frozenset[int]
    repetition_penalty: float


def read_stops(found: Manifest, *, only: int | None = None) -> Stops:
    """End tokens as transformers' generate() takes them: generation_config, else config.

    ``only``: the one end token that counts, whatever these files say (generate(eos_token_id=)).
    """
    generation, config = found.read("generation"), found.read("config")
    text = config.get("text_config")
    options = [generation, config, text if isinstance(text, dict) else {}]
    eos: object = []
    for option in reversed(options):
        if option.get("eos_token_id") is not None:
            eos = option["eos_token_id"]
    given = eos if isinstance(eos, list) else [eos]
    ids = [value for value in given if isinstance(value, int) and not isinstance(value, bool)]
    ids = ids if only is None else [only]
    if not ids:
        raise ManifestError(f"{found.folder}: got eos_token_id {brief(eos)}; wants a whole number")
    named = {"repetition_penalty": generation.get("repetition_penalty") or 1.0}
    penalty = positive(named, "repetition_penalty", str(found.folder))
    return Stops(eos_ids=frozenset(ids), repetition_penalty=penalty)


def tokenizer_stops(found: Manifest, tokenizer: Tokenizer) -> Stops:
    """As read_stops, but only the tokenizer's own end token ends an answer (lmms-eval's way).

    ManifestError where tokenizer_config.json names none.
    """
    eos = found.read("tokenizer_config").get("eos_token")
    text = eos.get("content") if isinstance(eos, dict) else eos
    if not isinstance(text, str):
        raise ManifestError(
            f"{found.folder}: got eos_token {eos!r} in tokenizer_config.json; the protocol wants a "
            "text"
        )
    return read_stops(found, only=tokenizer.known_id(text))

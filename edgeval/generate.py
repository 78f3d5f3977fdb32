"""The one token loop: logits in, tokens out, until something says stop."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeval import types
from edgeval.types import Decoding, Stop

Logits = NDArray[np.float32]
# Logits a record keeps of each prompt.
KEPT = 8


class Stepper(Protocol):
    """Whoever gives the logits [V] that follow one more token."""

    def step(self, token_id: int) -> Logits:
        """Append a token. The array may be reused by the next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What ends an answer, and how tokens become text for the stop texts to be found in.

    ``repetition_penalty`` > 1 lowers tokens that ``prompt_ids`` or the answer already has, as the
    checkpoint's generation_config asks (transformers applies it under greedy too).
    """

    eos_ids: frozenset[int]
    max_new_tokens: int
    decode: Callable[[Sequence[int]], str]
    repetition_penalty: float = 1.0
    prompt_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """The answer: ids without the one that stopped it (``stop_id``), text, seconds of each step."""

    ids: tuple[int, ...]
    text: str
    stop: Stop
    step_s: tuple[float, ...]
    stop_id: int | None = None


def logits_of(logits: Logits) -> types.Logits:
    """What a record keeps of logits [V]: their digest and the eight largest, ties by the lower id.

    Logits that are not numbers are left out of the largest.
    """
    values = np.ascontiguousarray(logits, "<f4")
    real = np.where(np.isfinite(values), values, -np.inf)
    n_kept = min(KEPT, len(real))
    edge = np.partition(real, -n_kept)[-n_kept]
    rough = [*np.flatnonzero(real > edge), *np.flatnonzero(real == edge)[:n_kept]]
    order = sorted((int(at) for at in rough), key=lambda at: (-real[at], at))[:n_kept]
    top = tuple((at, float(values[at])) for at in order if np.isfinite(values[at]))
    return types.Logits(sha256=hashlib.sha256(values.data).hexdigest(), top=top)


def generate(stepper: Stepper, first: Logits, decoding: Decoding, ending: Ending) -> Tokens:
    """Choose tokens until an end token, a stop text or the limit.

    ``first``: logits [V] after the prompt. The same inputs give the same tokens; sampling draws
    from a Philox generator keyed by the seed and the prompt.
    """
    choose = _chooser(decoding, ending)
    ids: list[int] = []
    step_s: list[float] = []
    logits = first
    clock = time.perf_counter
    while True:
        token = choose(logits, ids)
        if token in ending.eos_ids:
            return replace(_done(ids, "eos", step_s, ending), stop_id=token)
        ids.append(token)
        if decoding.stop and (text := _cut(ending.decode(ids), decoding.stop)) is not None:
            return Tokens(ids=tuple(ids), text=text, stop="stop_text", step_s=tuple(step_s))
        if len(ids) >= ending.max_new_tokens:
            return _done(ids, "length", step_s, ending)
        start = clock()
        logits = stepper.step(token)
        step_s.append(clock() - start)


def _done(ids: list[int], stop: Stop, step_s: list[float], ending: Ending) -> Tokens:
    return Tokens(ids=tuple(ids), text=ending.decode(ids), stop=stop, step_s=tuple(step_s))


def _cut(text: str, stops: Sequence[str]) -> str | None:
    """The text before the first stop text in it; None when there is none."""
    found = [at for stop in stops if stop and (at := text.find(stop)) >= 0]
    return text[: min(found)] if found else None


def _chooser(decoding: Decoding, ending: Ending) -> Callable[[Logits, list[int]], int]:
    penalty = ending.repetition_penalty
    generator = _generator(decoding.seed, ending.prompt_ids)
    prompt = np.unique(np.asarray(ending.prompt_ids, np.int64))

    def choose(logits: Logits, ids: list[int]) -> int:
        if penalty != 1.0:
            logits = _penalised(logits, np.union1d(prompt, np.asarray(ids, np.int64)), penalty)
        if decoding.temperature == 0:
            return int(logits.argmax())
        return sample(logits, decoding, generator)

    return choose


def _generator(seed: int, prompt_ids: tuple[int, ...]) -> np.random.Generator:
    ids = np.asarray(prompt_ids, "<i8").tobytes()
    digest = hashlib.sha256(seed.to_bytes(16, "little", signed=True) + ids).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))


def _penalised(logits: Logits, seen: NDArray[np.int64], penalty: float) -> Logits:
    """Source: transformers 5.23.0 RepetitionPenaltyLogitsProcessor."""
    out: Logits = logits.copy()
    values = out[seen]
    out[seen] = np.where(values < 0, values * np.float32(penalty), values / np.float32(penalty))
    return out


def sample(logits: Logits, decoding: Decoding, generator: np.random.Generator) -> int:
    """One token from logits [V]: temperature, then top-k, then top-p of what is left.

    Ties are broken by the lower id. top-p keeps the smallest set whose share reaches it.
    """
    scaled = logits.astype(np.float64) / decoding.temperature
    order = np.argsort(-scaled, kind="stable")
    if decoding.top_k:
        order = order[: decoding.top_k]
    weights = np.exp(scaled[order] - scaled[order[0]])
    shares = weights / weights.sum()
    if decoding.top_p < 1:
        n_kept = int(np.searchsorted(np.cumsum(shares), decoding.top_p, side="left")) + 1
        order, shares = order[:n_kept], shares[:n_kept] / shares[:n_kept].sum()
    place = np.searchsorted(np.cumsum(shares), generator.random(), side="right")
    return int(order[min(int(place), len(order) - 1)])

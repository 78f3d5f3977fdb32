"""The one token loop: logits in, tokens out, until something says stop.

An answer is a coroutine that says which token it wants appended to which context and is given the
logits that follow (``saying``). ``together`` is the loop: it goes on with all answers under way,
one token each a step. One answer alone is a set of one.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

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


S = TypeVar("S", bound=Stepper)
T = TypeVar("T")
S_contra = TypeVar("S_contra", bound=Stepper, contravariant=True)


class Given(NamedTuple):
    """What a step gives to an answer: logits [V], valid until it asks for the next.

    ``seconds``: its share of a step that ``n`` answers took together.
    """

    logits: Logits
    seconds: float
    n: int


# An answer under way, or several one after the other: which token to append to what; its outcome.
Saying: TypeAlias = Generator[tuple[S, int], Given, T]


class Rows(Protocol[S_contra]):
    """Contexts that take a token each at a time. They are numbered from 0 in the order added."""

    def add(self, context: S_contra) -> None:
        """One more; its keys and values are the rows' from now on."""

    def step(self, token_ids: Sequence[int]) -> Sequence[Logits]:
        """Append a token to each; logits [V] of each, valid until the next step."""

    def drop(self, row: int) -> None:
        """Let go of one; the last takes its number."""


class Alone(Generic[S]):
    """Rows for a single context of any engine."""

    def __init__(self) -> None:
        self._only: list[S] = []

    def add(self, context: S) -> None:
        """See Rows."""
        self._only = [context]

    def step(self, token_ids: Sequence[int]) -> Sequence[Logits]:
        """See Rows."""
        return (self._only[0].step(token_ids[0]),)

    def drop(self, row: int) -> None:
        """See Rows."""
        del self._only[row]


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
    """The answer: ids without the one that stopped it (``stop_id``), text, seconds of each step.

    ``together``: the most answers that took a step with it, itself included.
    """

    ids: tuple[int, ...]
    text: str
    stop: Stop
    step_s: tuple[float, ...] = ()
    together: int = 1
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


def saying(stepper: S, first: Logits, decoding: Decoding, ending: Ending) -> Saying[S, Tokens]:
    """Choose tokens until an end token, a stop text or the limit.

    ``first``: logits [V] after the prompt. The same inputs give the same tokens; sampling draws
    from a Philox generator keyed by the seed and the prompt.
    """
    choose = _chooser(decoding, ending)
    ids: list[int] = []
    step_s: list[float] = []
    logits, most = first, 1
    while (tokens := _ended(token := choose(logits, ids), ids, decoding, ending)) is None:
        logits, seconds, n = yield stepper, token
        step_s.append(seconds)
        most = max(most, n)
    return replace(tokens, step_s=tuple(step_s), together=most)


def generate(stepper: Stepper, first: Logits, decoding: Decoding, ending: Ending) -> Tokens:
    """One answer, as ``saying`` has it, alone."""
    return alone(saying(stepper, first, decoding, ending))


def alone(one: Saying[S, T]) -> T:
    """What a saying comes to when nothing else is said."""
    return next(together((one,), Alone(), most=1))


def together(sayings: Iterable[Saying[S, T]], rows: Rows[S], most: int) -> Iterator[T]:
    """What each comes to, in their order, with at most ``most`` taking steps at a time.

    One that has ended before those before it waits for them while others take its place, but not
    more than twice ``most`` are begun and not handed over: so many a kill may lose.
    """
    waiting = iter(sayings)
    under_way: deque[_UnderWay[S, T]] = deque()
    stepping: list[_UnderWay[S, T]] = []
    while True:
        if under_way and under_way[0].outcome:
            yield under_way.popleft().outcome[0]
        elif (
            len(stepping) < most
            and len(under_way) < 2 * most
            and (one := next(waiting, None)) is not None
        ):
            under_way.append(begun := _UnderWay(one))
            begun.go_on(None)
            begun.join(stepping, rows)
        elif stepping:
            _step(stepping, rows)
        else:
            return


class _UnderWay(Generic[S, T]):
    """A saying, the token that it wants appended to which context, and its outcome once it has.

    ``join_s``: seconds that joining took, which go with the next step's.
    """

    def __init__(self, one: Saying[S, T]) -> None:
        self._saying = one
        self.context: S | None = None
        self.token = 0
        self.outcome: tuple[T, ...] = ()
        self.join_s = 0.0

    def go_on(self, given: Given | None) -> None:
        """As far as its next token. ``given`` None begins it."""
        try:
            wanted = next(self._saying) if given is None else self._saying.send(given)
            self.context, self.token = wanted
        except StopIteration as end:
            self.context, self.outcome = None, (end.value,)

    def join(self, stepping: list[_UnderWay[S, T]], rows: Rows[S]) -> None:
        """Take part in steps from now on, if there is anything left to say."""
        if self.context is not None:
            start = time.perf_counter()
            rows.add(self.context)
            self.join_s = time.perf_counter() - start
            stepping.append(self)


def _step(stepping: list[_UnderWay[S, T]], rows: Rows[S]) -> None:
    """A token for each. Who ends leaves, who turns to another context joins anew."""
    start = time.perf_counter()
    logits = rows.step([one.token for one in stepping])
    share_s = (time.perf_counter() - start) / (n := len(stepping))
    # Backwards: who takes the number of one that leaves has had its turn.
    for row in range(n - 1, -1, -1):
        one = stepping[row]
        before, joined_s, one.join_s = one.context, one.join_s, 0.0
        one.go_on(Given(logits[row], share_s + joined_s, n))
        if one.context is not before:
            rows.drop(row)
            stepping[row] = stepping[-1]
            stepping.pop()
            one.join(stepping, rows)


def _ended(token: int, ids: list[int], decoding: Decoding, ending: Ending) -> Tokens | None:
    """The answer, where this token is the end of it; else one more in ``ids``."""
    if token in ending.eos_ids:
        return Tokens(ids=tuple(ids), text=ending.decode(ids), stop="eos", stop_id=token)
    ids.append(token)
    if decoding.stop and (text := _cut(ending.decode(ids), decoding.stop)) is not None:
        return Tokens(ids=tuple(ids), text=text, stop="stop_text")
    if len(ids) >= ending.max_new_tokens:
        return Tokens(ids=tuple(ids), text=ending.decode(ids), stop="length")
    return None


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

"""Two answers to the same question, stage by stage: where the second first goes another way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edgeval.capsule import stages
from edgeval.selftest.reference import Answer, Signature, Tolerance
from edgeval.types import Logits

FEATURES, LOGITS, TOKENS = "features", "logits", "tokens"
STAGES = (*stages.BEFORE, FEATURES, LOGITS, *stages.AFTER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of one question.

    ``stage`` "" where all is well, else the first that differs, and ``said`` how. ``features_off``
    and ``logits_off``: how far off, as Tolerance measures. ``tie``: the tokens part where the
    second best was as good within the tolerance, which says nothing against the engine.
    """

    question: str
    stage: str = ""
    said: str = ""
    features_off: float = 0.0
    logits_off: float = 0.0
    tie: bool = False


def compared(then: Answer, now: Answer, tolerance: Tolerance) -> Verdict:
    """The first stage of ``now`` that is not as ``then``, within the tolerance."""
    name = then.record.question.id
    for stage, compare in stages.BEFORE.items():
        if said := compare(then.record, now.record):
            return Verdict(question=name, stage=stage, said=said)
    features_off = _features_off(then.features, now.features)
    if not features_off <= tolerance.features:
        said = f"up to {features_off:.3g} of their size off; wants at most {tolerance.features:g}"
        return Verdict(question=name, stage=FEATURES, said=said, features_off=features_off)
    parted = _parted(then, now)
    logits_off, at = _logits_off(then, now, parted)
    found = Verdict(question=name, features_off=features_off, logits_off=logits_off)
    if not logits_off <= tolerance.logits:
        said = f"of token {at} up to {logits_off:.3g} off; wants at most {tolerance.logits:g}"
        return _differs(found, LOGITS, said)
    if parted is not None and _margin(then.logits[parted]) <= 2 * tolerance.logits:
        return Verdict(question=name, features_off=features_off, logits_off=logits_off, tie=True)
    for stage, compare in stages.AFTER.items():
        if said := compare(then.record, now.record):
            return _differs(found, stage, said)
    return found


def _differs(found: Verdict, stage: str, said: str) -> Verdict:
    return Verdict(
        question=found.question,
        stage=stage,
        said=said,
        features_off=found.features_off,
        logits_off=found.logits_off,
    )


def _features_off(then: Signature | None, now: Signature | None) -> float:
    if then is None or now is None:
        return 0.0 if then == now else math.inf
    if then.sha256 == now.sha256:
        return 0.0
    if then.shape != now.shape or not then.values:
        return math.inf
    size = math.sqrt(sum(value * value for value in then.values) / len(then.values))
    return _largest(
        abs(was - found) / size if size else math.inf
        for was, found in zip(then.values, now.values, strict=True)
    )


def _chosen(answer: Answer) -> tuple[int | None, ...]:
    """The token chosen behind each logits, None behind the last where the length was the end."""
    said = answer.record.generation
    if said is None:
        return ()
    return (*said.token_ids, said.stop_id)


def _parted(then: Answer, now: Answer) -> int | None:
    """The first place where another token was chosen."""
    pairs = zip(_chosen(then), _chosen(now), strict=False)
    parted = next((at for at, (was, found) in enumerate(pairs) if was != found), None)
    return parted if parted is not None and parted < len(then.logits) else None


def _logits_off(then: Answer, now: Answer, parted: int | None) -> tuple[float, int]:
    """How far logits are off, and behind which token most, up to where the tokens part."""
    end = None if parted is None else parted + 1
    if len(then.logits[:end]) > len(now.logits):
        return math.inf, len(now.logits)
    offs = [_apart(was, found) for was, found in zip(then.logits[:end], now.logits, strict=False)]
    at = max(range(len(offs)), key=lambda i: offs[i], default=0)
    return (offs[at] if offs else 0.0), at


def _apart(then: Logits, now: Logits) -> float:
    """Largest difference among the largest logits; one that is not kept is below the rest."""
    if then.sha256 == now.sha256:
        return 0.0
    values, least = dict(now.top), min((value for _, value in now.top), default=math.inf)
    return _largest(
        abs(value - values[token]) if token in values else max(0.0, value - least)
        for token, value in then.top
    )


def _largest(numbers: Iterable[float]) -> float:
    """The largest; infinite where one is no number."""
    found = list(numbers)
    return math.inf if not found or any(math.isnan(one) for one in found) else max(found)


def _margin(logits: Logits) -> float:
    """By how much the best was better than the second."""
    best = [value for _, value in logits.top[:2]]
    return best[0] - best[1] if len(best) == 2 else math.inf

"""Where two records of the same question part: the first stage that is not the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import zip_longest

from edgeval.types import Logits, Record, Stages

# Largest difference of a logit between machines whose kernels add in another order.
LOGITS_TOLERANCE = 0.01


def first_difference(then: Record, now: Record, *, exact: bool) -> tuple[str, str] | None:
    """(stage, sentence) of the first stage that differs, in the order in which they happen.

    ``exact``: logits are held to the bit, else to LOGITS_TOLERANCE.
    """
    logits = _same_bits if exact else _close
    for stage, compare in {**BEFORE, "logits": logits, **AFTER}.items():
        if said := compare(then, now):
            return stage, said
    return None


def _question(then: Record, now: Record) -> str:
    return _fields(
        {**asdict(then.question), "setting": then.setting, "variant": then.variant},
        {**asdict(now.question), "setting": now.setting, "variant": now.variant},
    )


def _video(then: Record, now: Record) -> str:
    if then.video != now.video:
        return _was("the video", then.video, now.video)
    if then.video_sha256 != now.video_sha256:
        return f"{now.video}: " + _was("sha256", then.video_sha256, now.video_sha256)
    return ""


def _failure(then: Record, now: Record) -> str:
    before, after = then.failure, now.failure
    if (before and before.kind) == (after and after.kind):
        return ""
    told = after.message if after else "an answer"
    return f"was {before.message if before else 'an answer'}, is {told}"


def _plan(then: Record, now: Record) -> str:
    return _places("frame", then.frame_indices, now.frame_indices)


def _frames(then: Record, now: Record) -> str:
    if len(then.damage) != len(now.damage):
        return _was("what is wrong with the video", then.damage, now.damage)
    if then.stages is None:
        return ""
    return _places("picture", then.stages.pictures, _kept(now).pictures)


def _pixels(then: Record, now: Record) -> str:
    if then.stages is None:
        return ""
    before, after = then.stages.pixels, _kept(now).pixels
    return "" if before == after else _was("sha256 of the tensor", before, after)


def _prompt(then: Record, now: Record) -> str:
    before, after = then.prompt, now.prompt
    if before is None or after is None:
        return "" if before == after else _was("the prompt", before, after)
    if before.text != after.text:
        return _was("the text", before.text, after.text)
    ids = _expanded(_kept(then)), _expanded(_kept(now))
    if ids[0] and (said := _places("token", *ids)):
        return said
    return _fields(asdict(before), asdict(after))


def same_bits(then: Record, now: Record) -> bool:
    """Whether the logits behind the prompt are the same to the bit, as far as both are kept."""
    return not _same_bits(then, now)


def _same_bits(then: Record, now: Record) -> str:
    before, after = _logits(then), _logits(now)
    if before is None or after is None or before.sha256 == after.sha256:
        return ""
    return _was("sha256", before.sha256, after.sha256)


def _close(then: Record, now: Record) -> str:
    before, after = _logits(then), _logits(now)
    if before is None or after is None or before.sha256 == after.sha256:
        return ""
    apart = _apart(before, after)
    if apart <= LOGITS_TOLERANCE:
        return ""
    return f"up to {apart:.3g} apart; wants at most {LOGITS_TOLERANCE:g}"


def _logits(record: Record) -> Logits | None:
    return record.generation.logits if record.generation else None


def _apart(before: Logits, after: Logits) -> float:
    """The largest difference among the largest logits; one that is not kept is below the rest."""
    values, least = dict(after.top), min((value for _, value in after.top), default=0.0)
    found = [
        abs(value - values[token]) if token in values else max(0.0, value - least)
        for token, value in before.top
    ]
    return max(found, default=float("inf"))


def _tokens(then: Record, now: Record) -> str:
    before, after = then.generation, now.generation
    if before is None or after is None:
        return "" if before == after else "one was not generated"
    if said := _places("token", before.token_ids, after.token_ids):
        return said
    ends = (before.stop, before.stop_id), (after.stop, after.stop_id)
    return "" if ends[0] == ends[1] else _was("the end", *ends)


def _answer(then: Record, now: Record) -> str:
    if then.generation and now.generation and then.generation.text != now.generation.text:
        return _was("the text", then.generation.text, now.generation.text)
    before, after = (then.turns, then.note, then.answer), (now.turns, now.note, now.answer)
    return "" if before == after else _was("the answer", before, after)


def _scores(then: Record, now: Record) -> str:
    rules = dict.fromkeys((*then.scores, *now.scores))
    return next(
        (
            _was(f"rule {rule}", _told(then, rule), _told(now, rule))
            for rule in rules
            if then.scores.get(rule) != now.scores.get(rule)
        ),
        "",
    )


Compare = Callable[[Record, Record], str]
BEFORE: Mapping[str, Compare] = {
    "question": _question,
    "video": _video,
    "failure": _failure,
    "plan": _plan,
    "frames": _frames,
    "pixels": _pixels,
    "prompt": _prompt,
}
AFTER: Mapping[str, Compare] = {"tokens": _tokens, "answer": _answer, "scores": _scores}


def _kept(record: Record) -> Stages:
    return record.stages or Stages()


def _expanded(stages: Stages) -> tuple[int, ...]:
    return tuple(token for token, times in stages.prompt_ids for _ in range(times))


def _told(record: Record, rule: str) -> str:
    score = record.scores.get(rule)
    return "none" if score is None else f"{score.value} ({score.status}, {score.parsed!r})"


def _places(what: str, before: tuple[object, ...], after: tuple[object, ...]) -> str:
    for at, (old, new) in enumerate(zip_longest(before, after)):
        if old != new:
            return _was(f"{what} {at}", old, new)
    return ""


def _fields(before: Mapping[str, object], after: Mapping[str, object]) -> str:
    """The first field that differs."""
    keys = (key for key in before if before[key] != after[key])
    return next((_was(key, before[key], after[key]) for key in keys), "")


def _was(what: str, before: object, after: object) -> str:
    return f"{what} was {_short(before)}, is {_short(after)}"


def _short(value: object) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

"""The training itself: stage after stage, each step logged, a checkpoint every minute."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer as RawTokenizer

from training import network, seeds
from training import tokenizer as tokenizers
from training.feed import batches
from training.gradients import Gradients
from training.optimiser import Optimiser
from training.recipe import Recipe
from training.stages import SCALES, Stage, stages

LOG, STATE, CHECKPOINT, CARD = "log.jsonl", "state.pt", "checkpoint", "run.json"
LOCK = ".lock"
_LOG_EVERY = 25
_SAVE_EVERY_S = 60.0
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One training. ``steps`` overrides a scale's by stage; ``blind`` trains without pictures."""

    folder: Path
    scale: str
    run: int = 0
    blind: bool = False
    workers: int = 1
    threads: int = 1
    device: str = "cpu"
    half: bool = True
    steps: Mapping[str, int] = field(default_factory=dict)
    stop_after: int | None = None

    def identity(self) -> dict[str, object]:
        """What must be the same for a resume."""
        return {
            "scale": self.scale,
            "run": self.run,
            "blind": self.blind,
            "half": self.half,
            "steps": dict(self.steps),
        }


class Stopped(Exception):
    """The steps that were asked for are done; the training is not."""


class Training:
    """See ``train``."""

    def __init__(self, plan: Plan, say: Say) -> None:
        self._plan = plan
        self._say = say
        # Parts of a batch side by side use the cores better than a product shared among them.
        torch.set_num_threads(1)
        self._check_card()
        # Without pictures there is nothing to be learnt about what they say.
        self._stages = [
            stage
            for stage in stages(SCALES[plan.scale], plan.steps)
            if not (plan.blind and stage.kind == "vision")
        ]
        file = plan.folder / tokenizers.FILE
        if not file.exists():
            say("tokenizer")
            share = SCALES[plan.scale].tokenizer_share
            tokenizers.build(plan.folder, run=plan.run, share=share)
        self._recipe = Recipe(run=plan.run, tokenizer=file)
        raw = RawTokenizer.from_file(str(file))
        self._slot_ids = network.slot_ids(raw)
        self._model = network.fresh(raw, plan.run).to(plan.device)
        self._done = 0

    def _check_card(self) -> None:
        path = self._plan.folder / CARD
        if path.exists():
            then = json.loads(path.read_text(encoding="utf-8"))
            if then != self._plan.identity():
                raise ValueError(f"{path}: is of another training, {then}; name another folder")
            return
        text = json.dumps(self._plan.identity(), indent=1) + "\n"
        path.write_text(text, encoding="utf-8")

    def run(self) -> Path:
        """Train what is left; the checkpoint folder."""
        state = self._restored()
        at = int(state["stage"]) if state else 0
        names = [stage.name for stage in self._stages]
        forget(self._plan.folder / LOG, names, at, int(state["step"]) if state else 0)
        for number in range(at, len(self._stages)):
            self._stage(number, state if state and number == at else None)
        folder = self._plan.folder / CHECKPOINT
        network.write_checkpoint(self._model.float().cpu(), self._recipe.tokenizer, folder)
        return folder

    def _stage(self, number: int, state: Mapping[str, object] | None) -> None:
        stage = self._stages[number]
        first = int(state["step"]) if state else 0  # type: ignore[call-overload]
        if stage.fresh_decoder and not first:
            network.renew_decoder(self._model, seeds.number(self._plan.run, "decoder") % 2**31)
        if stage.deepened and not first:
            network.deepen(self._model)
        optimiser = Optimiser(self._model, stage)
        if state and first:
            optimiser.load(state["optimisers"])  # type: ignore[arg-type]
        self._model.train()
        log = _Log(self._plan.folder / LOG, stage, self._say)
        saved = time.monotonic()
        feed = batches(self._recipe, stage, first, self._plan.workers)
        gradients = self.gradients(stage, optimiser)
        for step, parts in enumerate(feed, first):
            figures = gradients.of(step, parts)
            log.add(step, figures | {"rate": optimiser.step(step)})
            self._done += 1
            if time.monotonic() - saved > _SAVE_EVERY_S:
                self._save(number, step + 1, optimiser)
                saved = time.monotonic()
            if self._done == self._plan.stop_after:
                self._save(number, step + 1, optimiser)
                raise Stopped
        self._save(number + 1, 0, None)

    def gradients(self, stage: Stage, optimiser: Optimiser) -> Gradients:
        """Of the weights that the optimiser moves."""
        return Gradients(
            model=self._model,
            trained=optimiser.trained,
            slot_ids=self._slot_ids,
            stage=stage,
            run=self._plan.run,
            blind=self._plan.blind,
            dtype=torch.bfloat16 if self._plan.half else torch.float32,
            threads=self._plan.threads,
        )

    def _save(self, stage: int, step: int, optimiser: Optimiser | None) -> None:
        path = self._plan.folder / STATE
        partial = path.with_suffix(".partial")
        held = {
            "stage": stage,
            "step": step,
            "model": self._model.state_dict(),
            "optimisers": optimiser.state() if optimiser else None,
        }
        with partial.open("wb") as stream:
            torch.save(held, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)

    def _restored(self) -> dict[str, object] | None:
        path = self._plan.folder / STATE
        if not path.exists():
            return None
        held: dict[str, object] = torch.load(path, map_location="cpu", weights_only=True)
        self._model.load_state_dict(held["model"])  # type: ignore[arg-type]
        self._say(f"resumed at stage {held['stage']}, step {held['step']}")
        return held


class _Log:
    """Means over some steps, one JSON line each."""

    def __init__(self, path: Path, stage: Stage, say: Say) -> None:
        self._path, self._stage, self._say = path, stage, say
        self._rows: list[dict[str, float]] = []
        self._began, self._spent = time.monotonic(), time.process_time()

    def add(self, step: int, figures: dict[str, float]) -> None:
        self._rows.append(figures)
        if (step + 1) % _LOG_EVERY and step + 1 != self._stage.steps:
            return
        names = dict.fromkeys(name for row in self._rows for name in row)
        means = {
            name: round(sum(held) / len(held), 4)
            for name in names
            if (held := [row[name] for row in self._rows if name in row])
        }
        row = {
            "stage": self._stage.name,
            "step": step + 1,
            "of": self._stage.steps,
            "seconds_a_step": round((time.monotonic() - self._began) / len(self._rows), 3),
            "cpu_seconds_a_step": round((time.process_time() - self._spent) / len(self._rows), 3),
            **means,
        }
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")
        self._say(json.dumps(row))
        self._rows, self._began, self._spent = [], time.monotonic(), time.process_time()


def forget(path: Path, names: Sequence[str], stage: int, step: int) -> None:
    """Drop the log's lines of steps that are done again: from ``step`` of stage ``stage`` on."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        try:
            row = json.loads(line)
            at = (names.index(row["stage"]), row["step"])
        except (ValueError, KeyError):
            continue  # Torn by a kill.
        if at <= (stage, step):
            kept.append(line)
    path.write_text("".join(kept), encoding="utf-8")


def train(plan: Plan, say: Say) -> Path:
    """Train, or go on with a training.

    Raises Stopped; ValueError for another training's folder, or one that another process writes.
    """
    plan.folder.mkdir(parents=True, exist_ok=True)
    with (plan.folder / LOCK).open("w") as held:
        try:
            # Let go of when the process ends, however it does.
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(
                f"{plan.folder}: another process trains there; wait for it or name another folder"
            ) from None
        return Training(plan, say).run()

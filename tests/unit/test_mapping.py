"""Maps asked of a model: what it is told, what is read of it, and what a map at hand is worth."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval import benchmarks, mapping, seeing
from edgeval.analyses.cognitive_map import asking, truth
from edgeval.cli.main import cli
from edgeval.engines import Context
from edgeval.errors import ArgumentError
from edgeval.generate import Alone, Rows, Saying
from edgeval.pixels import to_rgb
from edgeval.processor import Conduct, Shrink
from edgeval.scenes import Scene, read_scenes
from edgeval.types import (
    Ask,
    Caption,
    Decoding,
    FramePlan,
    FrameRule,
    Frames,
    Generation,
    Prompt,
    Timing,
)

BENCH = benchmarks.load("vsibench")
assert BENCH.embedded
ROOMS = BENCH.embedded / "rooms_meta_info_val.json"


class View:
    """Nothing to remember."""

    def pixel_sha256(self) -> str:
        return ""


class Cartographer:
    """Draws true maps of every scene but the first; without a map at hand it always says A."""

    conduct = Conduct()

    def __init__(self, scenes: Sequence[Scene]) -> None:
        every = [truth.true_map(scene) for scene in scenes]
        self.silent_on = asking.prompt(list(every[0].places))
        self.maps = {asking.prompt(list(one.places)): asking.written(one) for one in every}
        self.told: list[str] = []

    def shrinker(self, _plan: FramePlan, *, still: bool = False) -> Shrink:
        return to_rgb

    def see(
        self, _frames: Frames | None, *, system: str = "", captions: Sequence[Caption] = ()
    ) -> View:
        return View()

    def prompt(self, _view: View, ask: Ask) -> Prompt:
        self.told.append(ask.text)
        return Prompt(text=ask.text, token_ids=(1,), shared_prefix_len=0)

    def answering(
        self, _view: View, prompt: Prompt, _decoding: Decoding, max_new_tokens: int
    ) -> Saying[Context, Generation]:
        assert max_new_tokens > 0
        text = "I cannot." if prompt.text == self.silent_on else self.said(prompt.text)
        yield from ()
        return Generation(text=text, token_ids=(3,), stop="eos", timing=Timing())

    def rows(self, n: int) -> Rows[Context]:
        assert n == 1
        return Alone()

    def said(self, text: str) -> str:
        if text in self.maps:
            return f"Here it is: {self.maps[text]}"
        found = re.search(r"objects \((.*?)\) is the closest to the (.*?)\?", text)
        assert found
        choices = tuple(found[1].split(", "))
        known = asking.read_map(text, (*choices, found[2]))
        nearest = known.nearest(found[2], choices) if known else None
        return "A" if nearest is None else "ABCD"[choices.index(nearest)]


def work(model: Cartographer, *settings: str) -> seeing.Work:
    assert BENCH.embedded
    return seeing.Work(
        benchmark=BENCH,
        root=BENCH.embedded,
        clips=tuple(BENCH.clips(BENCH.embedded, settings or ("full",), ())),
        model=model,
        rule=FrameRule(how="linspace_floor", n=1),
        decoding=Decoding(),
    )


@pytest.fixture(scope="module")
def scenes() -> tuple[Scene, ...]:
    return read_scenes(ROOMS)


def test_a_map_at_hand_is_worth_what_the_model_makes_of_it(scenes: tuple[Scene, ...]) -> None:
    model = Cartographer(scenes)
    shown, true = mapping.known_clips(work(model), scenes, grid=10)
    assert len(shown.clips) == len(scenes) == len(true)
    found = list(mapping.mapped(shown, true))
    assert [one.own is None for one in found] == [True, *([False] * (len(scenes) - 1))]
    assert all(one.own == one.true for one in found[1:])

    asked = mapping.answered(shown, found)
    n = len(asked[mapping.TRUE_MAP])
    assert n == len(asked[mapping.NO_MAP])
    assert 0 < len(asked[mapping.OWN_MAP]) < n
    own = {record.question.row_id: record.answer for record in asked[mapping.OWN_MAP]}
    true_answers = {record.question.row_id: record.answer for record in asked[mapping.TRUE_MAP]}
    assert own.items() <= true_answers.items()
    assert {record.answer for record in asked[mapping.NO_MAP]} == {"A"}

    of_maps, of_answers = mapping.reports(shown, found, asked)
    (whole,) = (figure for figure in of_maps.figures if not figure.group)
    missing = whole.n_unparsed
    assert whole.value == pytest.approx(100 * (whole.n - missing) / whole.n)
    assert 0 < missing < whole.n
    assert "1 of them no whole map" in of_maps.notes[0]
    assert of_answers
    values = {f.group: (f.value, f.n) for f in of_answers.figures if f.rule == "official"}
    assert {count for _, count in values.values()} == {len(own)}
    assert values["map=own map"] == values["map=true map"]
    assert (values["map=true map"][0] or 0) > (values["map=no map"][0] or 0)


def test_without_own_maps_the_other_two_ways_are_compared(scenes: tuple[Scene, ...]) -> None:
    model = Cartographer(scenes[:1])
    shown, true = mapping.known_clips(work(model), scenes[:1], grid=10)
    found = list(mapping.mapped(shown, true))
    _, of_answers = mapping.reports(shown, found, mapping.answered(shown, found))
    assert of_answers
    assert {figure.group for figure in of_answers.figures} == {"map=no map", "map=true map"}


def test_what_cannot_be_mapped_is_refused(scenes: tuple[Scene, ...]) -> None:
    model = Cartographer(scenes)
    with pytest.raises(ArgumentError, match="none of them is shown"):
        mapping.known_clips(work(model, "blind"), scenes, grid=10)
    with pytest.raises(ArgumentError, match="got 0 scenes"):
        mapping.known_clips(work(model), (), grid=10)


def test_the_command_writes_maps_pictures_and_tables(tmp_path: Path) -> None:
    ask = ["run", "vsibench", "--limit", "1", "--frames", "2", "--max-new-tokens", "4"]
    run = str(tmp_path / "run")
    done = CliRunner().invoke(cli, [*ask, "--threads", "1", "--progress", "none", "-o", run])
    assert done.exit_code == 0, done.output
    maps = tmp_path / "maps"
    told = CliRunner().invoke(cli, ["maps", run, "--grid", "20", "-o", str(maps)])
    assert told.exit_code == 0, told.output
    assert (maps / "maps.md").read_text("utf-8") == told.stdout
    (row,) = map(json.loads, (maps / "maps.jsonl").read_text("utf-8").splitlines())
    assert row["clip"] == "rooms/room_810000"
    assert (maps / row["picture"]).read_bytes().startswith(b"\x89PNG")
    again = CliRunner().invoke(cli, ["maps", run, "-o", str(maps)])
    assert isinstance(again.exception, ArgumentError)
    assert "choose a new folder" in str(again.exception)

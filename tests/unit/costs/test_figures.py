"""Costs out of sessions: added where they may be, told apart where they may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from edgeval.costs.figures import costs
from edgeval.costs.words import section
from edgeval.types import Generation, Question, Record, Score, Timing


def record(at: int, *, clip: str = "c", value: float = 1.0, frames: int = 4) -> Record:
    question = Question(
        id=f"q{at}", row_id=str(at), clip_id=clip, task="t", text="?", answer="A", kind="text"
    )
    timing = Timing(
        decode_s=0.4,
        preprocess_s=0.1,
        vision_s=0.3,
        prefix_s=0.2,
        prefill_s=0.01 * (at + 1),
        step_s=(0.02, 0.04),
    )
    said = Generation(text="A", token_ids=(1, 2), stop="eos", timing=timing)
    return Record(
        question=question,
        setting="video",
        frame_indices=tuple(range(frames)),
        generation=said,
        scores={"rule": Score(rule="rule", value=value, parsed="A", status="scored")},
    )


def source(
    *, name: str = "board", mode: str = "15W", sensor: str = "INA3221 by sysfs"
) -> dict[str, Any]:
    meter = {
        "source": sensor,
        "covers": "the module",
        "total_kind": "input",
        "unit": "watts",
        "rails": [{"name": "VDD_IN", "total": True}],
    }
    idle = {"seconds": 1.0, "watts": 5.0}
    return {
        "kind": "jetson",
        "name": name,
        "power_mode": mode,
        "details": {},
        "meter": meter,
        "idle": idle,
        "notes": [],
    }


def session(
    *sources: Mapping[str, Any], joules: float = 10.0, gap_s: float = 0.0, questions: int = 2
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    energy = {"total_j": joules, "rails_j": [joules], "covered_s": 2.0, "gap_s": gap_s}
    sums = {
        "seconds": 2.0,
        "questions": questions,
        "thread_s": 0.01,
        "energy": [energy for _ in sources],
        "peak_bytes": {"process": {"vision": 100 << 20}},
        "process_most": 120 << 20,
        "events": {"mean over-current": 3},
        "throttled_s": {"gpu-throttle-alert": 1.5},
        "clock_mhz": {"gpu": {"min": 300.0, "mean": 600.0, "max": 900.0}},
    }
    return {"started": "now", "sources": list(sources)}, sums


def test_sessions_of_one_meter_add_up() -> None:
    found = costs(
        [record(0), record(1), record(2, value=0.0), record(3, value=0.0)],
        [session(source()), session(source(), joules=30.0)],
        rule="rule",
        shared=True,
    )
    (energy,) = found["energy"]
    assert (energy["joules"], energy["questions"], energy["watts"]) == (40.0, 4, 10.0)
    assert (energy["joules_a_question"], energy["joules_a_correct_answer"]) == (10.0, 20.0)
    assert energy["idle_watts"] == 5.0


def test_joules_of_two_meters_are_never_added() -> None:
    both = session(source(), source(name="card", sensor="NVML power of card"))
    found = costs([record(0)], [both], rule="rule", shared=True)
    assert [one["source"] for one in found["energy"]] == ["INA3221 by sysfs", "NVML power of card"]


def test_nothing_correct_is_no_joules_a_correct_answer() -> None:
    found = costs([record(0, value=0.0)], [session(source())], rule="rule", shared=True)
    assert found["energy"][0]["joules_a_correct_answer"] is None


def test_a_clip_is_paid_once_when_its_questions_share_it() -> None:
    asked = [record(at) for at in range(3)] + [record(3, clip="d")]
    stages = costs(asked, [], rule="rule", shared=True)["stages"]
    assert {name: stage["n"] for name, stage in stages.items()} == {
        "decode": 2,
        "preprocess": 2,
        "vision": 2,
        "prefill of the clip": 2,
        "prefill": 4,
        "step": 8,
    }


def test_a_clip_is_seen_anew_when_nothing_is_shared() -> None:
    found = costs([record(at) for at in range(3)], [], rule="rule", shared=False)
    assert found["stages"]["vision"]["n"] == 3
    assert found["stages"]["decode"]["n"] == 1
    assert "clip seen already" not in found["first_token_s"]


def test_a_blind_question_looks_at_nothing() -> None:
    found = costs([record(0, frames=0)], [], rule="rule", shared=True)
    assert found["first_token_s"] == {}
    assert set(found["stages"]) == {"prefill", "step"}


def test_quantiles_are_times_that_occurred() -> None:
    found = costs([record(at) for at in range(100)], [], rule="rule", shared=True)
    prefill = found["stages"]["prefill"]
    assert (prefill["p50_s"], prefill["p90_s"], prefill["p99_s"]) == (0.5, 0.9, 0.99)


def test_a_first_token_on_an_unseen_clip_waits_for_everything() -> None:
    found = costs([record(0)], [], rule="rule", shared=True)
    new = found["first_token_s"]["clip not seen yet"]["p50_s"]
    assert new == pytest.approx(0.4 + 0.1 + 0.3 + 0.2 + 0.01)


def test_rates_are_work_over_its_own_time() -> None:
    found = costs([record(0)], [], rule="rule", shared=True)
    assert found["a_second"] == {
        "tokens": pytest.approx(2 / 0.06, abs=1e-3),
        "frames decoded": 10.0,
        "frames seen": 10.0,
    }


def test_several_power_modes_in_one_run_are_told() -> None:
    found = costs(
        [record(0)], [session(source()), session(source(mode="25W"))], rule="rule", shared=True
    )
    assert any("15W; 25W" in note for note in found["notes"])


def test_gaps_are_told() -> None:
    found = costs([record(0)], [session(source(), gap_s=1.5)], rule="rule", shared=True)
    assert any("1.5 of 2.0 s lie in gaps" in note for note in found["notes"])


def test_the_section_names_source_idle_heat_and_what_throttled() -> None:
    told = section(costs([record(0)], [session(source())], rule="rule", shared=True))
    for text in (
        "energy of board by INA3221 by sysfs: 10 J in 2.0 s; 5 J a question",
        "5 J a correct answer (rule rule)",
        "idle before the run 5 W; it covers the module",
        "throttled: mean over-current 3 times, gpu-throttle-alert 1.5 s",
        "MHz: gpu 300..900",
        "vision 100, whole life 120",
    ):
        assert text in told


def test_a_run_without_an_answer_has_costs_too() -> None:
    found = costs([], [session(source(), questions=0)], rule="rule", shared=True)
    assert found["energy"][0]["joules_a_question"] is None
    assert "energy of board" in section(found)


def test_a_session_killed_before_its_first_line_costs_nothing() -> None:
    facts, _ = session(source())
    found = costs([record(0)], [(facts, {})], rule="rule", shared=True)
    assert found["energy"] == []


def test_thoughts_before_an_answer_are_waited_for() -> None:
    one = record(0)
    assert one.generation is not None
    thinking = replace(one.generation.timing, other_turns_s=3.0)
    thought = replace(one, generation=replace(one.generation, timing=thinking))
    waits = costs([thought], [], rule="rule", shared=True)["first_token_s"]
    assert waits["clip not seen yet"]["p50_s"] == pytest.approx(4.01)
    assert waits["clip seen already"]["p50_s"] == pytest.approx(3.01)


def test_answers_that_shared_their_steps_are_told() -> None:
    one = record(0)
    assert one.generation is not None
    shared = replace(one.generation, timing=replace(one.generation.timing, together=3))
    told = costs([one, replace(one, generation=shared)], [], rule="rule", shared=True)
    assert "up to 3 answers were generated together" in told["notes"][0]
    alone = costs([one], [], rule="rule", shared=True)
    assert not any("together" in note for note in alone["notes"])

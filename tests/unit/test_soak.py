"""A soak's phases out of rounds and of what the hardware told meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeval.device.timeline import Session
from edgeval.errors import RunFolderError
from edgeval.soak import Log, phases
from edgeval.types import Timing
from edgeval.workload import Round

FACTS = {
    "sources": [
        {
            "name": "board",
            "meter": {"source": "INA3221", "rails": [{"name": "IN", "total": True}]},
        }
    ]
}


def soaked(minutes: float, fall_at_s: float, slower: float) -> list[Round]:
    """Rounds of one second, ``slower`` times that from ``fall_at_s`` on."""
    rounds, at_s = [], 0.0
    while at_s < 60 * minutes:
        seconds = slower if at_s >= fall_at_s else 1.0
        at_s += seconds
        timing = Timing(prefill_s=seconds / 2, step_s=(seconds / 4, seconds / 4))
        rounds.append(Round(at_s=at_s, seconds=seconds, n_tokens=2, timing=timing))
    return rounds


def watched(minutes: float, fall_at_s: float, clock_mhz: float, flags: list[str]) -> Session:
    """Ten watts, eight from the fall on; the clock falls to ``clock_mhz``, ``flags`` are told."""
    lines = []
    for second in range(0, int(60 * minutes), 2):
        fallen = second >= fall_at_s
        state = {
            "clock_mhz": {"gpu": clock_mhz if fallen else 1000.0},
            "temperature_c": {"soc": 95.0 if fallen else 50.0},
            "load": {},
            "events": {},
            "throttled": flags if fallen else [],
        }
        lines.append(
            {
                "t_ms": [1000 * second, 1000 * second + 1000],
                "milliwatts": [[[8000 if fallen else 10000], [None]]],
                "states": [state],
            }
        )
    return Session(facts=FACTS, samples=tuple(lines))


@pytest.mark.parametrize(
    ("clock_mhz", "flags", "name"),
    [
        (1000.0, [], "slower"),
        (800.0, [], "throttled"),
        (1000.0, ["thermal"], "throttled"),
    ],
)
def test_a_fall_is_throttling_when_the_hardware_says_so(
    clock_mhz: float, flags: list[str], name: str
) -> None:
    cold, after = phases(soaked(20, 600, 1.25), (watched(20, 600, clock_mhz, flags),))
    assert (cold["phase"], after["phase"]) == ("cold", name)
    assert after["from_s"] == pytest.approx(600, abs=10)
    assert (cold["round_s"], after["round_s"]) == (1.0, 1.25)
    assert (cold["tokens_a_second"], after["tokens_a_second"]) == pytest.approx(
        (4.0, 3.2), rel=1e-3
    )
    assert cold["watts"] == {"INA3221": 10.0}
    assert after["watts"]["INA3221"] == pytest.approx(8.0, abs=0.05)
    assert after["temperature_c"] == {"soc": 95.0}
    assert after["throttled"] == flags


def test_without_sensors_the_rate_alone_is_told() -> None:
    (only,) = phases(soaked(5, 1e9, 1.0), ())
    assert only["phase"] == "steady"
    assert (only["rounds"], only["round_s"], only["step_p99_s"]) == (300, 1.0, 0.25)
    assert "watts" not in only
    assert phases((), ()) == ()


def test_rounds_are_on_disk_as_they_end_and_a_folder_is_not_taken_twice(tmp_path: Path) -> None:
    done = soaked(0.1, 1e9, 1.0)
    with Log(tmp_path / "soak", {"identity": {}}) as log:
        log.append(done[0])
        (line,) = (tmp_path / "soak" / "rounds.jsonl").read_text().splitlines()
        assert json.loads(line)["seconds"] == 1.0
    with pytest.raises(RunFolderError, match="is there already"):
        Log(tmp_path / "soak", {})
    with pytest.raises(RunFolderError, match="cannot be written"):
        Log(Path("/proc/nowhere/soak"), {})

"""What doctor says of power, clocks and throttling, on made-up boards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeval.device import found, memory, watchable
from edgeval.device.symptom import Symptom

Board = Callable[..., Path]


def told(root: Path) -> dict[str, Symptom]:
    hardware = found.sources(engine="cpu", root=root)
    return {one.subject: one for one in watchable.symptoms(hardware, memory.read(root))}


def test_a_meter_says_what_it_covers(board: Board) -> None:
    energy = told(board("thor"))["energy"]
    assert (energy.severity, "INA238" in energy.found) == ("ok", True)


def test_no_meter_comes_with_what_to_do(tmp_path: Path) -> None:
    energy = told(tmp_path)["energy"]
    assert (energy.severity, "meter at the plug" in energy.fix) == ("note", True)


def test_the_power_mode_is_told(board: Board) -> None:
    assert told(board("orin-nano", mode="15W"))["power mode"].found == "15W"


def test_an_unknown_power_mode_has_its_fix(board: Board) -> None:
    mode = told(board("orin-nano", mode=""))["power mode"]
    assert (mode.severity, "nvpmodel -q" in mode.fix) == ("note", True)


def test_a_clock_below_its_most_has_its_fix(board: Board) -> None:
    clock = told(board("orin-nano"))["GPU clock"]
    assert "918 of 1020 MHz" in clock.found
    assert "jetson_clocks" in clock.fix


def test_a_clock_at_its_most_is_no_finding(board: Board) -> None:
    root = board("orin-nano")
    next(root.glob("sys/class/devfreq/*/cur_freq")).write_text("1020000000\n")
    assert "GPU clock" not in told(root)


def test_a_small_board_without_swap_is_a_warning(board: Board) -> None:
    swap = told(board("orin-nano"))["swap"]
    assert (swap.severity, "swapon" in swap.fix) == ("warning", True)


def test_a_small_board_with_swap_is_not(board: Board) -> None:
    root = board("orin-nano")
    with (root / "proc/meminfo").open("a") as stream:
        stream.write("SwapTotal: 8000000 kB\nSwapFree: 8000000 kB\n")
    assert "swap" not in told(root)


def test_throttling_now_is_a_warning(board: Board) -> None:
    root = board("orin-nano")
    assert "throttling" not in told(root)
    (root / "sys/class/thermal/cooling_device0/cur_state").write_text("2\n")
    assert "cpu-throttle-alert" in told(root)["throttling"].found


def test_over_current_since_the_start_is_a_warning(board: Board) -> None:
    assert "mean over-current 20 times" in told(board("orin-nano"))["over-current"].found


def test_every_finding_that_is_not_ok_has_a_fix(board: Board, x86: Path, tmp_path: Path) -> None:
    for root in (board("orin-nano", mode=""), board("thor"), x86, tmp_path):
        assert [one for one in told(root).values() if one.severity != "ok" and not one.fix] == []

"""Jetson boards, on made-up trees of three of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edgeval.device import found, jetson
from edgeval.device.source import Source

Board = Callable[..., Path]


def opened(root: Path) -> Source:
    source = jetson.find(root)
    assert source is not None
    return source


def watts(source: Source) -> float | None:
    assert source.meter is not None
    return source.meter.total(source.read())


@pytest.mark.parametrize(
    ("kind", "total_w", "how"),
    [
        ("orin-nano", 4.984 * 1.856, "input"),
        ("agx-orin", 19.872 * 0.160 + 19.872 * 0.080 + 4.968 * 0.953, "sum_of_rails"),
        ("thor", 49.62132, "input"),
    ],
)
def test_the_total_is_what_everything_flows_through_once(
    board: Board, kind: str, total_w: float, how: str
) -> None:
    source = opened(board(kind))
    assert source.meter is not None
    assert (watts(source), source.meter.total_kind) == (pytest.approx(total_w), how)


def test_rails_inside_the_input_are_told_and_not_added(board: Board) -> None:
    meter = opened(board("orin-nano")).meter
    assert meter is not None
    assert {rail.name: rail.total for rail in meter.rails} == {
        "VDD_IN": True,
        "VDD_CPU_GPU_CV": False,
        "VDD_SOC": False,
    }


def test_a_rail_that_hangs_on_another_is_not_added(board: Board) -> None:
    meter = opened(board("agx-orin")).meter
    assert meter is not None
    assert [rail.name for rail in meter.rails if not rail.total] == ["VDDQ_VDD2_1V8AO"]


def test_channels_that_are_not_connected_are_no_rails(board: Board) -> None:
    meter = opened(board("agx-orin")).meter
    assert meter is not None
    assert len(meter.rails) == 4  # Of six: one says NC, one is disabled.


def test_a_label_that_only_holds_the_letters_nc_is_a_rail(board: Board) -> None:
    root = board("orin-nano")
    label = next(root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/*/in3_label"))
    label.write_text("VDD_ENC\n")
    meter = opened(root).meter
    assert meter is not None
    assert [rail.name for rail in meter.rails][2] == "VDD_ENC"


@pytest.mark.parametrize("hwmon", [0, 1, 4, 11])
def test_the_hwmon_number_does_not_matter(board: Board, hwmon: int) -> None:
    assert watts(opened(board("agx-orin", hwmon=hwmon))) == pytest.approx(9.503784)


def test_a_driver_bound_anew_is_found_again(board: Board) -> None:
    root = board("orin-nano")
    source = opened(root)
    before = watts(source)
    folder = next(root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/hwmon1"))
    for name in folder.glob("*_input"):  # The old files answer no more, as ENODEV does.
        name.write_text("")
    assert watts(source) is None
    moved = folder.with_name("hwmon7")
    shutil.copytree(folder, moved)
    shutil.rmtree(folder)
    (root / "sys/class/hwmon/hwmon1").unlink()
    for name, value in {"in1_input": 4984, "curr1_input": 1856}.items():
        (moved / name).write_text(f"{value}\n")
    source.state()  # Every two seconds, so that a dead sensor is not looked for all the time.
    assert watts(source) == before


def test_one_silent_rail_is_missing_and_not_zero(board: Board) -> None:
    root = board("orin-nano")
    source = opened(root)
    next(root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/*/curr1_input")).write_text("")
    assert source.read()[0] is None
    assert watts(source) is None


def test_clocks_load_and_temperatures(board: Board) -> None:
    state = opened(board("thor")).state()
    assert (state.clock_mhz["gpu"], state.load["gpu"]) == (918.0, 0.372)
    assert state.temperature_c["gpu-thermal"] == pytest.approx(46.812)


def test_a_gated_zone_is_left_out_and_told(board: Board) -> None:
    source = opened(board("orin-nano"))
    assert "cv0-thermal" not in source.state().temperature_c
    assert any("cv0-thermal" in note for note in source.notes)


def test_a_zone_at_minus_256_is_powered_off(board: Board) -> None:
    root = board("orin-nano")
    (root / "sys/class/thermal/thermal_zone0/temp").write_text("-256000\n")
    assert "cpu-thermal" not in opened(root).state().temperature_c


def test_over_current_events_have_their_names(board: Board) -> None:
    events = {"under-voltage": 10, "mean over-current": 20, "peak over-current": 30}
    assert opened(board("orin-nano")).state().events == events


def test_an_alert_throttles_and_a_fan_does_not(board: Board) -> None:
    root = board("orin-nano")
    source = opened(root)
    assert source.state().throttled == ()
    (root / "sys/class/thermal/cooling_device1/cur_state").write_text("1\n")
    assert source.state().throttled == ("gpu-throttle-alert",)


def test_memory_is_what_is_no_more_available(board: Board) -> None:
    assert opened(board("orin-nano")).memory() == {"unified": 2_000_000 * 1024}


def test_the_power_mode_goes_by_its_name(board: Board) -> None:
    facts = opened(board("orin-nano", mode="25W")).facts
    assert (facts.power_mode, facts.details["l4t"]) == ("25W", "36.4.7")


def test_an_unknown_power_mode_is_a_note(board: Board) -> None:
    source = opened(board("orin-nano", mode=""))
    assert source.facts.power_mode == ""
    assert any("power mode unknown" in note for note in source.notes)


def test_a_board_whose_rails_are_hidden_is_a_note_with_a_fix(board: Board) -> None:
    root = board("orin-nano")
    shutil.rmtree(root / "sys/bus")
    shutil.rmtree(root / "sys/class/hwmon")
    source = opened(root)
    assert (source.meter, source.read()) == (None, ())
    assert any("mount /sys" in note for note in source.notes)


def test_an_unknown_board_says_that_its_sum_is_doubtful(board: Board) -> None:
    root = board("orin-nano")
    next(root.glob("sys/bus/i2c/drivers/ina3221/*/hwmon/*/in1_label")).write_text("VDD_NEW\n")
    meter = opened(root).meter
    assert meter is not None
    assert (meter.total_kind, "not known for this board" in meter.covers) == ("sum_of_rails", True)


def test_a_jetson_is_never_measured_by_another_source(board: Board) -> None:
    sources = found.sources(engine="cuda", root=board("thor"))
    assert [source.facts.kind for source in sources] == ["jetson"]


def test_no_other_machine_is_a_jetson(x86: Path) -> None:
    assert jetson.find(x86) is None


@pytest.mark.parametrize("kind", ["orin-nano", "agx-orin", "thor"])
def test_trees_that_others_made(shared: Path, tmp_path: Path, kind: str) -> None:
    import subprocess
    import sys

    script = shared / "prototypes/jetson/fake_jetson_sysfs.py"
    subprocess.run([sys.executable, str(script), str(tmp_path), kind], check=True)
    wanted = {"orin-nano": 9.250304, "agx-orin": 9.503784, "thor": 49.62132}
    assert watts(opened(tmp_path)) == pytest.approx(wanted[kind])

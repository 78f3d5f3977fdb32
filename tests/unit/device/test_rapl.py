"""Energy counters of x86 processors, on a made-up tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeval.device import found, rapl
from edgeval.device.rapl import Rapl

WRAP = 262_143_328_850


def opened(root: Path) -> Rapl:
    source, _ = rapl.find(root)
    assert source is not None
    return source


def counter(root: Path, zone: str) -> Path:
    return root / "sys/class/powercap" / zone / "energy_uj"


def total(source: Rapl) -> float | None:
    assert source.meter is not None
    return source.meter.total(source.read())


def test_joules_are_since_the_meter_was_opened(x86: Path) -> None:
    source = opened(x86)
    assert total(source) == 0.0
    counter(x86, "intel-rapl:0").write_text("3500000\n")
    assert total(source) == pytest.approx(2.5)


def test_packages_and_memory_are_added_cores_and_platform_are_not(x86: Path) -> None:
    meter = opened(x86).meter
    assert meter is not None
    names = [rail.name for rail in meter.rails if rail.total]
    assert names == ["package-0", "package-0 dram", "package-1"]
    assert len(meter.rails) == 5


def test_a_counter_that_wraps_goes_on(x86: Path) -> None:
    path = counter(x86, "intel-rapl:1")
    path.write_text(f"{WRAP - 1_000_000}\n")
    source = opened(x86)
    path.write_text("2000000\n")
    assert total(source) == pytest.approx(3.0)
    path.write_text("5000000\n")
    assert total(source) == pytest.approx(6.0)


def test_what_it_covers_is_said(x86: Path) -> None:
    meter = opened(x86).meter
    assert meter is not None
    assert "not the board" in meter.covers


def test_a_counter_only_for_root_is_a_note_with_the_fix(
    x86: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.open

    def refused(path: Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("energy_uj"):
            raise PermissionError(13, "Permission denied")
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", refused)
    monkeypatch.setattr(os, "access", lambda *_: False)
    source, notes = rapl.find(x86)
    assert source is None
    assert "sudo chmod a+r" in notes[0]


def test_a_machine_without_counters_is_watched_without_joules(tmp_path: Path) -> None:
    (source,) = found.sources(engine="cpu", root=tmp_path)
    assert (source.meter, source.facts.kind, source.read()) == (None, "none", ())
    assert "no energy counter" in source.notes[0]


def test_the_clock_and_its_governor(x86: Path) -> None:
    source = opened(x86)
    assert source.state().clock_mhz == {"cpu0": 3100.0}
    assert source.facts.power_mode == "powersave"

"""NVIDIA cards behind a made-up NVML: what is asked, and what is not told."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

from edgeval.device import nvidia
from edgeval.device.nvidia import Nvidia


class NotSupportedError(Exception):
    """What NVML raises for anything it will not tell."""


def refused(*_: object) -> None:
    raise NotSupportedError("Not Supported")


def library(**others: object) -> ModuleType:
    """A module like pynvml with one card."""
    answers: dict[str, object] = {
        "NVMLError": NotSupportedError,
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "580.1",
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: f"card {index}",
        "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
        "nvmlDeviceGetName": lambda _: "Toy GPU",
        "nvmlDeviceGetPowerUsage": lambda _: 120_500,
        "nvmlDeviceGetTotalEnergyConsumption": lambda _: 5_000_000,
        "nvmlDeviceGetEnforcedPowerLimit": lambda _: 700_000,
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=3 << 30),
        "nvmlDeviceGetClockInfo": lambda _, kind: 1000 + kind,
        "nvmlDeviceGetTemperature": lambda *_: 61,
        "nvmlDeviceGetUtilizationRates": lambda _: SimpleNamespace(gpu=40),
        "nvmlDeviceGetCurrentClocksThrottleReasons": lambda _: 0x04 | 0x40 | 0x01,
    }
    module = ModuleType("pynvml")
    for name, answer in {**answers, **others}.items():
        setattr(module, name, answer)
    return module


def opened(**others: object) -> Nvidia:
    source, _ = nvidia.find("", library(**others))
    assert source is not None
    return source


def test_joules_come_from_the_cards_own_counter() -> None:
    shown = iter((5_000_000, 5_002_500))
    source = opened(nvmlDeviceGetTotalEnergyConsumption=lambda _: next(shown))
    assert source.meter is not None
    assert (source.meter.unit, source.read()) == ("joules", (2.5,))


def test_a_card_without_a_counter_tells_watts() -> None:
    source = opened(nvmlDeviceGetTotalEnergyConsumption=refused)
    assert source.meter is not None
    assert (source.meter.unit, source.read()) == ("watts", (120.5,))


def test_a_card_that_tells_neither_is_a_note() -> None:
    source = opened(nvmlDeviceGetTotalEnergyConsumption=refused, nvmlDeviceGetPowerUsage=refused)
    assert (source.meter, source.read()) == (None, ())
    assert "neither energy nor power" in source.notes[0]


def test_a_joule_names_the_card_it_was_measured_on() -> None:
    meter = opened().meter
    assert meter is not None
    assert "Toy GPU" in meter.source
    assert "not the processor" in meter.covers


def test_its_power_limit_is_its_power_mode() -> None:
    assert opened().facts.power_mode == "limit 700 W"


def test_state_tells_what_holds_the_clock_back() -> None:
    state = opened().state()
    assert state.throttled == ("power cap", "hardware thermal slowdown")
    assert (state.temperature_c, state.load) == ({"gpu": 61.0}, {"gpu": 0.4})


@pytest.mark.parametrize(
    "silent",
    [
        "nvmlDeviceGetEnforcedPowerLimit",
        "nvmlDeviceGetMemoryInfo",
        "nvmlDeviceGetClockInfo",
        "nvmlDeviceGetTemperature",
        "nvmlDeviceGetUtilizationRates",
        "nvmlDeviceGetCurrentClocksThrottleReasons",
        "nvmlSystemGetDriverVersion",
        "nvmlDeviceGetName",
        "nvmlShutdown",
    ],
)
def test_whatever_a_card_does_not_tell_is_missing(silent: str) -> None:
    source = opened(**{silent: refused})
    source.state()
    source.memory()
    source.close()
    assert source.read() == (0.0,)


def test_no_driver_is_a_note() -> None:
    source, notes = nvidia.find("", library(nvmlInit=refused))
    assert source is None
    assert "driver" in notes[0]


def test_the_card_that_cuda_was_told_to_take_is_the_one_measured() -> None:
    asked: list[object] = []
    library_ = library(
        nvmlDeviceGetHandleByIndex=asked.append,
        nvmlDeviceGetHandleByUUID=asked.append,
    )
    for told in ("2,3", "GPU-abc", ""):
        nvidia.find(told, library_)
    assert asked == [2, "GPU-abc", 0]


def test_several_cards_are_told() -> None:
    source, _ = nvidia.find("", library(nvmlDeviceGetCount=lambda: 8))
    assert source is not None
    assert "several cards" in source.notes[0]


def test_a_card_that_is_not_there_is_a_note() -> None:
    source, notes = nvidia.find("7", library(nvmlDeviceGetHandleByIndex=refused))
    assert source is None
    assert "no card 7" in notes[0]

"""Targets of the benchmarks: told in a table at the end, met or missed, never a timed test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Aim = Callable[[str, float, float], None]
MEASURED = pytest.StashKey[list[tuple[str, float, float]]]()


@pytest.fixture
def at_least(request: pytest.FixtureRequest) -> Aim:
    """Record a measured figure beside its target: what, got, wanted (got >= wanted meets it)."""
    found = request.config.stash.setdefault(MEASURED, [])

    def record(what: str, got: float, wanted: float) -> None:
        found.append((what, got, wanted))

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line a target."""
    found = terminalreporter.config.stash.get(MEASURED, [])
    if found:
        terminalreporter.section("targets")
        for what, got, wanted in found:
            verdict = "met" if got >= wanted else "MISSED"
            terminalreporter.write_line(f"{verdict:7} {what}: {got:.3g}, target {wanted:.3g}")

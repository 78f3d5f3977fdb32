"""The file of a GPU check: valid at any moment, and only what it should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpu_check import results, table
from gpu_check.results import Results


def test_every_change_is_on_disk_when_it_returns(result: Results) -> None:
    result.put("rtx", "sm_90", "refused")
    found = json.loads(result.path.read_text("utf-8"))
    assert found["parts"]["rtx"]["found"] == {"sm_90": "refused"}
    assert list(result.path.parent.iterdir()) == [result.path]


def test_what_is_no_number_is_not_written(result: Results) -> None:
    before = result.path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        result.put("limits", "copy_bytes_a_s", float("nan"))
    assert result.path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schema": 2}, "schema"),
        ({"facts": None}, "facts"),
        ({"facts": {"rehearsal": True}}, "lack date"),
        ({"parts": {"speed": {"status": "fine"}}}, "fine"),
    ],
)
def test_what_is_no_result_is_refused(result: Results, change: dict, why: str) -> None:
    found = {**result.read(), **change}
    with pytest.raises(ValueError, match=why):
        results.check(found)


def test_a_result_of_a_gpu_says_which(result: Results) -> None:
    found = result.read()
    del found["facts"]["sm"]
    with pytest.raises(ValueError, match="lack sm"):
        results.check(found)


def test_doctor_finds_the_file_by_its_name(tmp_path: Path) -> None:
    from edgeval.device import driver

    name = results.file_name("2030-01-02", "NVIDIA RTX 6000 (Ada)")
    assert name == "2030-01-02-nvidia-rtx-6000-ada.json"
    (tmp_path / "docs/gpu").mkdir(parents=True)
    (tmp_path / "docs/gpu" / name).write_text("{}")
    assert driver.last_check(tmp_path) == "2030-01-02 nvidia-rtx-6000-ada"


def test_every_committed_result_can_be_read_and_is_of_a_gpu(repo: Path) -> None:
    for path in (repo / "docs" / "gpu").glob("*.json"):
        found = Results(path).read()
        assert not found["facts"]["rehearsal"], path
        assert path.name.startswith(found["facts"]["date"])
        assert found["facts"]["device"] in table.text(found)

"""``edgeval score``: the file form, and one sentence for every line that is not one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgeval.cli.score import command
from edgeval.errors import DataError, EdgevalError, RunFolderError, UnknownName

DOC = {
    "id": "dev_Art_1",
    "track": "adaptation",
    "question": "?",
    "options": ["x", "y"],
    "answer": "B",
    "question_type": "multiple-choice",
}


def _line(uid: object = "u", doc: object = DOC, response: object = "B") -> str:
    return json.dumps({"uid": uid, "doc": doc, "response": response})


def _score(tmp_path: Path, *lines: str, name: str = "videommmu") -> Result:
    (tmp_path / "in.jsonl").write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    arguments = [name, str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl")]
    return CliRunner().invoke(command, arguments)


def _error(result: Result) -> EdgevalError:
    assert isinstance(result.exception, EdgevalError)
    assert "\n" not in str(result.exception)
    return result.exception


def test_every_line_gets_its_scores_under_every_rule(tmp_path: Path) -> None:
    assert _score(tmp_path, _line(), "", _line(2, response="")).exit_code == 0
    out = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    scored = {"value": 1.0, "parsed": "B", "status": "scored"}
    assert out == [
        {"uid": "u", "scores": {"official": scored, "lmms-eval": scored, "vlmeval": scored}},
        {
            "uid": 2,
            "scores": {
                "official": {"value": None, "parsed": None, "status": "excluded"},
                "vlmeval": {"value": None, "parsed": None, "status": "excluded"},
                "lmms-eval": {"value": 0.0, "parsed": None, "status": "unparsed"},
            },
        },
    ]


def test_the_summary_tells_accuracy_and_n_of_each_rule(tmp_path: Path) -> None:
    told = _score(tmp_path, _line(), _line(2, response="")).stdout
    cells = [[c.strip() for c in line.split("|")[1:-1]] for line in told.splitlines()]
    assert ["video_mmmu_adaptation", "official", "100.00", "1", "1", "0", "0"] in cells
    assert ["video_mmmu_adaptation", "lmms-eval", "50.00", "2", "0", "1", "0"] in cells


def test_an_answer_with_broken_unicode_is_scored(tmp_path: Path) -> None:
    assert _score(tmp_path, _line(response="\ud800")).exit_code == 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "got list"),
        (_line(uid=None), "'uid'"),
        (_line(doc=[]), "'doc'"),
        (_line(response=None), "'response'"),
        (_line(doc={**DOC, "options": []}), "without options"),
        (_line(doc={**DOC, "track": "perceptoin"}), "track 'perceptoin'"),
        (_line(doc={**DOC, "track": None}), "'track'"),
        (_line(doc={**DOC, "id": "../../x"}), "climbs out"),
        (_line(doc={**DOC, "answer": None}), "'answer'"),
        (_line(), "second time"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(tmp_path: Path, line: str, said: str) -> None:
    error = _error(_score(tmp_path, _line(), line))
    assert isinstance(error, DataError)
    assert "line 2" in str(error)
    assert said in str(error)
    assert not (tmp_path / "out.jsonl").exists()


def test_a_file_that_is_not_text_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\xff\xfe\x00")
    result = CliRunner().invoke(
        command, ["videommmu", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out")]
    )
    assert "UTF-8" in str(_error(result))


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        command, ["videommmu", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "out")]
    )
    assert isinstance(_error(result), DataError)


def test_an_unknown_benchmark_is_told_the_nearest(tmp_path: Path) -> None:
    error = _error(_score(tmp_path, _line(), name="videommu"))
    assert isinstance(error, UnknownName)
    assert "videommmu" in str(error)


def test_an_output_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(_line(), encoding="utf-8")
    result = CliRunner().invoke(
        command, ["videommmu", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "no" / "out")]
    )
    assert isinstance(_error(result), RunFolderError)


@pytest.mark.parametrize("arguments", [[], ["videommmu", "in.jsonl"], ["a", "b", "c", "-o", "o"]])
def test_half_a_command_is_a_usage_error(arguments: list[str]) -> None:
    assert CliRunner().invoke(command, arguments).exit_code == 2

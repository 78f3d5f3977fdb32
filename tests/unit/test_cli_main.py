"""The command line as a whole: what is refused before a verb is looked at."""

from __future__ import annotations

import sys

import pytest

from edgeval.cli.main import main


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("run", "videommmu", "--data", ""), "--data"),
        (("run", "videommmu", "--model="), "--model"),
        (("bench", "--model", ""), "--model"),
        (("data", "check", "videommmu", "--data", ""), "--data"),
        (("score", ""), "an argument"),
    ],
)
def test_an_empty_text_is_no_path_and_no_name(arguments, named, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["edgeval", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert f"got an empty text for {named};" in said
    assert said.count("\n") == 1

"""The command line as a whole: what is refused before a verb is looked at."""

from __future__ import annotations

import sys

import pytest

from edgeval.cli.main import main
from edgeval.errors import UnknownName


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


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("runn",), "edgeval: no verb 'runn'; did you mean run?\n"),
        (("bensh",), "edgeval: no verb 'bensh'; did you mean bench?\n"),
    ],
)
def test_a_verb_that_is_none_is_told_as_other_names_are(arguments, wanted, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["edgeval", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    assert (left.value.code, capsys.readouterr().err) == (2, wanted)


@pytest.mark.parametrize("arguments", [(), ("data",)])
def test_a_group_alone_says_its_help_and_is_no_success(arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["edgeval", *arguments])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err
    assert left.value.code == 2
    assert said.startswith("Usage: ")
    assert "see '" not in said


def test_of_a_thousand_names_a_sentence_lists_a_few():
    error = UnknownName("sample", "?", [f"question {i:04d}" for i in range(1000)])
    assert str(error).endswith("question 0019 and 980 more")

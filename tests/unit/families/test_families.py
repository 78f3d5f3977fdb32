"""Families by name."""

from __future__ import annotations

import pytest

from edgeval import families
from edgeval.errors import UnknownName


@pytest.mark.parametrize("name", families.names())
def test_every_name_opens_its_family(name):
    assert families.load(name).name == name


def test_an_unknown_family_gets_a_suggestion():
    with pytest.raises(UnknownName, match="did you mean smolvlm"):
        families.load("smolvl")

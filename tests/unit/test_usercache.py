"""Where this user's caches lie, and who may look into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeval import usercache
from edgeval.engines.trt import default_root, store


@pytest.mark.parametrize("said", ["", "relative/cache"])
def test_without_an_absolute_path_it_is_in_the_home(monkeypatch, said):
    monkeypatch.setenv("XDG_CACHE_HOME", said)
    assert usercache.folder() == Path.home() / ".cache" / "edgeval"


def test_the_users_own_place_is_taken(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert usercache.folder() == tmp_path / "edgeval"
    assert default_root() == tmp_path / "edgeval" / "engines"


def test_every_folder_that_is_made_is_for_this_user_alone(tmp_path):
    made = tmp_path / "cache" / "edgeval" / "engines"
    assert store.folder(made) == made
    for folder in (made, *made.parents[:2]):
        assert folder.stat().st_mode & 0o777 == 0o700, folder


def test_a_folder_that_is_there_stays_as_it_is(tmp_path):
    tmp_path.chmod(0o755)
    usercache.make(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_file_in_its_place_is_told(tmp_path):
    (tmp_path / "engines").write_text("")
    with pytest.raises(FileExistsError):
        usercache.make(tmp_path / "engines")

"""A file is read once for its hash as long as it is the same file, and at once when it is not."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest

from edgeval import modelfolder
from edgeval.modelfolder import sha256


@pytest.fixture
def reads(monkeypatch) -> Counter[str]:
    """How often each file was read; with an empty memory before and after."""
    counted: Counter[str] = Counter()
    read = modelfolder.read_sha256

    def count(path: Path) -> str:
        counted[path.name] += 1
        return read(path)

    monkeypatch.setattr(modelfolder, "read_sha256", count)
    modelfolder._known.cache_clear()
    yield counted
    modelfolder._known.cache_clear()


@pytest.fixture
def later(monkeypatch) -> None:
    """An hour on, so that no file is one that changed just now."""
    now = modelfolder.time.time_ns
    monkeypatch.setattr(modelfolder.time, "time_ns", lambda: now() + 3600 * 10**9)


@pytest.fixture
def weights(tmp_path) -> Path:
    path = tmp_path / "weights"
    path.write_bytes(b"one")
    return path


def hashed(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once(weights, reads, later):
    assert sha256(weights) == sha256(weights) == hashed(b"one")
    assert reads == {"weights": 1}


def test_a_link_to_it_is_the_same_file(weights, reads, later, tmp_path):
    (tmp_path / "link").symlink_to(weights)
    assert sha256(weights) == sha256(tmp_path / "link")
    assert reads == {"weights": 1}


def test_a_change_of_one_byte_that_keeps_size_and_time_is_seen(weights, reads, later):
    """As of one who hides it: the time of the entry's change cannot be set."""
    before = weights.stat()
    assert sha256(weights) == hashed(b"one")
    weights.write_bytes(b"two")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights.stat().st_mtime_ns == before.st_mtime_ns
    assert sha256(weights) == hashed(b"two")


def test_another_file_in_its_place_is_seen(weights, reads, later, tmp_path):
    assert sha256(weights) == hashed(b"one")
    (tmp_path / "other").write_bytes(b"two")
    (tmp_path / "other").replace(weights)
    assert sha256(weights) == hashed(b"two")


def test_a_file_that_changed_just_now_is_read_every_time(weights, reads):
    """Two changes within the grain of a file system's clock have the same times."""
    assert sha256(weights) == sha256(weights)
    assert reads == {"weights": 2}


def test_a_file_of_the_future_is_read_every_time(weights, reads, later):
    os.utime(weights, (2**33, 2**33))
    assert sha256(weights) == sha256(weights)
    assert reads == {"weights": 2}

"""Checkpoints by hub id: what is asked for, what is kept, and what is said when it is not to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edgeval.cli.export import command
from edgeval.errors import ManifestError
from edgeval.export import hub

huggingface_hub = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")

ID = "HuggingFaceTB/SmolVLM2-256M-Video-Instruct"
COMMIT = "7c2a" * 10
CARD = "---\nlibrary_name: transformers\nlicense: apache-2.0\n---\n# A card\nlicense: mit\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An offline machine whose cache holds one snapshot, in the hub's own layout."""
    repo = tmp_path / f"models--{ID.replace('/', '--')}"
    snapshot, blobs = repo / "snapshots" / COMMIT, repo / "blobs"
    for folder in (snapshot, blobs, repo / "refs"):
        folder.mkdir(parents=True)
    (repo / "refs/main").write_text(COMMIT, "utf-8")
    for name, text in (("config.json", "{}"), ("model.safetensors", ""), ("README.md", CARD)):
        (blobs / name).write_text(text, "utf-8")
        (snapshot / name).symlink_to(Path("../../blobs") / name)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return tmp_path


def failing(error: Exception) -> Callable[..., str]:
    def download(*args: object, **options: object) -> str:
        raise error

    return download


def http(kind: type[Exception]) -> Exception:
    """An answer of the hub's, without the answer."""
    error = kind.__new__(kind)
    Exception.__init__(error, "404 Client Error")
    return error


@pytest.mark.parametrize("revision", [None, "main", COMMIT])
def test_a_snapshot_in_the_cache_is_found_offline(cache, revision):
    found = hub.find(ID, revision=revision)
    assert (found.folder.name, found.source) == (COMMIT, f"{ID}@{COMMIT}")


def test_the_cards_header_names_the_licence(cache):
    assert hub.find(ID).licence == "apache-2.0"


def test_a_folder_is_not_looked_up(tmp_path):
    found = hub.find(str(tmp_path), download=failing(AssertionError("asked the hub")))
    assert (found.source, found.licence) == (tmp_path.name, "unknown")


def test_no_pickle_is_asked_for(cache):
    asked: dict[str, Any] = {}

    def download(name: str, **options: Any) -> str:
        asked.update(options)
        return huggingface_hub.snapshot_download(name, **options)

    hub.find(ID, download=download)
    names = ("pytorch_model.bin", "model.pt", "onnx/model.onnx", "code.py", "config.json")
    filtered = huggingface_hub.utils.filter_repo_objects(
        names, allow_patterns=asked["allow_patterns"], ignore_patterns=asked["ignore_patterns"]
    )
    assert list(filtered) == ["config.json"]


def test_a_snapshot_of_pickles_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="no safetensors among its files"):
        hub.find(ID, download=lambda *_, **__: str(tmp_path))


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (http(errors.GatedRepoError), "is gated"),
        (http(errors.RepositoryNotFoundError), "no such model"),
        (http(errors.RevisionNotFoundError), "no such revision"),
        (errors.LocalEntryNotFoundError("x"), "cannot be reached"),
        (errors.OfflineModeIsEnabled("x"), "cannot be reached"),
        (http(errors.HfHubHTTPError), "cannot be downloaded .404 Client Error"),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_what_the_hub_refuses_is_one_sentence(error, sentence):
    with pytest.raises(ManifestError, match=sentence) as raised:
        hub.find(ID, download=failing(error))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "name", ["no/such/folder", "./nothing", "/nothing", "plain", "a/..", "-a/b"]
)
def test_what_is_neither_folder_nor_id_says_so(name):
    with pytest.raises(ManifestError, match="no such folder; wants"):
        hub.find(name, download=failing(AssertionError("asked the hub")))


def test_a_revision_of_a_folder_makes_no_sense(tmp_path):
    with pytest.raises(ManifestError, match="--revision is for a hub id"):
        hub.find(str(tmp_path), revision="main")


def test_the_command_ends_with_code_4_offline(cache, tmp_path):
    result = CliRunner().invoke(command, ["owner/absent", "-o", str(tmp_path / "out")])
    assert isinstance(result.exception, ManifestError)
    assert result.exception.exit_code == 4
    assert not (tmp_path / "out").exists()

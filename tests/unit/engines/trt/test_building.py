"""The building process seen from outside: what it says, how it ends, what is left of it."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from edgeval import modelfolder
from edgeval.engines.trt import building, library, profiles, rows
from edgeval.engines.trt.building import Source, Target
from edgeval.errors import EngineError
from edgeval.modelfolder import manifest


@pytest.fixture
def target(tmp_path) -> Target:
    found = library.Library(name=library.RTX, version="1.7.1", trt=None)
    return building.for_capability(found, 86, tmp_path / "engines")


@pytest.fixture
def source(plain) -> Source:
    return Source(role="decoder", graph=plain)


@pytest.fixture
def wanted(plain):
    return profiles.decoder_profiles(rows.ports(plain)[0], 64)


@pytest.fixture
def child(tmp_path, monkeypatch):
    """Put a script in the builder's place; {output} is where the engine goes."""

    def put(*lines: str) -> None:
        path = tmp_path / "child"
        read = "output = __import__('json').load(__import__('sys').stdin)['output']"
        path.write_text("\n".join([f"#!{sys.executable}", read, *lines]), "utf-8")
        path.chmod(0o700)
        monkeypatch.setattr(building.sys, "executable", str(path))

    return put


WRITES = "open(output, 'wb').write(b'engine')"
DONE = """print('{"done": true}')"""


def test_an_engine_is_built_once_and_found_after(target, source, wanted, child):
    child(WRITES, DONE)
    first = building.engine(target, source, wanted)
    child("raise SystemExit('asked again')")
    assert building.engine(target, source, wanted) == first


def test_what_the_manifest_was_held_to_is_not_read_again(target, child, tiny, monkeypatch):
    """A graph is hashed once, whoever asks: for the manifest, for an engine, for its key."""
    read: Counter[str] = Counter()
    really = modelfolder.read_sha256

    def count(path: Path) -> str:
        read[path.name] += 1
        return really(path)

    monkeypatch.setattr(modelfolder, "read_sha256", count)
    monkeypatch.setattr(modelfolder, "COARSE_NS", 0)  # a fresh checkout is not a race
    modelfolder._known.cache_clear()
    found = manifest.load(tiny)
    variant = found.variant("fp32")
    manifest.verify(found, variant)
    child(WRITES, DONE)
    for context in (64, 128):
        path = variant.graphs["decoder_model_merged"].path
        graph = building.source("decoder", path, target.operator_version)
        building.engine(target, graph, profiles.decoder_profiles(graph.ports()[0], context))
    assert read["decoder_model_merged.onnx"] == 1
    assert set(read.values()) == {1}


def test_a_graph_that_changes_while_its_engine_is_built_is_told(
    target, wanted, child, tiny, tmp_path
):
    path = tmp_path / "decoder.onnx"
    shutil.copyfile(tiny / "onnx" / "decoder_model_merged.onnx", path)
    source = building.source("decoder", path, target.operator_version)
    child(f"open({str(path)!r}, 'ab').write(b'x')", WRITES, DONE)
    with pytest.raises(EngineError, match=r"decoder\.onnx changed while its engine was built"):
        building.engine(target, source, wanted)
    assert list(target.root.glob("*.engine")) == []


def test_the_child_stands_in_an_empty_folder(target, source, wanted, child, tmp_path):
    said = tmp_path / "said"
    child(f"import os; open({str(said)!r}, 'w').write(str(os.listdir()))", WRITES, DONE)
    building.engine(target, source, wanted)
    assert said.read_text("utf-8") == "[]"


def test_profiles_and_progress_are_told(target, source, wanted, child, caplog, monkeypatch):
    monkeypatch.setattr(building, "EVERY_S", 0.0)
    child("""print('{"phase": "Optimizing", "step": 3, "of": 30}')""", WRITES, DONE)
    with caplog.at_level(logging.INFO, "edgeval.trt"):
        building.engine(target, source, wanted)
    said = caplog.text
    assert f"  {wanted[0]}" in said
    assert f"  {wanted[1]}" in said
    assert "Optimizing, 3 of 30" in said


@pytest.mark.parametrize("shared", [True, False])
def test_room_is_made_before_a_build_in_shared_memory_only(target, source, wanted, child, shared):
    child(WRITES, DONE)
    board = dataclasses.replace(target, shared_memory=shared)
    freed: list[bool] = []
    for _ in range(2):
        building.engine(board, source, wanted, lambda: freed.append(True))
    assert freed == [True] * shared


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("""print('{"error": "Concat: no"}')""",), "cannot be built: Concat: no"),
        (("import os", "os.kill(os.getpid(), 9)"), r"killed by signal 9 \(out of memory\?\)"),
        (("raise RuntimeError('boom')",), "cannot be built: RuntimeError: boom"),
        (("print('a library talks')", "print('[1, 2]')"), "cannot be built: it ended with 0"),
    ],
)
def test_a_build_that_fails_is_one_sentence_and_leaves_nothing(
    target, source, wanted, child, lines, says
):
    child(*lines)
    with pytest.raises(EngineError, match=says) as caught:
        building.engine(target, source, wanted)
    assert "\n" not in str(caught.value)
    assert list(Path(target.root).iterdir()) == []


def test_a_missing_library_is_the_childs_to_tell(target, source, wanted):
    """The real child, in a process of its own."""
    try:
        library.load((library.RTX,))
    except EngineError:
        with pytest.raises(EngineError, match="no tensorrt_rtx_bindings"):
            building.engine(target, source, wanted)
    else:
        pytest.skip("TensorRT-RTX is here: test_rtx_builds has the child build")

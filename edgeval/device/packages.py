"""What is installed and can change an answer: the lock list of a run card."""

from __future__ import annotations

import hashlib
import re
from importlib import metadata

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([\w-]+)['"]""")
# Extras that build, test or prepare; no run uses them.
_BESIDES = frozenset({"bench", "dev", "export", "make", "test"})
# Files that installers write about themselves, and scripts that hold the path of the environment.
_LOCAL = ("/INSTALLER", "/REQUESTED", "/direct_url.json", "/RECORD")


def installed(package: str = "edgeval") -> dict[str, dict[str, str]]:
    """Every distribution that a run can use, by name: ``version``, and ``sha256`` of its files.

    The digest is over the hashes that the installed RECORD lists, so it is the same wherever the
    same wheel was unpacked; "" where there is no such list.
    """
    found: dict[str, dict[str, str]] = {}
    todo = [package]
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            dist = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = {"version": dist.version, "sha256": _files_sha256(dist)}
        todo += _wanted(dist, extras=name == package)
    return dict(sorted(found.items()))


def _wanted(dist: metadata.Distribution, *, extras: bool) -> list[str]:
    """Names of the requirements, those of extras only where they can serve a run."""
    names = []
    for line in dist.requires or ():
        extra = _EXTRA.search(line)
        name = _NAME.match(line)
        if name and (extra is None or (extras and extra[1] not in _BESIDES)):
            names.append(name[0])
    return names


def _files_sha256(dist: metadata.Distribution) -> str:
    rows = []
    for row in (dist.read_text("RECORD") or "").splitlines():
        path, _, rest = row.partition(",")
        # Compiled modules have no hash; what lies above site-packages is made by the installer.
        if "sha256=" in rest and not path.startswith("..") and not path.endswith(_LOCAL):
            rows.append(row)
    return hashlib.sha256("\n".join(sorted(rows)).encode()).hexdigest() if rows else ""

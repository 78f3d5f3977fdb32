"""How the command line listens: the cache of the user, and a line on stderr for every video."""

from __future__ import annotations

import os
from pathlib import Path

import click

from edgeval.analyses.transcripts.heard import Ears
from edgeval.runspec import Spec


def ears(spec: Spec) -> Ears:
    """What a run of ``spec`` listens with; the cache is --cache, else the user's cache folder."""

    def tell(message: str) -> None:
        click.echo(f"edgeval: {message}", err=True)

    return Ears(cache=spec.cache or _user_cache(), tell=tell, keep_going=spec.keep_going)


def _user_cache() -> Path:
    """XDG_CACHE_HOME or ~/.cache; by the XDG rules a relative one counts as none."""
    said = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (said if said.is_absolute() else Path.home() / ".cache") / "edgeval"

"""How the command line listens: the cache of the user, and a line on stderr for every video."""

from __future__ import annotations

import click

from edgeval import usercache
from edgeval.analyses.transcripts.heard import Ears
from edgeval.runspec import Spec


def ears(spec: Spec) -> Ears:
    """What a run of ``spec`` listens with; the cache is --cache, else the user's cache folder."""

    def tell(message: str) -> None:
        click.echo(f"edgeval: {message}", err=True)

    return Ears(cache=spec.cache or usercache.folder(), tell=tell, keep_going=spec.keep_going)

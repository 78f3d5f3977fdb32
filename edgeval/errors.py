"""Every error a user can cause, and the exit code it means.

    EdgevalError                        1
    |-- ArgumentError (ValueError)      2   an argument makes no sense
    |-- UnknownName (LookupError)       2   no such benchmark, engine, family, rule, model
    |-- RunFolderError                  2   a run folder that cannot be used as asked
    |-- DataError                       3   a dataset file that is missing, damaged or malformed
    |   `-- VideoError                  3   a video that cannot be read as asked
    |-- ManifestError                   4   a model folder that is missing, broken or changed
    |-- EngineError                     4   an engine that is not here or cannot run this
    |-- MemoryLimitError                5   the run does not fit
    `-- Interrupted                     6   stopped, nothing lost, resume goes on

A message says what, got, wanted, and what to do, in one sentence. Only ``cli`` turns one into an
exit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class EdgevalError(Exception):
    """Base of every error that is the user's, the data's or the machine's, not ours."""

    exit_code: ClassVar[int] = 1


class ArgumentError(EdgevalError, ValueError):
    """An argument outside its domain."""

    exit_code = 2


# Names that a sentence lists: all of a registry, a few of a thousand samples.
SHOWN = 20


class UnknownName(EdgevalError, LookupError):
    """A name that no registry holds."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(names[:SHOWN])}{more}"
        super().__init__(f"no {kind} {name!r}; {hint}")


class RunFolderError(EdgevalError):
    """A run folder that is taken, read-only, or of another run."""

    exit_code = 2


class DataError(EdgevalError):
    """A dataset file that is missing, damaged or not in the layout it should have."""

    exit_code = 3


class VideoError(DataError):
    """A video that is missing, damaged or has no picture to give."""


class ManifestError(EdgevalError):
    """A model folder that is missing, incomplete, changed or not understood."""

    exit_code = 4


class EngineError(EdgevalError):
    """An engine that is not installed, finds no device, or fails on a graph."""

    exit_code = 4


class MemoryLimitError(EdgevalError):
    """A run that does not fit in the memory it may use."""

    exit_code = 5


class Interrupted(EdgevalError):
    """A run that stopped early with every answered question safe on disk."""

    exit_code = 6

"""The small text files of a model folder: never more read of one than could be honest."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from edgeval.errors import ManifestError

# The largest tokenizer.json published so far has 35 MB; the other files have some kilobytes.
MOST_BYTES = 1 << 26


def read_text(path: Path) -> str:
    """A UTF-8 file of at most MOST_BYTES. Raises ManifestError."""
    try:
        check_small(path)
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read as text ({error})") from error


def check_small(path: Path) -> None:
    """ManifestError for a file that is too large to be a text of a model, or that is no file."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise ManifestError(f"{path}: got something that is no file; put a copy there")
    if found.st_size > MOST_BYTES:
        raise ManifestError(
            f"{path}: got {found.st_size} bytes; wants at most {MOST_BYTES} of such a file"
        )


def read_json(path: Path) -> dict[str, object]:
    """A JSON object from a file; ManifestError when it is anything else."""
    text = read_text(path)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}: cannot be read as JSON ({error})") from error
    except ValueError as error:
        raise ManifestError(f"{path}: holds a number of thousands of digits") from error
    except RecursionError as error:
        raise ManifestError(f"{path}: is nested too deep to be read as JSON") from error
    if not isinstance(value, dict):
        raise ManifestError(f"{path}: got {type(value).__name__}; wants a JSON object")
    return value

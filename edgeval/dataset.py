"""Reading a dataset folder: paths that stay inside it; rows of JSON, JSON Lines and parquet."""

from __future__ import annotations

import glob
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from edgeval.errors import DataError

Row = Mapping[str, object]

_BLOCK = 1 << 20
_CUE_TIMES = re.compile(
    r"(\d{1,4}):(\d{1,2}):(\d{1,2})[,.](\d{1,3}) *--> *(\d{1,4}):(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_MARKUP = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle: what is said from ``start_s`` to ``end_s``, in seconds, without its markup."""

    start_s: float
    end_s: float
    text: str


def inside(root: Path, relative: str) -> Path:
    """The path of ``relative`` (with forward slashes) in ``root``; it need not exist.

    Raises DataError for a path that leaves the folder, by itself or through a symbolic link. Links
    from a Hugging Face cache snapshot into the blobs of the same cache are followed.
    """
    parts = PurePosixPath(relative)
    if parts.is_absolute() or ".." in parts.parts or "\\" in relative or "\0" in relative:
        raise DataError(
            f"{root}: got the path {relative!r}, which climbs out of the data folder; name files "
            "inside it"
        )
    path = root / parts
    try:
        real, top = path.resolve(), root.resolve()
    except (OSError, RuntimeError) as error:
        raise DataError(f"{path}: cannot be followed ({error}); repair its links") from error
    homes = [top, top.parent.parent / "blobs"] if top.parent.name == "snapshots" else [top]
    if not any(real.is_relative_to(home) for home in homes):
        raise DataError(
            f"{path}: leads to {real}, outside the data folder; put the file itself there or point "
            "--data at the folder that holds it"
        )
    return path


def read_rows(path: Path) -> tuple[Row, ...]:
    """The rows of a .json, .jsonl or .parquet file, in file order, without binary columns.

    JSON may be a list or a dict of rows, or one of those under a single key. Raises DataError.
    """
    if path.suffix == ".parquet":
        return _parquet(path)
    text = read_text(path)
    if path.suffix == ".jsonl":
        lines = enumerate(text.split("\n"), 1)
        return tuple(_row(_json(line, f"{path}:{n}"), f"{path}:{n}") for n, line in lines if line)
    return tuple(_row(row, str(path)) for row in _listed(_json(text, str(path)), path))


def read_text(path: Path) -> str:
    """A UTF-8 file without its byte order mark. Raises DataError."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 (bad byte at {error.start})") from error


def read_json(path: Path) -> object:
    """What a .json file holds, whatever its shape. Raises DataError."""
    return _json(read_text(path), str(path))


def filled(row: Row, key: str, who: str) -> str:
    """The text of a column that must have some. ``who`` names the row in the DataError."""
    value = row.get(key)
    if not isinstance(value, str) or not value:
        got = "nothing" if value in (None, "") else type(value).__name__
        raise DataError(f"{who}: got {got} for {key!r}; wants text")
    return value


def texts(row: Row, key: str, who: str) -> tuple[str, ...]:
    """The list of texts at ``key``, empty where there is none. ``who`` as in ``filled``."""
    value = row.get(key)
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise DataError(f"{who}: got {key!r} that are not a list of texts; wants one")
    return tuple(value)


def read_srt(path: Path) -> tuple[Cue, ...]:
    """The subtitles of a .srt file in file order; blocks without times or words are left out.

    Raises DataError for a file that cannot be read or is not UTF-8.
    """
    cues: list[Cue] = []
    for block in read_text(path).replace("\r\n", "\n").split("\n\n"):
        match = _CUE_TIMES.search(block)
        if match is None:
            continue
        numbers = [int(number) for number in match.groups()]
        start, end = (
            3600 * hours + 60 * minutes + seconds + thousandths / 1000
            for hours, minutes, seconds, thousandths in (numbers[:4], numbers[4:])
        )
        said = _MARKUP.sub("", block[match.end() :])
        if text := " ".join(said.split()):
            cues.append(Cue(start_s=start, end_s=end, text=text))
    return tuple(cues)


def sha256(path: Path) -> str:
    """The file's digest, in hex. Raises DataError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return digest.hexdigest()


def _json(text: str, where: str) -> object:
    try:
        value: object = json.loads(text)
        # Half a surrogate pair, written as an escape, is text that no file can take.
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: is not JSON ({error}); get the file again") from error
    return value


def _listed(value: object, path: Path) -> Sequence[object]:
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise DataError(f"{path}: got {type(value).__name__}; wants a list or a dict of rows")
    rows = list(value.values())
    if len(rows) == 1 and (isinstance(rows[0], list) or _holds_rows(rows[0])):
        return _listed(rows[0], path)
    return rows


def _holds_rows(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(row, dict) for row in value.values())


def _row(value: object, where: str) -> Row:
    if not isinstance(value, dict):
        raise DataError(f"{where}: got {type(value).__name__} for a row; wants an object")
    return value


def _parquet(path: Path) -> tuple[Row, ...]:
    try:
        import duckdb
    except ImportError as error:
        raise DataError(
            f"{path}: a parquet file needs duckdb, which is not installed; "
            "run pip install 'edgeval[parquet]'"
        ) from error
    # Everything a plain file needs is built in: without these two it might fetch extensions.
    offline: dict[str, str | bool | int | float | list[str]]
    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    source = [glob.escape(str(path))]
    try:
        with duckdb.connect(config=offline) as base:
            base.execute("DESCRIBE SELECT * FROM read_parquet(?)", source)
            columns = [name for name, kind, *_ in base.fetchall() if "BLOB" not in kind]
            quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in columns)
            base.execute(f"SELECT {quoted} FROM read_parquet(?)", source)
            return tuple(dict(zip(columns, row, strict=True)) for row in base.fetchall())
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read as parquet ({first}); get it again") from error

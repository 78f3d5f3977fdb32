"""The only writer of a run folder: records appended and fsynced, every line chained to the last.

A torn or damaged tail is set aside and asked again; nothing whole is ever dropped. The folder
itself is described in edgeval.runfolder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from edgeval.errors import Interrupted, RunFolderError
from edgeval.runfolder import (
    CARD,
    RECORDS,
    Tail,
    dumps,
    link,
    read_card,
    read_records,
    seed_chain,
    write_atomically,
)
from edgeval.runfolder.records import to_json
from edgeval.types import Record


class Journal:
    """The only writer of a run folder while it is open. Use as a context manager."""

    def __init__(self, folder: Path, card: Mapping[str, object], *, lock: int, tail: Tail) -> None:
        self.folder = folder
        self.card = dict(card)
        self.records: list[Record] = list(tail.records)
        self.torn_bytes = tail.torn_bytes
        self._chain = tail.chain
        self._offset = tail.offset
        self._lock = lock
        self._stream = _open_at(folder / RECORDS, tail)

    @classmethod
    def create(cls, folder: Path, card: Mapping[str, object]) -> Journal:
        """Start a run in a new or empty folder.

        Raises RunFolderError when it is taken or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            refuse_taken(folder)
            lock = _lock(folder)
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be written ({error.strerror}); choose another with -o"
            ) from error
        try:
            # Once more: another run may have come and gone before the lock was ours.
            refuse_taken(folder)
            write_atomically(folder / CARD, json.dumps(card, indent=1, sort_keys=True) + "\n")
            return cls(
                folder,
                card,
                lock=lock,
                tail=Tail(records=(), chain=seed_chain(card), offset=0, torn_bytes=0),
            )
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def resume(cls, folder: Path) -> Journal:
        """Go on with a run.

        Raises RunFolderError when it is no run folder or another process writes it.
        """
        card = read_card(folder)
        try:
            lock = _lock(folder)
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be written ({error.strerror}); copy it elsewhere"
            ) from error
        try:
            tail = read_records(folder, card)
            if not tail.records and tail.lines_torn:
                raise RunFolderError(
                    f"{folder}: {RECORDS} does not belong to this {CARD}, or its first line is "
                    "damaged; restore the one that was changed"
                )
            return cls(folder, card, lock=lock, tail=tail)
        except BaseException:
            os.close(lock)
            raise

    def append(self, record: Record) -> None:
        """Make one record durable. Raises Interrupted when the disk does not take it.

        Earlier ones stay whole.
        """
        body = to_json(record)
        after = link(self._chain, dumps(body))
        line = (dumps({"chain": after, "record": body}) + "\n").encode()
        try:
            _write_all(self._stream, line)
            os.fsync(self._stream)
        except OSError as error:
            self._cut_back()
            raise Interrupted(
                f"{self.folder / RECORDS}: could not be written ({error.strerror}); "
                f"{len(self.records)} answers are "
                f"safe, free the disk and run 'edgeval run --resume {self.folder}'"
            ) from error
        self._chain = after
        self._offset += len(line)
        self.records.append(record)

    def complete(self, card: Mapping[str, object]) -> None:
        """Write the run card once more, with what is known only at the end."""
        write_atomically(
            self.folder / CARD,
            json.dumps(card, indent=1, sort_keys=True) + "\n",
        )

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._stream, self._offset)
        except OSError:
            return  # The torn tail is found by its chain when the run is resumed.

    def close(self) -> None:
        """Release the folder."""
        os.close(self._stream)
        os.close(self._lock)

    def __enter__(self) -> Journal:
        """Return self."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the folder."""
        self.close()


def refuse_taken(folder: Path) -> None:
    """Raise RunFolderError unless the folder is new or empty.

    Hidden files do not count: they are what a run killed at its start leaves.
    """
    try:
        taken = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return
    except OSError as error:
        raise RunFolderError(
            f"{folder}: cannot be used as a run folder ({error.strerror}); choose another with -o"
        ) from error
    if taken:
        raise RunFolderError(
            f"{folder}: got a folder in use, which holds {taken[0]}; wants a new or empty one, or "
            f"--resume {folder} to go on with its run"
        )


def claim(parent: Path, name: str) -> Path:
    """Make the folder ``name`` in ``parent``, or name-2 and so on, that nobody else makes too.

    Raises RunFolderError where none can be made.
    """
    again = 1
    while True:
        folder = parent / (name if again == 1 else f"{name}-{again}")
        try:
            if not parent.is_dir():
                parent.mkdir(parents=True)
            folder.mkdir()
        except FileExistsError as error:
            # Somebody made the parent meanwhile, or it is a file.
            if os.path.lexists(parent) and not parent.is_dir():
                raise RunFolderError(
                    f"{parent}: is not a folder; choose another place with -o"
                ) from error
            again += os.path.lexists(folder)
        except OSError as error:
            raise RunFolderError(
                f"{folder}: cannot be made ({error.strerror}); choose another place with -o"
            ) from error
        else:
            return folder


def _lock(folder: Path) -> int:
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RunFolderError(
            f"{folder}: another edgeval is writing this run; wait for it or choose another folder "
            f"with -o"
        ) from None
    return handle


def _open_at(path: Path, tail: Tail) -> int:
    """Descriptor that appends after the last whole record; unbuffered, so nothing lingers."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if tail.torn_bytes:
            torn = os.pread(handle, tail.torn_bytes, tail.offset)
            # A torn last line is what a kill leaves; whole lines behind a damaged one are worth
            # keeping to look at.
            if tail.lines_torn:
                path.with_name("records.damaged").write_bytes(torn)
            os.ftruncate(handle, tail.offset)
            os.fsync(handle)
    except OSError as error:
        raise RunFolderError(
            f"{path}: cannot be written ({error.strerror}); copy the run to another disk"
        ) from error
    return handle


def _write_all(handle: int, line: bytes) -> None:
    view = memoryview(line)
    while view:
        view = view[os.write(handle, view) :]


def answered(records: Sequence[Record]) -> frozenset[str]:
    """Ids of the questions that need not be asked again."""
    return frozenset(record.question.id for record in records)

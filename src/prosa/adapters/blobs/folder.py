"""Blobs in a folder: each file under the last digits of its id, readable by this user alone."""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from prosa.domain.errors import MisconfiguredError
from prosa.domain.files import FileNotFound, FilesUnavailable
from prosa.domain.ids import parse_id
from prosa.domain.time import SECOND, Instant
from prosa.kit.log import log

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
SHARDS = [f"{number:02x}" for number in range(256)]
INCOMING, DATABASE = "incoming", "database"

UNWRITABLE = "Files can't be kept in {path}. Set PROSA_FILES_DIR to a folder that this process may write to."
FOREIGN = (
    "{path} holds the files of another database, so what is not needed there is not swept away. Set "
    "PROSA_FILES_DIR to a folder of this database's own; or, if the database has moved, delete {mark}."
)


class Folder:
    """Serves `ports.files.Blobs`. Several nodes may share one, if all see it at once. `database` names whose
    files they are: a folder that another one began is never swept, lest a changed setting cost somebody
    everything."""

    def __init__(self, path: Path, database: str = "") -> None:
        self._path = path
        self._database = database

    def prepare(self) -> None:
        try:
            _make(self._path)
            _make(self._path / INCOMING)
            with contextlib.suppress(FileExistsError), _new(self._path / DATABASE) as mark:
                mark.write(self._database.encode())
        except OSError:
            raise MisconfiguredError(UNWRITABLE.format(path=self._path)) from None
        if (complaint := self.complaint()) is not None:
            log.warning("files_folder", complaint=complaint)

    def complaint(self) -> str | None:
        there = next(each for each in (self._path, *self._path.absolute().parents) if each.exists())
        if not (there.is_dir() and os.access(there, os.R_OK | os.W_OK | os.X_OK)):
            return UNWRITABLE.format(path=self._path)
        return None if self._ours() else FOREIGN.format(path=self._path, mark=self._path / DATABASE)

    def _ours(self) -> bool:
        try:
            return (self._path / DATABASE).read_text() == self._database
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def begin(self) -> "FileDraft":
        path = self._path / INCOMING / uuid4().hex
        try:
            _make(path.parent)
            file = _new(path)
        except OSError as error:
            raise FilesUnavailable from error
        return FileDraft(self, path, file)

    def open(self, identity: str) -> BinaryIO:
        try:
            return self.place(identity).open("rb")
        except FileNotFoundError:
            raise FileNotFound from None
        except OSError as error:
            raise FilesUnavailable from error

    def remove(self, identities: Iterable[str]) -> None:
        for identity in identities:
            _unlink(self.place(identity))

    def kept(self, before: Instant) -> Iterator[list[str]]:
        for shard in SHARDS if self._ours() else ():
            found = [
                path.name
                for path in _older(self._path / shard, before)
                if parse_id(path.name) == path.name and path.name.endswith(shard)
            ]
            if found:
                yield found

    def clear(self, before: Instant) -> None:
        for path in _older(self._path / INCOMING, before):
            _unlink(path)

    def place(self, identity: str) -> Path:
        """Where the blob of an id is. Ids are ours: what a user says is never part of a path."""
        return self._path / identity[-2:] / identity


class FileDraft:
    """Serves `ports.files.Draft`."""

    def __init__(self, folder: Folder, path: Path, file: BinaryIO) -> None:
        self._folder = folder
        self._path = path
        self._lock = threading.Lock()
        self.file = file

    def write(self, data: bytes) -> None:
        with self._lock:
            try:
                self.file.write(data)
            except (OSError, ValueError) as error:  # full, or discarded meanwhile
                raise FilesUnavailable from error

    def keep(self, identity: str) -> None:
        place = self._folder.place(identity)
        with self._lock:
            try:
                self.file.flush()
                os.fsync(self.file.fileno())
                _make(place.parent)
                self._path.rename(place)
                _sync(place.parent)
            except (OSError, ValueError) as error:
                raise FilesUnavailable from error
            finally:
                self._close()

    def discard(self) -> None:
        with self._lock:
            self._close()
            _unlink(self._path)

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written is not wanted
            self.file.close()


def _new(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w+b")


def _make(folder: Path) -> None:
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)


def _older(folder: Path, before: Instant) -> Iterator[Path]:
    """The files in it that were written before then."""
    try:
        with os.scandir(folder) as entries:
            found = list(entries)
    except FileNotFoundError:
        return
    except OSError as error:
        raise FilesUnavailable from error
    for entry in found:
        with contextlib.suppress(FileNotFoundError):  # another sweep was here
            if entry.is_file(follow_symlinks=False) and entry.stat().st_mtime * SECOND < before:
                yield Path(entry.path)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FilesUnavailable from error


def _sync(folder: Path) -> None:
    """Makes a file's new name last; elsewhere than on POSIX a folder can't be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

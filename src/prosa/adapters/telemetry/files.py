"""A file of log lines, a new one each day of UTC; those that are old enough go."""

import os
import stat
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Lock


class LogFile:
    """Takes lines as a stream does. What was written on days that are over is in files beside it, which are
    named after them (`prosa.log.2026-11-29`) and kept for so many `days`; None: for ever. Raises OSError.

    No line is lost to a folder that nobody may write to, a full disk, or somebody else who puts the file
    aside: then it goes on in the file that is there, or to standard error.
    """

    def __init__(self, path: Path, days: int | None) -> None:
        self._path = path.absolute()
        self._days = days
        self._lock = Lock()
        self._file = self._path.open("ab", buffering=0)
        self._day = datetime.fromtimestamp(os.fstat(self._file.fileno()).st_mtime, UTC).date()
        self._sweep(datetime.now(UTC).date())

    def write(self, text: str) -> None:
        with self._lock:
            today = datetime.now(UTC).date()
            if today > self._day:
                self._begin(today)
            try:
                self._append(text.encode(errors="backslashreplace"))
            except OSError as error:
                _tell(error, text)

    def flush(self) -> None:
        """Each line is there once it is written."""

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()

    def _append(self, line: bytes) -> None:
        while line:
            line = line[self._file.write(line) :]

    def _begin(self, today: date) -> None:
        before, self._day = self._day, today
        try:
            self._put_aside(self._path.with_name(f"{self._path.name}.{before}"))
            self._sweep(today)
        except OSError as error:
            _tell(error)

    def _put_aside(self, aside: Path) -> None:
        """Where another process has done so, its new file is the one to write to."""
        ours = os.fstat(self._file.fileno())
        if not stat.S_ISREG(ours.st_mode):
            return
        if self._path.exists() and os.path.samestat(ours, self._path.stat()):
            if aside.exists():  # the clock was set back over midnight
                return
            self._path.rename(aside)
        new = self._path.open("ab", buffering=0)
        self._file.close()
        self._file = new

    def _sweep(self, today: date) -> None:
        if self._days is None:
            return
        first = today - timedelta(days=self._days)
        for beside in self._path.parent.iterdir():
            day = _day(beside.name.removeprefix(self._path.name))
            if day is not None and day < first and beside.is_file():
                beside.unlink(missing_ok=True)


def _day(ending: str) -> date | None:
    try:
        day = date.fromisoformat(ending[1:])
    except ValueError:
        return None
    return day if ending == f".{day}" else None


def _tell(error: OSError, line: str = "") -> None:
    """What is wrong with the file, where lines go that are not in it."""
    with suppress(OSError, ValueError):  # nor is there anywhere else
        sys.stderr.write(f"PROSA_LOG_FILE: {error}\n{line}")
        sys.stderr.flush()

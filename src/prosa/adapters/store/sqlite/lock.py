"""One process a file: a lock beside the database that goes with the process, however it ends."""

import sys
from pathlib import Path
from typing import BinaryIO

from prosa.domain.errors import StoreLocked


class Lock:
    """Held from `__init__` to `close`. Raises StoreLocked where another process holds it."""

    def __init__(self, database: Path) -> None:
        self._file: BinaryIO = Path(f"{database}.lock").open("ab")  # noqa: SIM115 - it is held, not used
        try:
            _take(self._file.fileno())
        except OSError as error:
            self._file.close()
            raise StoreLocked(path=str(database)) from error

    def close(self) -> None:
        self._file.close()


if sys.platform == "win32":
    import msvcrt

    def _take(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""The file of master keys that Prosa makes by itself: one a line, the one that seals first."""

import os
import stat
from pathlib import Path

from prosa.adapters.vault.master import Master, given
from prosa.domain.errors import MisconfiguredError

PRIVATE = 0o600


class KeyFile:
    """Whatever moment a process is killed at, the file holds what it held before or what it holds after."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[Master, ...]:
        """None of them where there is no file. Raises MisconfiguredError."""
        try:
            with self.path.open(encoding="ascii") as file:
                others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~PRIVATE
                lines = file.read().split()
        except FileNotFoundError:
            return ()
        except (OSError, UnicodeDecodeError):
            raise MisconfiguredError(f"The master key can't be read from {self.path}.") from None
        if others and os.name == "posix":
            raise MisconfiguredError(
                f"{self.path} holds the master key, and others may read it. Run: chmod 600 {self.path}"
            )
        if not lines or any(not _is_key(line) for line in lines):
            raise MisconfiguredError(
                f"{self.path} does not hold a master key. Put back the one from a backup."
            )
        return tuple(map(given, lines))

    def write(self, masters: tuple[Master, ...]) -> None:
        """Once it returns, they survive a power cut, too. Raises MisconfiguredError."""
        beside = Path(f"{self.path}.new")
        try:
            beside.unlink(missing_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
            with os.fdopen(descriptor, "w") as file:
                file.write("".join(f"{master.hex}\n" for master in masters))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            _sync(self.path.parent)
        except OSError as error:
            raise MisconfiguredError(
                f"The master key can't be written to {self.path}: {error.strerror}."
            ) from None


def _is_key(line: str) -> bool:
    return len(line) == 64 and all(digit in "0123456789abcdef" for digit in line)  # noqa: PLR2004 - 32 bytes


def _sync(folder: Path) -> None:
    """Makes a file's new name last; elsewhere than on POSIX a folder can't be opened."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

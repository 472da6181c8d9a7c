"""A file of log lines, a new one each day of UTC; those that are old enough go."""

import logging
from datetime import UTC, date, datetime, timedelta
from logging.handlers import TimedRotatingFileHandler
from pathlib import Path


class LogFile:
    """Takes lines as a stream does. What was written on days that are over is in files beside it, which are
    named after them (`prosa.log.2026-11-29`) and kept for so many `days`; None: for ever. Raises OSError."""

    def __init__(self, path: Path, days: int | None) -> None:
        self._daily = _Daily(path, days)

    def write(self, text: str) -> None:
        self._daily.handle(logging.makeLogRecord({"msg": text.removesuffix("\n")}))

    def flush(self) -> None:
        """Each line is there once it is written."""

    def isatty(self) -> bool:
        return False

    def close(self) -> None:
        self._daily.close()


class _Daily(TimedRotatingFileHandler):
    """The library counts files; days on which nothing was written have none."""

    def __init__(self, path: Path, days: int | None) -> None:
        super().__init__(path, when="midnight", backupCount=days or 0, encoding="utf-8", utc=True)
        self._days = days
        for old in self.getFilesToDelete():
            Path(old).unlink()

    def getFilesToDelete(self) -> list[str]:  # noqa: N802 - the library's name
        if self._days is None:
            return []
        path = Path(self.baseFilename)
        first = datetime.now(UTC).date() - timedelta(days=self._days)
        dated = ((beside, _day(beside.name.removeprefix(path.name))) for beside in path.parent.iterdir())
        return [str(beside) for beside, day in dated if day is not None and day < first]


def _day(ending: str) -> date | None:
    try:
        return date.fromisoformat(ending.removeprefix(".")) if ending.startswith(".") else None
    except ValueError:
        return None

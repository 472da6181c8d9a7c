"""A file of log lines: a new one each day, and old ones go."""

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from prosa import telemetry
from prosa.adapters.telemetry.files import LogFile
from prosa.adapters.telemetry.lines import configure
from prosa.config import Settings
from prosa.domain.errors import MisconfiguredError
from prosa.domain.retention import Retention
from prosa.kit.log import log
from prosa.toml import Tables

DAY = 86_400


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Where the days of log files come from."""
    real = time.time
    ahead = SimpleNamespace(days=0)

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.fromtimestamp(time.time(), tz)

    monkeypatch.setattr(time, "time", lambda: real() + ahead.days * DAY)
    monkeypatch.setattr("prosa.adapters.telemetry.files.datetime", Ahead)
    return ahead


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def day() -> str:
    return datetime.fromtimestamp(time.time(), UTC).date().isoformat()


def test_each_day_has_its_file_and_old_ones_go(tmp_path: Path, clock: Any) -> None:
    """By their age: on some days nobody writes a line."""
    written = LogFile(tmp_path / "prosa.log", 3)
    (tmp_path / "prosa.log.old").write_text("somebody else's")
    days = []
    for ahead in (0, 1, 2, 7, 8):
        clock.days = ahead
        days.append(day())
        written.write(f"{ahead}\n")
    written.close()
    assert files(tmp_path) == ["prosa.log", f"prosa.log.{days[3]}", "prosa.log.old"]
    assert (tmp_path / "prosa.log").read_text() == "8\n"
    assert (tmp_path / f"prosa.log.{days[3]}").read_text() == "7\n"


def test_what_is_too_old_goes_at_the_start(tmp_path: Path) -> None:
    kept = ["other.log.2020-01-01", "prosa.log.2020-99-99", "prosa.log.20200101"]
    for name in ("prosa.log.2020-01-01", *kept):
        (tmp_path / name).write_text("x")
    (tmp_path / "prosa.log.2020-01-02").mkdir()
    LogFile(tmp_path / "prosa.log", None).close()
    assert len(files(tmp_path)) == 6
    LogFile(tmp_path / "prosa.log", 30).close()
    assert files(tmp_path) == sorted(["prosa.log", "prosa.log.2020-01-02", *kept])


def texts(folder: Path) -> str:
    return "".join(path.read_text() for path in sorted(folder.iterdir(), reverse=True) if path.is_file())


def test_what_can_not_be_put_aside_stays_and_lines_go_on(
    tmp_path: Path, clock: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a folder that is not ours to write to."""
    written = LogFile(tmp_path / "prosa.log", 3)
    written.write("today\n")
    (tmp_path / f"prosa.log.{day()}").mkdir()
    clock.days = 1
    for line in ("tomorrow\n", "later\n"):
        written.write(line)
    written.close()
    assert texts(tmp_path) == "today\ntomorrow\nlater\n"
    assert capsys.readouterr().err == ""


def test_a_folder_that_may_not_be_changed_is_told_of_once_a_day(
    tmp_path: Path, clock: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_path: Path, _other: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refused)
    monkeypatch.setattr("os.rename", refused)
    written = LogFile(tmp_path / "prosa.log", None)
    written.write("today\n")
    clock.days = 1
    for line in ("tomorrow\n", "later\n"):
        written.write(line)
    written.close()
    assert texts(tmp_path) == "today\ntomorrow\nlater\n"
    assert capsys.readouterr().err == "PROSA_LOG_FILE: [Errno 13] Permission denied\n"


def test_two_processes_lose_no_line_of_each_other(tmp_path: Path, clock: Any) -> None:
    """As one that still drains while its successor starts."""
    first, second = (LogFile(tmp_path / "prosa.log", 3) for _ in range(2))
    first.write("first\n")
    before = day()
    clock.days = 1
    for each, line in ((second, "second\n"), (first, "first again\n"), (second, "second again\n")):
        each.write(line)
    assert (tmp_path / f"prosa.log.{before}").read_text() == "first\n"
    assert (tmp_path / "prosa.log").read_text() == "second\nfirst again\nsecond again\n"
    first.close()
    second.close()


def test_on_a_full_disk_lines_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    written = LogFile(Path("/dev/full"), None)
    written.write("it_rains\n")
    written.close()
    told = capsys.readouterr().err
    assert told == "PROSA_LOG_FILE: [Errno 28] No space left on device\nit_rains\n"


def test_lines_of_ours_and_of_libraries_stand_in_it(tmp_path: Path) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = LogFile(tmp_path / "prosa.log", None)
    configure("json", {}, out=out)
    log.warning("it_rains", much=3)
    logging.getLogger("alib").warning("broke")
    root.handlers = handlers
    root.setLevel(level)
    log.configure({}, content=False)
    out.close()
    lines = [json.loads(line) for line in (tmp_path / "prosa.log").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["it_rains", "broke"]


@pytest.mark.parametrize(
    ("file", "kept", "told"),
    [(None, 7, "PROSA_LOG_FILE is not set"), ("no/such/folder/prosa.log", None, "can't be written")],
)
def test_what_can_not_be_is_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: str | None, kept: int | None, told: str
) -> None:
    monkeypatch.setattr(telemetry, "tables", lambda: Tables(retention=Retention(logs=kept)))
    settings = Settings(log_file=None if file is None else tmp_path / file)
    with pytest.raises(MisconfiguredError, match=told):
        telemetry.logs(settings)

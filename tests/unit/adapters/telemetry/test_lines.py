"""Log lines: one form for ours and the libraries', levels by module, ids on all, no secret and no content."""

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from prosa.adapters.telemetry.lines import configure
from prosa.domain.errors import ProviderTimeout
from prosa.kit.log import CONTEXT, bind, log
from prosa.kit.secrets import remember

CONTENT = f"{chr(119)}hat somebody wrote"
"""Not in one piece, for a trace quotes the source."""

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def written(request: pytest.FixtureRequest) -> Iterator[Lines]:
    """The lines in JSON, by the levels and the content of the test's parameters."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    out = io.StringIO()
    levels, content = getattr(request, "param", ({}, False))
    configure("json", levels, content=content, out=out)
    token = CONTEXT.set({})
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    CONTEXT.reset(token)
    root.handlers, log.report = handlers, None
    root.setLevel(level)
    logging.getLogger("alib").setLevel(logging.NOTSET)
    log.configure({}, content=False)


def test_a_line_has_its_module_its_level_its_time_and_its_ids(written: Lines) -> None:
    bind(request_id="r-1")
    bind(run_id="run-1")
    log.warning("it_rains", much=3)
    (line,) = written()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "it_rains", "much": 3, "level": "warning", "logger": __name__, "request_id": "r-1", "run_id": "run-1",
    }  # fmt: skip


def test_libraries_speak_in_the_same_form(written: Lines) -> None:
    bind(request_id="r-1")
    logging.getLogger("alib").info("not told")
    logging.getLogger("alib.deep").warning("%s broke", "it")
    (line,) = written()
    assert line.items() >= {
        "event": "it broke", "level": "warning", "logger": "alib.deep", "request_id": "r-1",
    }.items()  # fmt: skip


@pytest.mark.parametrize(
    "written", [({"": "error", "tests": "debug", "alib": "debug"}, False)], indirect=True
)
def test_levels_by_module(written: Lines) -> None:
    log.debug("mine")
    exec("log.warning('others')", {"log": log, "__name__": "prosa.services.files"})
    logging.getLogger("alib.deep").debug("theirs")
    assert [line["event"] for line in written()] == ["mine", "theirs"]


@pytest.mark.parametrize(("level", "rank"), [("tests.unit", 10), ("tests", 40), ("test", 20), ("", 20)])
def test_the_nearest_module_decides(level: str, rank: int) -> None:
    try:
        log.configure({"tests.unit": "debug", "tests": "error"}, content=False)
        assert log.threshold(level) == rank
        assert log.threshold(f"{level}.x") == rank
    finally:
        log.configure({}, content=False)


def broken() -> None:
    try:
        int(CONTENT)
    except ValueError as error:
        raise ProviderTimeout("openai") from error


def test_a_trace_says_where_and_no_word_of_content(written: Lines) -> None:
    try:
        broken()
    except ProviderTimeout:
        log.exception("run_broke")
    (line,) = written()
    trace = line["exception"]
    assert CONTENT not in trace
    assert trace.count("in broken") == 2
    assert "builtins.ValueError: …" in trace
    assert trace.endswith("prosa.domain.errors.ProviderTimeout: timeout")


@pytest.mark.parametrize("written", [({}, True)], indirect=True)
def test_with_content_it_says_all(written: Lines) -> None:
    try:
        broken()
    except ProviderTimeout:
        log.exception("run_broke")
    assert CONTENT in written()[0]["exception"]


@pytest.mark.hostile(21)
def test_a_secret_stands_in_no_line(written: Lines) -> None:
    canary = 'sk-canary-"quoted"-0123456789'
    remember(canary, "short", None)
    log.warning("sent", headers={"authorization": f"Bearer {canary}"}, short="short")
    logging.getLogger("alib").error("GET /?key=%s", canary, exc_info=(OSError, OSError(1, canary), None))
    told = json.dumps(written())
    assert "canary" not in told
    assert "short" in told


def test_exceptions_are_reported_once(written: Lines) -> None:
    reported: list[tuple[str, BaseException]] = []
    log.report = lambda event, error: reported.append((event, error))
    given = ValueError()
    log.error("given", exc_info=given)
    log.error("no_exception")
    log.warning("no_error", exc_info=given)
    try:
        broken()
    except ProviderTimeout:
        log.exception("raised")
    assert [event for event, _ in reported] == ["given", "raised"]
    assert isinstance(reported[1][1], ProviderTimeout)
    assert len(written()) == 4


def test_for_people_a_line_has_its_columns_and_below_them_its_trace() -> None:
    root, out = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    configure("console", {}, out=out)
    try:
        log.warning("it_rains", much=3, where="in Recife", on=None, name="plain")
        try:
            broken()
        except ProviderTimeout:
            log.exception("run_broke")
    finally:
        log.configure({}, content=False)
        root.handlers, log.report = handlers, None
        root.setLevel(level)
    first, second, *trace = out.getvalue().splitlines()
    stamp, rest = first.split(" ", 1)
    assert stamp.endswith("Z")
    assert rest.split() == [
        "[warning", "]", "it_rains", f"[{__name__}]", "much=3", "where='in", "Recife'", "on=None", "name=plain",
    ]  # fmt: skip
    assert "[error" in second
    assert trace[-1] == "prosa.domain.errors.ProviderTimeout: timeout"


def test_a_process_of_ours_needs_no_structlog() -> None:
    """Which brings a terminal of six megabytes. In a process of its own, for here somebody has loaded it."""
    script = """
import sys
from prosa.adapters.telemetry.lines import configure
from prosa.kit.log import log

configure("console", {})
log.warning("heard")
assert not {name.partition(".")[0] for name in sys.modules} & {"structlog", "rich", "pygments"}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("heard")) == (0, 1), done.stderr


def test_masked_lines_tell_nobody_who_somebody_is(written: Lines) -> None:
    del written  # it puts back what was there before
    out = io.StringIO()
    configure("json", {}, masked=True, out=out)
    run = "01900000-0000-7000-8000-000000000000"
    log.warning("ana@x.io rang", who={"tel": ["+55 11 91234-5678", 7]}, run_id=run)
    logging.getLogger("alib").warning("%s broke", "bob@x.io")
    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (first["event"], first["who"], first["run_id"]) == ("[EMAIL] rang", {"tel": ["[PHONE]", 7]}, run)
    assert second["event"] == "[EMAIL] broke"

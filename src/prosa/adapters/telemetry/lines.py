"""Log lines, ours and the libraries', in one form, with the ids of what they belong to."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TextIO

from prosa.adapters.telemetry.files import LogFile
from prosa.kit.faults import told
from prosa.kit.log import CONTEXT, RANKS, log
from prosa.kit.pii import redacted
from prosa.kit.secrets import hidden

Form = Literal["console", "json"]
Line = dict[str, Any]

JSON = json.JSONEncoder(default=repr).encode
"""Which takes any text; msgspec refuses half a character."""

PLAIN = "{0} [{1:9}] {2:30} [{3}]"
RAINBOW = "\x1b[2m{0}\x1b[0m [\x1b[1m{1:9}\x1b[0m] \x1b[1m{2:30}\x1b[0m [\x1b[34m{3}\x1b[0m]"

_MARKS = re.compile("[ \"'=]")
"""What a value is quoted for."""

LIBRARIES = "warning"
"""From this level on what libraries say is told, unless a level of their own is set."""


def configure(
    form: Form,
    levels: Mapping[str, str],
    *,
    content: bool = False,
    masked: bool = False,
    out: TextIO | LogFile | None = None,
) -> None:
    """From now on lines go to `out` (standard error) in this form. `levels` has the level of each module and
    of what is below it, of libraries, too; "" is that of Prosa as a whole. With `content`, lines of
    debugging may tell what people and models write; `masked`, no line tells who somebody is."""
    out = out or sys.stderr
    render = _Rendering(form, content=content, masked=masked, colours=out.isatty())

    def write(module: str, level: str, event: str, **fields: Any) -> None:
        if level == "exception":
            level = "error"
            fields.setdefault("exc_info", True)
        out.write(render({"event": event, "logger": module, "level": level, **fields}) + "\n")
        out.flush()

    log.configure(levels, content=content, write=write)
    root = logging.getLogger()
    root.handlers = [_Handler(render, out)]
    root.setLevel(RANKS[LIBRARIES])
    for name, level in levels.items():
        if name and not name.startswith("prosa"):
            logging.getLogger(name).setLevel(RANKS[level])


class _Rendering:
    """A line with time, ids and its exception, as text without a secret in it."""

    def __init__(self, form: Form, *, content: bool, masked: bool, colours: bool) -> None:
        self._content = content
        self._masked = masked
        self._text = JSON if form == "json" else partial(_columns, RAINBOW if colours else PLAIN)

    def __call__(self, line: Line) -> str:
        error = _error(line.pop("exc_info", None))
        moment = datetime.now(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
        line = {"timestamp": f"{moment}Z", **CONTEXT.get(), **line}
        if error is not None:
            line["exception"] = told(error, content=self._content)
        if self._masked:
            line = {name: _nameless(value) for name, value in line.items()}
        return hidden(self._text(line))


def _nameless(value: Any) -> Any:
    match value:
        case str():
            return redacted(value)
        case dict():
            return {name: _nameless(each) for name, each in value.items()}
        case list() | tuple():
            return [_nameless(each) for each in value]
    return value


def _columns(marks: str, line: Line) -> str:
    """Time, level, event and module one below the other, then whatever else is in the line."""
    head = marks.format(*(line.pop(name) for name in ("timestamp", "level", "event", "logger")))
    trace = line.pop("exception", None)
    rest = " ".join([f"{name}={_value(value)}" for name, value in line.items()])
    return f"{head} {rest}" if trace is None else f"{head} {rest}\n{trace}"


def _value(value: Any) -> str:
    plain = isinstance(value, str) and value.isprintable() and not _MARKS.search(value)
    return value if plain else repr(value)


def _error(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    found = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given else None
    return found if isinstance(found, BaseException) else None


class _Handler(logging.Handler):
    """What libraries say with `logging`, as our own lines."""

    def __init__(self, render: _Rendering, out: TextIO | LogFile) -> None:
        super().__init__()
        self._render = render
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = record.levelname.lower()
            line = {"event": record.getMessage(), "logger": record.name, "level": level}
            if record.exc_info:
                line["exc_info"] = record.exc_info  # type: ignore[assignment] # what the rendering takes out
            self._out.write(self._render(line) + "\n")
            self._out.flush()
        except Exception:  # noqa: BLE001 - logging's own edge: it must not break whoever logs
            self.handleError(record)

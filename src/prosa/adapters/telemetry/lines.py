"""Log lines on standard error: ours and the libraries', in one form, with the ids of what they belong to."""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

from prosa.kit.faults import told
from prosa.kit.log import CONTEXT, RANKS, log
from prosa.kit.secrets import hidden

Form = Literal["console", "json"]
Line = MutableMapping[str, Any]

LIBRARIES = "warning"
"""From this level on what libraries say is told, unless a level of their own is set."""


def configure(
    form: Form, levels: Mapping[str, str], *, content: bool = False, out: TextIO | None = None
) -> None:
    """From now on lines go to `out` (standard error) in this form. `levels` has the level of each module and
    of what is below it, of libraries, too; "" is that of Prosa as a whole. With `content`, lines of
    debugging may tell what people and models write."""
    out = out or sys.stderr
    log.configure(levels, content=content)
    render = _Rendering(form, content=content, colours=out.isatty())
    structlog.configure(
        processors=[_named, render],
        wrapper_class=structlog.make_filtering_bound_logger(0),  # `log` has looked at the level already
        logger_factory=lambda *names: _Printer(out, *names),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Handler(render, out)]
    root.setLevel(RANKS[LIBRARIES])
    for name, level in levels.items():
        if name and not name.startswith("prosa"):
            logging.getLogger(name).setLevel(RANKS[level])


class _Printer:
    """Writes lines for one module."""

    def __init__(self, out: TextIO, name: str = "") -> None:
        self.name = name
        self._out = out

    def msg(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()

    debug = info = warning = error = exception = critical = msg


def _named(logger: _Printer, level: str, line: Line) -> Line:
    line["logger"] = logger.name
    line["level"] = "error" if level == "exception" else level
    return line


class _Rendering:
    """The last processor: `line` with time, ids and its exception, as text without a secret in it."""

    def __init__(self, form: Form, *, content: bool, colours: bool) -> None:
        self._content = content
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        self._text = (
            structlog.processors.JSONRenderer()
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=colours)
        )

    def __call__(self, logger: Any, level: str, line: Line) -> str:
        error = _error(line.pop("exc_info", None))
        if error is not None:
            line["exception"] = told(error, content=self._content)
        text = self._text(logger, level, self._stamp(logger, level, {**CONTEXT.get(), **line}))
        return hidden(str(text))


def _error(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    found = given[1] if isinstance(given, tuple) else sys.exc_info()[1] if given else None
    return found if isinstance(found, BaseException) else None


class _Handler(logging.Handler):
    """What libraries say with `logging`, as our own lines."""

    def __init__(self, render: _Rendering, out: TextIO) -> None:
        super().__init__()
        self._render = render
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = record.levelname.lower()
            line = {"event": record.getMessage(), "logger": record.name, "level": level}
            if record.exc_info:
                line["exc_info"] = record.exc_info  # type: ignore[assignment] # what the rendering takes out
            self._out.write(self._render(None, level, line) + "\n")
            self._out.flush()
        except Exception:  # noqa: BLE001 - logging's own edge: it must not break whoever logs
            self.handleError(record)

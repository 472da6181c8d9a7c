"""The logger: structlog's where Prosa is a guest, loaded with the first line; in our own process our own."""

import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

from prosa.kit.faults import told
from prosa.kit.secrets import hidden

RANKS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "exception": 40, "critical": 50}

CONTEXT: ContextVar[Mapping[str, str]] = ContextVar("prosa_log", default={})  # noqa: B039 - nobody changes it
"""What is on every line of a request or a run: their ids. Whoever sets it sets a new mapping."""


Write = Callable[..., None]
"""(module, level, event, field=value, …): writes one line."""


def bind(**ids: str) -> None:
    """From now on, in this task and those that it begins, these ids are on every line."""
    CONTEXT.set({**CONTEXT.get(), **ids})


class Log:
    """Passes every call on, as in `log.warning("event", key=value)`, unless the level of the caller's module
    is above it. `content` says that what people and models write may be told, on the level of debugging;
    `report` is told of every exception that is logged."""

    def __init__(self) -> None:
        self.content = False
        self.report: Callable[[str, BaseException], None] | None = None
        self._write: Write | None = None
        self._levels: dict[str, int] = {"": RANKS["info"]}
        self._known: dict[str, int] = {}

    def configure(self, levels: Mapping[str, str], *, content: bool, write: Write | None = None) -> None:
        """`levels` has the level of each module and of all below it; "" are the others. `write` stands in for
        structlog."""
        self._write = write
        self._levels = {"": RANKS["info"], **{name: RANKS[level] for name, level in levels.items()}}
        self._known = {}
        self.content = content

    def threshold(self, module: str) -> int:
        """The rank from which on a module's lines are written."""
        found = self._known.get(module)
        if found is None:
            name = module
            while name not in self._levels:
                name = name.rpartition(".")[0]
            found = self._known[module] = self._levels[name]
        return found

    def __getattr__(self, level: str) -> Any:
        module = sys._getframe(1).f_globals.get("__name__", "")  # noqa: SLF001 - the caller's name, which nothing else tells
        rank = RANKS.get(level)
        if rank is None:
            raise AttributeError(level)
        if rank < self.threshold(module):
            return _nothing
        if self._write is not None:
            found: Callable[..., None] = partial(self._write, module, level)
        else:
            found = partial(self._guest, module, level)
        return self._reporting(found) if rank == RANKS["error"] and self.report is not None else found

    def _guest(self, module: str, level: str, event: str, **fields: Any) -> None:
        """A line of structlog's, which would tell of every variable on the way to an exception."""
        from structlog import get_logger

        given = fields.pop("exc_info", level == "exception")
        error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
        if error is not None:
            fields["exception"] = told(error, content=self.content)
        plain = {name: hidden(value) if isinstance(value, str) else value for name, value in fields.items()}
        getattr(get_logger(module), "error" if level == "exception" else level)(event, **plain)

    def _reporting(self, write: Callable[..., None]) -> Callable[..., None]:
        def both(event: str, **fields: Any) -> None:
            error = fields.get("exc_info") or sys.exc_info()[1]
            write(event, **fields)
            if isinstance(error, BaseException) and self.report is not None:
                self.report(event, error)

        return both


def _nothing(*_: Any, **__: Any) -> None:
    pass


log = Log()

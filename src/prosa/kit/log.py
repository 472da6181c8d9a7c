"""The logger: structlog's, loaded with the first line, for it brings a whole terminal with it."""

from typing import Any


class Log:
    """Passes every call on: `log.warning("event", key=value)`."""

    def __getattr__(self, level: str) -> Any:
        from structlog import get_logger

        return getattr(get_logger(), level)


log = Log()

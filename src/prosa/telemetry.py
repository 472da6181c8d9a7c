"""What the process tells of itself, by the settings: log lines, traces, reports of errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from prosa import __version__
from prosa.config import Settings, tables
from prosa.domain.errors import MisconfiguredError
from prosa.domain.retention import Kept
from prosa.kit.log import log
from prosa.kit.secrets import remember
from prosa.services.tracing import tracing

if TYPE_CHECKING:
    from prosa.adapters.telemetry.files import LogFile

NOBODYS = (
    "[retention] says how long `logs` are kept, and PROSA_LOG_FILE is not set: lines go to standard error, "
    "and whoever collects them keeps them. Set the one, or take the other away."
)

WANTED = "{0} needs what `pip install prosa[telemetry]` installs. Install it, or take the setting away."


def logs(settings: Settings) -> None:
    """From now on log lines are written as the settings say, and no secret of theirs stands in one. Raises
    MisconfiguredError."""
    from prosa.adapters.telemetry.lines import configure

    for _, value in settings:
        if isinstance(value, SecretStr):
            told = value.get_secret_value()
            remember(urlsplit(told).password if "://" in told else told)
    found = tables()
    levels = {"": settings.log_level, **found.log.levels}
    out = _file(settings.log_file, found.retention.logs)
    configure(settings.log_format, levels, content=settings.log_content, masked=bool(found.masking), out=out)


def _file(path: Path | None, kept: Kept | None) -> "LogFile | None":
    """Where lines go, if not to standard error."""
    if path is None:
        if kept is not None:
            raise MisconfiguredError(NOBODYS)
        return None
    from prosa.adapters.telemetry.files import LogFile

    try:
        return LogFile(path, None if kept == "forever" else kept)
    except OSError as error:
        raise MisconfiguredError(f"PROSA_LOG_FILE can't be written: {error}.") from None


@asynccontextmanager
async def told(settings: Settings) -> AsyncIterator[None]:
    """Meanwhile traces and reports of errors go where the settings say, if anywhere; what they take is loaded
    only then. Raises MisconfiguredError."""
    spans = reports = None
    try:
        if settings.otlp_endpoint is not None:
            from prosa.adapters.telemetry.spans import Spans

            tracing.tracer = spans = Spans(settings.otlp_endpoint.get_secret_value(), __version__)
        if settings.sentry_dsn is not None:
            from prosa.adapters.telemetry.reports import Reports

            reports = Reports(settings.sentry_dsn.get_secret_value(), __version__)
            log.report = reports.report
    except ImportError:
        name = "PROSA_OTLP_ENDPOINT" if settings.otlp_endpoint is not None else "PROSA_SENTRY_DSN"
        raise MisconfiguredError(WANTED.format(name)) from None
    except ValueError:
        raise MisconfiguredError(
            "PROSA_SENTRY_DSN is no DSN: copy it from your project's settings."
        ) from None
    try:
        yield
    finally:
        tracing.tracer = log.report = None
        # Together, for a process that must go has little time.
        last = [each.close() for each in (spans, reports) if each is not None]
        await asyncio.gather(*last)

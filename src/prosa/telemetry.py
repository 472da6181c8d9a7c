"""What the process tells of itself, by the settings: log lines, traces, reports of errors."""

from urllib.parse import urlsplit

from pydantic import SecretStr

from prosa.config import Settings, tables
from prosa.kit.secrets import remember


def logs(settings: Settings) -> None:
    """From now on log lines are written as the settings say, and no secret of theirs stands in one. Raises
    MisconfiguredError."""
    from prosa.adapters.telemetry.lines import configure

    for _, value in settings:
        if isinstance(value, SecretStr):
            told = value.get_secret_value()
            remember(urlsplit(told).password if "://" in told else told)
    levels = {"": settings.log_level, **tables().log.levels}
    configure(settings.log_format, levels, content=settings.log_content)

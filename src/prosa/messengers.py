"""Who is told of alerts, built from what prosa.toml says of them."""

from prosa.config import Settings, secret
from prosa.kit.secrets import remember
from prosa.ports.alerts import Messenger
from prosa.services.alerts.tables import AlertsTable, Env


def messengers(settings: Settings, table: AlertsTable) -> list[Messenger]:
    """Raises MisconfiguredError."""
    made: list[Messenger] = []
    if table.webhook is not None:
        from prosa.adapters.alerts.webhook import Webhook

        key = _said(table.secret or "")
        remember(key)
        made.append(Webhook(_said(table.webhook), key, settings.language))
    if table.apprise:
        from prosa.adapters.alerts.apprise import Apprise

        made += [Apprise(_said(url), settings.language, place) for place, url in enumerate(table.apprise, 1)]
    return made


def _said(value: str | Env) -> str:
    return value if isinstance(value, str) else secret(value.env, "[alerts]")

"""`/api/admin/alerts`: what operators were told of."""

from msgspec import Struct

from prosa.domain.alerts import Alert
from prosa.domain.time import to_iso
from prosa.transport.native.forms import ListQuery, Page
from prosa.transport.operation import Call, Nothing, Operation, Reply


class AlertForm(Struct, frozen=True, rename="camel"):
    """`kind` is what it is about: "tokens" and "cost" (`level` percent of a limit), "errors" (percent of
    answers), "latency" (milliseconds), "key", "model". `owed` are those who have not got it."""

    id: str
    kind: str
    subject: str
    level: int
    message: str
    details: dict[str, str]
    at: str
    delivered_at: str | None
    attempts: int
    owed: list[str]


def _form(alert: Alert, language: str) -> AlertForm:
    return AlertForm(
        id=alert.id,
        kind=str(alert.kind),
        subject=alert.subject,
        level=alert.level,
        message=alert.sentence(language),
        details=alert.details,
        at=to_iso(alert.at),
        delivered_at=None if alert.delivered_at is None else to_iso(alert.delivered_at),
        attempts=alert.attempts,
        owed=[*alert.owed],
    )


async def list_alerts(call: Call[Nothing, ListQuery]) -> Reply:
    """Newest first."""
    found, cursor = await call.chat.alerts.page(call.principal, call.query.limit, call.query.cursor)
    return Reply(200, Page([_form(each, call.language) for each in found], cursor))


OPERATIONS = [
    Operation("GET", "/api/admin/alerts", "List the alerts", list_alerts, query=ListQuery,
              gives={200: Page[AlertForm]}, operator=True),
]  # fmt: skip

"""`/api/admin/usage`: what all users took, for the operator."""

from typing import Annotated, Any

from msgspec import Meta

from prosa.domain.usage import Account, Report, Wanted
from prosa.transport.native.forms import Name
from prosa.transport.native.moments import span
from prosa.transport.native.usage import CSV, SumForm, TotalsForm, UsageQuery, sums, totals
from prosa.transport.operation import Call, Nothing, Operation, Reply, Stream
from prosa.transport.pieces import write_pieces

Client = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
"""A client's id, or "": no client's."""


class AdminUsageQuery(UsageQuery, frozen=True, rename="camel"):
    user_id: Name | None = None
    client_id: Client | None = None
    provider: Name | None = None
    model: Name | None = None


class ClientForm(SumForm, frozen=True, rename="camel", kw_only=True):
    """`clientId` is "" for users of no client."""

    client_id: str


class UserForm(ClientForm, frozen=True, rename="camel", kw_only=True):
    user_id: str


class AdminUsageForm(TotalsForm, frozen=True, rename="camel", kw_only=True):
    """`users` and `clients` are the hundred with the greatest costs; `messagesCount` is null where it is
    asked for a client, a provider or a model."""

    messages_count: int | None
    users: list[UserForm]
    clients: list[ClientForm]


async def read_usage(call: Call[Nothing, AdminUsageQuery]) -> Reply | Stream:
    """Of this month, unless `since` and `until` say otherwise (see `GET /api/usage`). As CSV it is the ledger
    itself. That it was read is a row of the audit log."""
    asked, reports = call.query, call.chat.reports
    since, until = span(asked.since, asked.until, reports.calendar)
    wanted = Wanted(asked.user_id, asked.client_id, asked.provider, asked.model)
    if asked.format == "csv":
        pieces = reports.sheet_of_all(call.principal, wanted, since, until)
        return Stream(lambda receive, send: write_pieces(CSV, pieces, receive, send))
    return Reply(200, admin_form(await reports.of_all(call.principal, wanted, since, until)))


def admin_form(report: Report) -> AdminUsageForm:
    return AdminUsageForm(
        **totals(report),
        messages_count=report.messages,
        users=[UserForm(user_id=each.user_id, **_client(each)) for each in report.users],
        clients=[ClientForm(**_client(each)) for each in report.clients],
    )


def _client(account: Account) -> dict[str, Any]:
    return {"client_id": account.client_id, **sums(account.sum)}


OPERATIONS = [
    Operation("GET", "/api/admin/usage", "Say what all users have used", read_usage, query=AdminUsageQuery,
              gives={200: AdminUsageForm}, stream="text/csv", operator=True),
]  # fmt: skip

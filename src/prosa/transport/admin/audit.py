"""`/api/admin/audit`: who did what to which thing, for the operator, and whether the chain holds."""

from typing import Annotated

from msgspec import Meta, Struct

from prosa.domain.audit import Detail, Finding, Head, Link, Wanted
from prosa.domain.time import to_iso
from prosa.transport.native.forms import ListQuery, Name, Page
from prosa.transport.native.moments import Moment, span
from prosa.transport.operation import Call, Nothing, Operation, Reply


class AuditQuery(ListQuery, frozen=True):
    """Dates alone are days of `PROSA_TIMEZONE`: from the first moment of `since` to the last of `until`."""

    actor: Name | None = None
    action: Name | None = None
    since: Moment | None = None
    until: Moment | None = None


class VerifyQuery(Struct, frozen=True):
    """The head that an earlier check gave: the chain must still pass through it."""

    rows: Annotated[int, Meta(ge=0, le=2**62)] = 0
    hash: Annotated[str, Meta(max_length=64, pattern="^[0-9a-f]*$")] = ""


class LinkForm(Struct, frozen=True, rename="camel"):
    """`id` is the place in the chain, from 1; `actor` a user's id, or `key:` and the id of an API key."""

    id: str
    at: str
    actor: str
    client_id: str
    action: str
    target: str
    details: dict[str, Detail]


class HeadForm(Struct, frozen=True):
    rows: int
    hash: str


class FindingForm(Struct, frozen=True, rename="camel"):
    """`brokenAt` is the first place where the chain does not hold. `head` can be kept elsewhere, to be
    compared later. The first `swept` rows are gone, and a row of the log says so; how old they were nothing
    shows any more."""

    intact: bool
    rows: int
    broken_at: str | None
    head: HeadForm
    swept: int


def link_form(link: Link) -> LinkForm:
    done = link.deed
    return LinkForm(
        str(link.id), to_iso(link.at), done.actor, done.client_id, done.action, done.target, done.details
    )


def finding_form(found: Finding) -> FindingForm:
    head = HeadForm(found.head.rows, found.head.hash)
    broken_at = None if found.broken_at is None else str(found.broken_at)
    return FindingForm(found.intact, found.rows, broken_at, head, found.swept)


async def list_links(call: Call[Nothing, AuditQuery]) -> Reply:
    """Newest first. That the log was read is a row of it, too."""
    asked = call.query
    wanted = Wanted(asked.actor, asked.action, *span(asked.since, asked.until, call.chat.reports.calendar))
    found, cursor = await call.chat.audit.page(call.principal, wanted, asked.limit, asked.cursor)
    return Reply(200, Page([link_form(each) for each in found], cursor))


async def verify(call: Call[Nothing, VerifyQuery]) -> Reply:
    """Walks along the whole chain: rows that were changed, taken out, moved or put in break it."""
    known = Head(call.query.rows, call.query.hash)
    return Reply(200, finding_form(await call.chat.audit.verify(call.principal, known)))


_AUDIT = "/api/admin/audit"

OPERATIONS = [
    Operation("GET", _AUDIT, "Read the audit log", list_links, query=AuditQuery,
              gives={200: Page[LinkForm]}, operator=True),
    Operation("GET", f"{_AUDIT}/verify", "Check the audit log", verify, query=VerifyQuery,
              gives={200: FindingForm}, operator=True),
]  # fmt: skip

"""The ledger as CSV: a row for each entry, in UTF-8 with the mark that Excel looks for."""

from collections.abc import Sequence

from prosa.domain.ending import Entry
from prosa.domain.money import to_dollars
from prosa.domain.time import to_iso
from prosa.services.export.sheet import MARK, cell

COLUMNS = (
    "createdAt", "id", "userId", "clientId", "conversationId", "runId", "attempt", "provider", "model",
    "route", "promptTokens", "completionTokens", "totalTokens", "cachedTokens", "reasoningTokens",
    "cacheWriteTokens", "cost", "estimated", "priceVersion",
)  # fmt: skip


def head(*, keyed: bool) -> bytes:
    """`keyed` says whether the keys of providers are named, too: that is for operators."""
    return MARK + ",".join((*COLUMNS, "keyId") if keyed else COLUMNS).encode() + b"\r\n"


def lines(entries: Sequence[Entry], *, keyed: bool) -> bytes:
    return b"".join(_line(entry, keyed=keyed) for entry in entries)


def _line(entry: Entry, *, keyed: bool) -> bytes:
    usage = entry.usage
    row: tuple[str, ...] = (
        to_iso(entry.created_at),
        entry.id,
        cell(entry.user_id),
        cell(entry.client_id),
        entry.conversation_id or "",
        entry.run_id,
        str(entry.attempt),
        cell(entry.provider),
        cell(entry.model),
        cell(entry.route or ""),
        str(usage.prompt_tokens),
        str(usage.completion_tokens),
        str(usage.total_tokens),
        str(usage.cached_tokens),
        str(usage.reasoning_tokens),
        str(usage.cache_write_tokens),
        "" if entry.cost is None else to_dollars(entry.cost),
        "true" if entry.estimated else "false",
        cell(entry.price_version or ""),
    )
    if keyed:
        row = (*row, entry.key_id or "")
    return ",".join(row).encode() + b"\r\n"

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

HEAD = MARK + ",".join(COLUMNS).encode() + b"\r\n"


def lines(entries: Sequence[Entry]) -> bytes:
    return b"".join(map(_line, entries))


def _line(entry: Entry) -> bytes:
    usage = entry.usage
    row = (
        to_iso(entry.created_at),
        entry.id,
        entry.user_id,
        entry.client_id,
        entry.conversation_id or "",
        entry.run_id,
        str(entry.attempt),
        entry.provider,
        entry.model,
        entry.route or "",
        str(usage.prompt_tokens),
        str(usage.completion_tokens),
        str(usage.total_tokens),
        str(usage.cached_tokens),
        str(usage.reasoning_tokens),
        str(usage.cache_write_tokens),
        "" if entry.cost is None else to_dollars(entry.cost),
        "true" if entry.estimated else "false",
        entry.price_version or "",
    )
    return ",".join(map(cell, row)).encode() + b"\r\n"

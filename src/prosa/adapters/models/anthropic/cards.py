"""Reads the list of models that Anthropic has."""

from datetime import datetime
from typing import Any

from msgspec import Struct

from prosa.adapters.models.anthropic.errors import PROVIDER
from prosa.adapters.models.repair import Unreadable, reread
from prosa.domain.errors import BrokenStream
from prosa.domain.models import ModelCard


class Entry(Struct):
    id: str
    display_name: str | None = None
    created_at: str | None = None
    max_input_tokens: Any = None
    owned_by: str | None = None


class Page(Struct):
    data: list[Entry]
    has_more: bool | None = None
    last_id: str | None = None


def page(body: bytes) -> tuple[list[ModelCard], str | None]:
    """The models of one page of `GET /v1/models`, and the id after which the next one begins, if one does.

    Raises `BrokenStream`.
    """
    try:
        found = reread(body, Page)
    except Unreadable:
        raise BrokenStream(PROVIDER) from None
    return [card(entry) for entry in found.data], found.last_id if found.has_more else None


def card(entry: Entry) -> ModelCard:
    window = entry.max_input_tokens
    return ModelCard(
        entry.id,
        name=entry.display_name,
        created=released(entry.created_at),
        window=window if isinstance(window, int) and not isinstance(window, bool) and window > 0 else None,
        owner=entry.owned_by or PROVIDER,
    )


def released(told: str | None) -> int | None:
    """Seconds since 1970 of a date in RFC 3339; None where it is unknown, which Anthropic tells as 1970."""
    try:
        moment = datetime.fromisoformat(told or "")
    except ValueError:
        return None
    return int(moment.timestamp()) or None if moment.tzinfo else None

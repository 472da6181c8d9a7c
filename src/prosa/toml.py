"""The tables of prosa.toml, read strictly: what is not understood is refused, with its place."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, Struct

from prosa.declared import ToolTable
from prosa.domain.errors import MisconfiguredError
from prosa.domain.limits import MOST_DOLLARS, payable
from prosa.domain.limits import Count as Most
from prosa.domain.retention import Retention
from prosa.services.alerts.tables import AlertsTable
from prosa.services.guard.tables import CheckTable, MaskingTable
from prosa.services.models.overrides import Override
from prosa.services.models.routes import Route

Seconds = Annotated[float, Meta(gt=0, le=86_400)]
Count = Annotated[int, Meta(ge=0, le=100_000)]


Level = Literal["debug", "info", "warning", "error", "critical"]


class Times(Struct, frozen=True, forbid_unknown_fields=True):
    """In seconds: to connect, to the first sign of an answer, between two of them, for a whole answer."""

    connect: Seconds | None = None
    first: Seconds | None = None
    silence: Seconds | None = None
    whole: Seconds | None = None


class ProviderTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[providers.name]`: where a provider is and how it is handled; what is None stays as it is.

    `dialect` is the row of a known server that it speaks like. The counts are those of `Handling`. `caching`
    has Anthropic keep each prompt for five minutes: the next turn reads it at a tenth of the price, and what
    is written costs a quarter more.
    """

    dialect: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    default_model: str | None = None
    timeouts: Times = Times()
    concurrency: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    waiting: Count | None = None
    waiting_each: Count | None = None
    retries: Annotated[int, Meta(ge=0, le=10)] | None = None
    patience: Seconds | None = None
    failures: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    cooldown: Seconds | None = None
    caching: bool = False


class CapTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What one user, one client or all together may use; US dollars."""

    tokens_per_day: Most | None = None
    cost_per_month: Decimal | None = None
    requests_per_minute: Most | None = None
    runs_at_once: Most | None = None
    sockets: Most | None = None

    def __post_init__(self) -> None:
        if self.cost_per_month is not None and not payable(self.cost_per_month):
            raise ValueError(f"`cost_per_month` must be between 0 and {MOST_DOLLARS}")


class Ceilings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[limits.…]`: of each user and each client, of all together, and of those that are named."""

    user: CapTable = CapTable()
    client: CapTable = CapTable()
    everyone: CapTable = CapTable()
    users: dict[str, CapTable] = {}
    clients: dict[str, CapTable] = {}


class LogTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[log.levels]`: the level of a module, or a library, and of all that is below it."""

    levels: dict[str, Level] = {}


class Tables(Struct, frozen=True):
    """Each field is a table of this name, whose entries are of the type that stands here, or which is itself
    of that type: to add a table, add a field."""

    routes: dict[str, Route] = {}
    aliases: dict[str, str] = {}
    models: dict[str, Override] = {}
    providers: dict[str, ProviderTable] = {}
    tools: dict[str, ToolTable] = {}
    alerts: AlertsTable = AlertsTable()
    masking: dict[str, MaskingTable] = {}
    moderation: dict[str, CheckTable] = {}
    limits: Ceilings = Ceilings()
    log: LogTable = LogTable()
    retention: Retention = Retention()


NAMES = frozenset(Tables.__struct_fields__)


def tables(found: Mapping[str, Any]) -> Tables:
    """The tables among what a file holds. Raises MisconfiguredError."""
    read: dict[str, Any] = {}
    for name, hint in get_type_hints(Tables).items():
        if name in found:
            kinds = get_args(hint)
            read[name] = _table(name, found[name], kinds[1]) if kinds else _whole(name, found[name], hint)
    return Tables(**read)


def _whole(name: str, entries: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(entries, kind)
    except msgspec.ValidationError as error:
        reason = str(error).replace(" - at `$.", " - at `")
        raise MisconfiguredError(f"prosa.toml, [{name}]: {reason}.") from None


def _table(name: str, entries: Any, kind: Any) -> dict[str, Any]:
    if not isinstance(entries, dict):
        raise MisconfiguredError(f"prosa.toml: {name} must be a table: [{name}].")
    read = {}
    for key, entry in entries.items():
        try:
            read[key] = msgspec.convert(entry, kind)
        except msgspec.ValidationError as error:
            reason = str(error).replace(" - at `$.", " - at `")
            raise MisconfiguredError(f"prosa.toml, [{name}] {key}: {reason}.") from None
    return read


def said(table: Struct) -> list[str]:
    """The names of what is set in it."""
    usual = type(table)()
    return [name for name in table.__struct_fields__ if getattr(table, name) != getattr(usual, name)]

"""Connections to Postgres as Prosa wants them: their settings, and the values that cross them."""

from typing import Any

import asyncpg

from prosa.domain.errors import StoreUnavailable
from prosa.domain.time import SECOND

PATIENCE = 5.0
"""Seconds that a new connection may take."""

LONGEST = 30.0
"""Seconds that one statement may take, the wait for a lock included."""

OPTIONS: dict[str, Any] = {
    "timeout": PATIENCE,
    "command_timeout": LONGEST,
    "statement_cache_size": 256,
    "max_cached_statement_lifetime": 0,
    "server_settings": {
        "application_name": "prosa",
        # The principal's name is quoted into a simple query: a backslash in it must be a backslash.
        "standard_conforming_strings": "on",
        # A node that vanishes in the middle of a transaction must not hold its locks for long.
        "idle_in_transaction_session_timeout": "60000",
        "jit": "off",
        # Of a table that it knows nothing of yet, Postgres would rather look up a whole conversation at once
        # than read its newest messages by the index that has them in their order. How it looks for many ids
        # it settles while the table is empty, from end to end, and goes on so while the table grows.
        "enable_bitmapscan": "off",
        "enable_seqscan": "off",
    },
}

_EPOCH = 946_684_800 * SECOND
"""Postgres counts its microseconds from the year 2000."""


async def connect(url: str) -> asyncpg.Connection:
    """One connection outside of any pool. Raises StoreUnavailable."""
    try:
        connection = await asyncpg.connect(url, **OPTIONS)
        await prepare(connection)
    except FAILURES as error:
        raise StoreUnavailable from error
    return connection


async def prepare(connection: asyncpg.Connection) -> None:
    """Ids are canonical strings, instants whole microseconds, JSON (by default) strings."""
    await connection.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str)
    await connection.set_type_codec(
        "timestamptz",
        schema="pg_catalog",
        format="tuple",
        encoder=lambda instant: (instant - _EPOCH,),
        decoder=lambda counted: counted[0] + _EPOCH,
    )


def literal(text: str) -> str:
    """`text` as a string constant of SQL. Raises ValueError for a NUL, which Postgres has no place for."""
    if "\0" in text:
        raise ValueError("NUL in a name")
    return "'" + text.replace("'", "''") + "'"


BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The driver and the server no longer agree about a connection: it was cut while something was under way."""

FAILURES = (asyncpg.PostgresError, *BROKEN, OSError, TimeoutError)
"""What goes wrong with a database, as far as the driver tells."""

WRONG_URL = (
    asyncpg.exceptions.ClientConfigurationError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)
"""Failures of a first connection that no waiting mends: a URL that is none, a password, a database's name."""

"""`prosa migrate`: the owner brings the schema up to date and lets the other two roles in."""

import base64
import hashlib
import hmac
import os
from urllib.parse import unquote, urlsplit

import asyncpg
from sqlalchemy import Connection, pool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from prosa.adapters.store.migrations import APP, ENGINE, upgrade_over
from prosa.adapters.store.postgres.checks import APP_URL, ENGINE_URL, OWNER_URL
from prosa.adapters.store.postgres.connection import OPTIONS, literal
from prosa.domain.errors import MisconfiguredError, StoreUnavailable

_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtextextended('prosa migrate', 0))"
ITERATIONS = 4096


async def migrate(owner_url: str, url: str, engine_url: str) -> None:
    """All in one transaction. Creates the login roles of `url` and `engine_url`, with the URLs' passwords,
    where they do not exist. Raises MisconfiguredError and StoreUnavailable."""
    logins = {APP: _Login(url, APP_URL), ENGINE: _Login(engine_url, ENGINE_URL)}
    if logins[APP].name == logins[ENGINE].name:
        raise MisconfiguredError(f"{APP_URL} and {ENGINE_URL} must log in as two different roles.")
    options = OPTIONS | {"command_timeout": None}
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: asyncpg.connect(owner_url, **options),
        poolclass=pool.NullPool,
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate, logins)
    except DBAPIError as error:
        raise _explained(error) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreUnavailable from error
    finally:
        await engine.dispose()


class _Login:
    """The role that a URL logs in as."""

    def __init__(self, url: str, setting: str) -> None:
        parts = urlsplit(url)
        if not parts.username:
            raise MisconfiguredError(
                f"{setting} must name its role: postgresql://role:password@host/database."
            )
        self.name = unquote(parts.username)
        self.password = unquote(parts.password) if parts.password else None

    @property
    def quoted(self) -> str:
        return '"' + self.name.replace('"', '""') + '"'


def _migrate(connection: Connection, logins: dict[str, _Login]) -> None:
    connection.exec_driver_sql(_ONE_AT_A_TIME)
    owner = connection.exec_driver_sql("SELECT current_user").scalar_one()
    for login in logins.values():
        if login.name == owner:
            raise MisconfiguredError(
                f'"{owner}" is the role of {OWNER_URL}; the other two must log in as roles of their own.'
            )
        _create(connection, login)
    upgrade_over(connection)
    for group, login in logins.items():
        _admit(connection, group, login)


def _create(connection: Connection, login: _Login) -> None:
    able = connection.exec_driver_sql(
        f"SELECT rolcanlogin FROM pg_roles WHERE rolname = {literal(login.name)}"  # noqa: S608 - quoted
    ).scalar_one_or_none()
    if able:
        return
    verb = "CREATE" if able is None else "ALTER"
    password = f" PASSWORD {literal(verifier(login.password))}" if login.password else ""
    connection.exec_driver_sql(f"{verb} ROLE {login.quoted} LOGIN{password}")


def _admit(connection: Connection, group: str, login: _Login) -> None:
    is_member = f"SELECT pg_has_role({literal(login.name)}, '{group}', 'USAGE')"
    if not connection.exec_driver_sql(is_member).scalar_one():
        connection.exec_driver_sql(f"GRANT {group} TO {login.quoted}")


def verifier(password: str) -> str:
    """What Postgres stores of a password (SCRAM-SHA-256, RFC 5803), made here so that the password itself
    shows in no log of the server. One beyond ASCII is left to the server, which knows how to normalise it."""
    if not password.isascii():
        return password
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    stored = hashlib.sha256(client).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _explained(error: DBAPIError) -> MisconfiguredError | StoreUnavailable:
    if getattr(error.orig, "sqlstate", None) == asyncpg.InsufficientPrivilegeError.sqlstate:
        return MisconfiguredError(
            f"The role of {OWNER_URL} may not do what a migration does: {error.orig}. It must own the "
            "database, and it must have CREATEROLE, or someone who has must create the roles "
            f"{APP} and {ENGINE} first and grant each to the role that logs in."
        )
    return StoreUnavailable()

"""What must be true of a database and of its roles before Prosa serves from it."""

import asyncpg

from prosa.adapters.store.migrations import APP, ENGINE, HEAD, NEWER
from prosa.adapters.store.tables import OPERATORS, OWNED
from prosa.domain.errors import MisconfiguredError

APP_URL, ENGINE_URL, OWNER_URL = (
    "PROSA_DATABASE_URL",
    "PROSA_DATABASE_ENGINE_URL",
    "PROSA_DATABASE_OWNER_URL",
)
URLS_WANTED = (
    f"Postgres needs three roles, so that the database itself keeps users apart: set {APP_URL} (the "
    f"application's role), {ENGINE_URL} (the run engine's) and, for `prosa migrate`, {OWNER_URL} (the "
    "tables' owner). The first two may own nothing; `prosa migrate` creates them where they don't exist."
)

_ROLE = "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
_GROUPS = "SELECT rolname FROM pg_roles WHERE rolname = ANY ($1) AND pg_has_role(oid, $2)"
_REVISION = "SELECT version_num FROM alembic_version"
_TABLES = """
SELECT relname, pg_has_role(relowner, 'MEMBER') AS owns, relrowsecurity AND relforcerowsecurity AS forced
FROM pg_class WHERE oid = ANY (SELECT to_regclass(name) FROM unnest($1::text[]) AS name)
"""


async def check(connection: asyncpg.Connection, group: str) -> str:
    """Raises MisconfiguredError unless the connection's role is a plain member of `group` (`APP` or
    `ENGINE`) and the schema is the newest. Answers the role's name."""
    url, other = (APP_URL, ENGINE) if group == APP else (ENGINE_URL, APP)
    role, superuser, bypasses = await connection.fetchrow(_ROLE)
    if superuser or bypasses:
        what = "is a superuser" if superuser else "has BYPASSRLS"
        raise MisconfiguredError(
            f'The role "{role}" of {url} {what}, and row level security would not bind it. '
            f"Name a plain role there; `prosa migrate` creates it."
        )
    await _check_revision(connection, role, url)
    await _check_tables(connection, role, url)
    names = [group, other]
    usable = {row[0] for row in await connection.fetch(_GROUPS, names, "USAGE")}
    reachable = {row[0] for row in await connection.fetch(_GROUPS, names, "MEMBER")}
    if group not in usable:
        raise MisconfiguredError(
            f'The role "{role}" of {url} has not the rights of {group}. '
            "Run `prosa migrate`, which grants them."
        )
    if other in reachable:
        raise MisconfiguredError(
            f'The role "{role}" of {url} is a member of {other}, too. {APP_URL} and {ENGINE_URL} must log in '
            "as different roles, each a member of its own group only."
        )
    return str(role)


async def _check_revision(connection: asyncpg.Connection, role: str, url: str) -> None:
    try:
        revision = await connection.fetchval(_REVISION)
    except asyncpg.UndefinedTableError:
        raise MisconfiguredError("The database has no tables of Prosa yet. Run `prosa migrate`.") from None
    except asyncpg.InsufficientPrivilegeError:
        raise MisconfiguredError(
            f'The role "{role}" of {url} may not read the tables. '
            "Run `prosa migrate`, which grants it the rights."
        ) from None
    if revision > HEAD:
        raise MisconfiguredError(NEWER)
    if revision != HEAD:
        raise MisconfiguredError(
            f"The database is at revision {revision}, and this version of Prosa needs {HEAD}. "
            "Run `prosa migrate`."
        )


async def _check_tables(connection: asyncpg.Connection, role: str, url: str) -> None:
    for name, owns, forced in await connection.fetch(_TABLES, [table.name for table in (*OWNED, *OPERATORS)]):
        if owns:
            raise MisconfiguredError(
                f'The role "{role}" of {url} owns the table {name}. '
                f"Only the role of {OWNER_URL} may own tables."
            )
        if not forced:
            raise MisconfiguredError(
                f"Row level security is not forced on the table {name}. Someone changed it by hand: run "
                f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY."
            )

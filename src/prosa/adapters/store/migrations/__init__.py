"""How the schema came to be, step by step, with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from prosa.domain.errors import MisconfiguredError, StoreUnavailable

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0023"
"""The newest revision; known here so that a start on a current database need not load Alembic."""

NEWER = (
    "The database was written by a newer Prosa than this one. Start that version again, or go back to a "
    "backup that was made before it."
)

APP = "prosa_app"
ENGINE = "prosa_engine"
"""Groups of Postgres' roles: the application and the engine log in as members of theirs (or as the group
itself)."""


def upgrade(url: str, current: str | None, target: str = HEAD) -> None:
    """Brings the database at `url` (SQLAlchemy's form) from revision `current` to `target`. Raises
    MisconfiguredError where this version does not know what is there, and StoreUnavailable."""
    if current != target:
        _upgrade(config(url=url), target)


def upgrade_over(connection: Connection, target: str = HEAD) -> None:
    """Brings the database behind `connection` to `target`, in the transaction that is open there."""
    _upgrade(config(connection=connection), target)


def _upgrade(configuration: Config, target: str) -> None:
    from alembic import command
    from alembic.script.revision import ResolutionError
    from alembic.util import CommandError
    from sqlalchemy.exc import OperationalError

    try:
        command.upgrade(configuration, target)
    except CommandError as error:
        if isinstance(error.__cause__, ResolutionError):
            raise MisconfiguredError(NEWER) from error
        raise
    except OperationalError as error:
        raise StoreUnavailable from error


def config(**attributes: Any) -> Config:
    """Alembic's configuration; env.py reads `url` or `connection` of it."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes.update(attributes)
    return made

"""How the schema came to be, step by step, with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

HEAD = "0002"
"""The newest revision; known here so that a start on a current database need not load Alembic."""

APP = "prosa_app"
ENGINE = "prosa_engine"
"""Groups of Postgres' roles: the application and the engine log in as members of theirs (or as the group
itself)."""


def upgrade(url: str, current: str | None, target: str = HEAD) -> None:
    """Brings the database at `url` (SQLAlchemy's form) from revision `current` to `target`."""
    if current == target:
        return
    from alembic import command

    command.upgrade(config(url=url), target)


def upgrade_over(connection: Connection, target: str = HEAD) -> None:
    """Brings the database behind `connection` to `target`, in the transaction that is open there."""
    from alembic import command

    command.upgrade(config(connection=connection), target)


def config(**attributes: Any) -> Config:
    """Alembic's configuration; env.py reads `url` or `connection` of it."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes.update(attributes)
    return made

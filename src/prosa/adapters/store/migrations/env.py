"""Alembic's entry: runs the revisions, all of them in one transaction."""

from typing import Any

from alembic import context
from sqlalchemy import Connection, create_engine, event, pool

from prosa.adapters.store.tables import metadata


def migrate(connection: Connection) -> None:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=sqlite, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_file(url: str) -> None:
    """On SQLite the driver would commit before each change of the schema; a migration that is killed must
    leave the file as it was."""
    engine = create_engine(url, poolclass=pool.NullPool)

    @event.listens_for(engine, "connect")
    def _take_over(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    with engine.connect() as connection:
        migrate(connection)


attributes = context.config.attributes
if "connection" in attributes:
    migrate(attributes["connection"])
else:
    migrate_file(attributes["url"])

"""How the schema came to be, step by step, with Alembic."""

from pathlib import Path

HEAD = "0001"
"""The newest revision; known here so that a start on a current database need not load Alembic."""


def upgrade(url: str, current: str | None) -> None:
    """Brings the database at `url` (SQLAlchemy's form) from revision `current` to `HEAD`."""
    if current == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    command.upgrade(config, "head")

"""What tables are made of: the kinds of their columns, and those that many of them have."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# In Python an id is a canonical string, an instant whole microseconds, JSON a string: on both databases.
Id = Text().with_variant(UUID(as_uuid=False), "postgresql")
Instant = BigInteger().with_variant(TIMESTAMP(timezone=True), "postgresql")
Json = Text().with_variant(JSONB(), "postgresql")


def identity(**options: Any) -> Column[Any]:
    return Column("id", Id, primary_key=True, **options)


def owner() -> Column[Any]:
    return Column("user_id", Text, nullable=False)


def client() -> Column[Any]:
    return Column("client_id", Text, nullable=False, server_default="")

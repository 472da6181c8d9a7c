"""How SQLite keeps sums of the ledger beside it: by triggers, so that they are never behind. Postgres adds up
many entries at once, and would have all who enter wait for one row."""

from alembic import op

_NUMBERS = {
    "requests": "1",
    **{
        name: f"{{row}}.{name}"
        for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens",
                     "cache_write_tokens")
    },
    "millions": "coalesce({row}.cost / 1000000, 0)",
    "rest": "coalesce({row}.cost % 1000000, 0)",
    "estimated": "{row}.estimated",
    "unpriced": "({row}.cost IS NULL)",
}  # fmt: skip
"""Picodollars in two parts: a sum of them may be more than 64 bits hold."""

_SUMS = {
    "model_sums": (900_000_000, "provider", "model"),
    "user_sums": (86_400_000_000, "user_id", "client_id"),
}
"""By how many microseconds, and by what."""


def sum_entries() -> None:
    if op.get_context().dialect.name == "postgresql":
        return
    for name, (length, *keys) in _SUMS.items():
        columns = "".join(f"{key} TEXT NOT NULL, " for key in keys)
        columns += "".join(f"{number} BIGINT NOT NULL, " for number in _NUMBERS)
        op.execute(
            f"CREATE TABLE {name} (at BIGINT NOT NULL, {columns}"
            f"PRIMARY KEY (at, {', '.join(keys)})) WITHOUT ROWID"
        )
        row = ", ".join(_row("ai_usage", length, keys))
        op.execute(f"INSERT INTO {name} SELECT {row} FROM ai_usage WHERE true {_upsert(keys)}")  # noqa: S608 - our own words
    enter = "".join(_entered(name, length, keys) for name, (length, *keys) in _SUMS.items())
    leave = "".join(_left(name, length, keys) for name, (length, *keys) in _SUMS.items())
    for event, does in (("INSERT", enter), ("UPDATE", leave + enter), ("DELETE", leave)):
        op.execute(f"CREATE TRIGGER sums_{event.lower()} AFTER {event} ON ai_usage BEGIN {does} END")


def _row(row: str, length: int, keys: list[str]) -> list[str]:
    numbers = (number.format(row=row) for number in _NUMBERS.values())
    return [_at(row, length), *(f"{row}.{key}" for key in keys), *numbers]


def _at(row: str, length: int) -> str:
    return f"{row}.created_at / {length} * {length}"


def _upsert(keys: list[str]) -> str:
    added = ", ".join(f"{number} = {number} + excluded.{number}" for number in _NUMBERS)
    return f"ON CONFLICT (at, {', '.join(keys)}) DO UPDATE SET {added}"


def _entered(name: str, length: int, keys: list[str]) -> str:
    return f"INSERT INTO {name} VALUES ({', '.join(_row('NEW', length, keys))}) {_upsert(keys)}; "  # noqa: S608 - our own words


def _left(name: str, length: int, keys: list[str]) -> str:
    """A sum of nothing goes, and its names with it."""
    taken = ", ".join(f"{key} = {key} - {value.format(row='OLD')}" for key, value in _NUMBERS.items())
    same = " AND ".join(f"{key} = OLD.{key}" for key in keys)
    here = f"at = {_at('OLD', length)} AND {same}"
    return f"UPDATE {name} SET {taken} WHERE {here}; DELETE FROM {name} WHERE {here} AND requests = 0; "  # noqa: S608 - our own words

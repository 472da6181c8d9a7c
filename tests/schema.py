"""`python -m tests.schema` writes down the schema of a new SQLite file, as the revisions lead to it."""

import re
import sqlite3
import tempfile
from pathlib import Path

from prosa.adapters.store.migrations import upgrade
from prosa.adapters.store.sqlite.schema import WHOLE

_HEAD = "-- What the revisions make of an empty file: written by `python -m tests.schema`.\n"
_MADE = """
SELECT sql FROM sqlite_master WHERE sql IS NOT NULL
AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY rowid
"""


def write() -> None:
    with tempfile.TemporaryDirectory(prefix="prosa-") as folder:
        path = Path(folder) / "prosa.db"
        upgrade(f"sqlite:///{path}", None)
        WHOLE.write_text(told(path), encoding="utf-8")


def told(path: Path) -> str:
    """The schema and the revision of a file, as a script that makes another like it."""
    connection = sqlite3.connect(path)
    try:
        made = [sql for (sql,) in connection.execute(_MADE)]
        ((revision,),) = connection.execute("SELECT version_num FROM alembic_version")
    finally:
        connection.close()
    said = [*made, f"INSERT INTO alembic_version VALUES ('{revision}')"]
    script = "".join(f"{sql};\n" for sql in said).expandtabs(4)
    return _HEAD + re.sub(r" +$", "", script, flags=re.MULTILINE)


if __name__ == "__main__":
    write()

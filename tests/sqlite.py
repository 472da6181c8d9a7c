"""A migrated database on SQLite, made once a process and copied for whoever asks: the schema is somebody else's
test."""

import functools
import tempfile
from pathlib import Path

from prosa.adapters.store.sqlite.connection import connect
from prosa.adapters.store.sqlite.schema import bring_up


def furnish(path: Path) -> None:
    """Puts a database without rows to `path`, unless something is there."""
    if not path.exists():
        path.write_bytes(_empty())


@functools.cache
def _empty() -> bytes:
    with tempfile.TemporaryDirectory(prefix="prosa-") as folder:
        path = Path(folder) / "prosa.db"
        bring_up(path)
        connect(path).close()  # what stands beside it goes into it
        return path.read_bytes()

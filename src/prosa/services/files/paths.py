"""Files of this machine that a program sends along: each is uploaded as a browser would."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from prosa.domain.errors import InvalidRequest
from prosa.domain.ids import parse_id
from prosa.domain.principal import Principal
from prosa.services.files.files import Files

PIECE = 256 * 1024


async def uploaded(files: Files, principal: Principal, given: Iterable[str | Path]) -> tuple[str, ...]:
    """The ids of what is `given`: ids of files, or paths. Raises InvalidRequest for a path that can't be
    read, and what `Files.add` raises."""
    ids = []
    for each in given:
        identity = parse_id(each) if isinstance(each, str) else None
        if identity is None:
            path = Path(each)
            identity = (await files.add(principal, path.name, _pieces(path))).id
        ids.append(identity)
    return tuple(dict.fromkeys(ids))


async def _pieces(path: Path) -> AsyncIterator[bytes]:
    try:
        file = await asyncio.to_thread(path.open, "rb")
    except OSError as error:
        raise InvalidRequest(f"{path} can't be read: {error.strerror}.") from None
    with file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece

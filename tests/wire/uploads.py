"""Uploads of tests, and what is in the folder after them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from tests.pictures import png
from tests.wire.house import LIMIT, House


async def upload(
    house: House,
    data: bytes | None = None,
    name: str = "a.png",
    *,
    user: str | None = None,
    status: int = 201,
) -> dict[str, Any]:
    answer = await house.post(
        "/api/files", user=user, files={"file": (name, png() if data is None else data, "x/y")}
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def blobs(house: House) -> list[Path]:
    """All files that are in the folder."""
    folder = (
        Path(house.settings.database_url.get_secret_value().removeprefix("sqlite:///")).parent / "prosa-files"
    )
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "database")


async def until(true: Callable[[], bool]) -> None:
    """Threads write and remove files, and nobody tells when."""
    async with asyncio.timeout(LIMIT):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for each in data:
        yield each

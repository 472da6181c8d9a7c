"""The house opens whole or not at all, and closes all of itself."""

from pathlib import Path
from typing import Any

import pytest
from tests.stores import sqlite_store
from tests.unit.services.house import House

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import StoreUnavailable


async def test_what_fails_to_open_may_be_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)

    async def fails(*_: Any) -> None:
        raise StoreUnavailable

    with monkeypatch.context() as broken:
        broken.setattr(house.store.engine, "claim", fails)
        with pytest.raises(StoreUnavailable):
            await house.chat.open()
    async with house:
        run, _ = await house.turn()
        assert run.ended_at


class Stubborn(FakeModel):
    async def close(self) -> None:
        raise OSError


async def test_a_model_that_does_not_close_leaves_nothing_open(tmp_path: Path) -> None:
    house = House(tmp_path, instead=Stubborn(None))
    await house.chat.open()
    with pytest.raises(OSError):
        await house.chat.close()
    again = sqlite_store(tmp_path)
    await again.open(lambda _kind, _ids: None)
    await again.close()

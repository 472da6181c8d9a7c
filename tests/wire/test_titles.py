"""Titles after the first answer, as a page sees them come."""

import asyncio
from pathlib import Path

from tests.wire.house import House, furnished

from prosa.domain.titles import INSTRUCTIONS


async def test_the_title_comes_over_the_feed(tmp_path: Path) -> None:
    async with furnished(tmp_path, title_model="fake/name") as house, house.listening():
        house.script = lambda request: (
            ["Férias de julho"] if request.system == INSTRUCTIONS else ["Em julho."]
        )
        one = await house.conversation()
        async with house.client() as client, client.stream("GET", f"/api/conversations/{one}/events") as feed:
            lines = feed.aiter_lines()
            await house.send(one, "Quando são as férias?")
            async with asyncio.timeout(20):
                async for line in lines:
                    if '"title":"Férias de julho"' in line:
                        break
        assert house.calls[-1].request.model == "name"
        assert await _title(house, one) == "Férias de julho"
        renamed = await house.call("PATCH", f"/api/conversations/{one}", {"title": "Minha"})
        assert renamed.json()["title"] == "Minha"
        await house.send(one, "E depois?")
        assert await _title(house, one) == "Minha"
        assert len(house.calls) == 3


async def _title(house: House, conversation: str) -> str | None:
    found = (await house.get(f"/api/conversations/{conversation}")).json()["title"]
    assert found is None or isinstance(found, str)
    return found

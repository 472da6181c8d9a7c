"""Lists, search, changes and clearing from Python; the example of the documentation runs."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from prosa import Prosa
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.errors import ConversationNotFound, InvalidRequest

DOCUMENTED = Path(__file__).parents[2] / "docs" / "library.md"


@pytest.fixture
async def prosa(tmp_path: Path) -> AsyncIterator[Prosa]:
    async with Prosa(models={"fake": FakeModel()}, database_url=f"sqlite:///{tmp_path / 'a.db'}") as made:
        yield made


async def said(prosa: Prosa, name: str, *texts: str, **draft: Any) -> str:
    one = await prosa.conversation(name, **draft)
    for text in texts:
        async for _ in prosa.chat.send(text, name):
            pass
    return one.id


async def test_lists_with_filters(prosa: Prosa) -> None:
    ids = {name: await said(prosa, name, title=f"Férias {name}") for name in "abc"}
    await prosa.change(ids["a"], pinned=True, status="closed")
    await prosa.change(ids["b"], archived=True)

    async def listed(**filters: Any) -> list[str | None]:
        return [each.external_id for each in (await prosa.conversations(**filters))[0]]

    assert await listed() == ["a", "c"]
    assert await listed(archived=None) == ["a", "c", "b"]
    assert await listed(archived=True) == ["b"]
    assert await listed(pinned=True, status="closed", title="ferias") == ["a"]
    now = datetime.now(UTC)
    assert await listed(since=now - timedelta(hours=1), until=now + timedelta(hours=1)) == ["a", "c"]
    assert await listed(until="2020-01-01") == []
    assert await listed(user_id="bia") == []
    with pytest.raises(InvalidRequest):
        await listed(since="yesterday")


async def test_search_change_and_clear(prosa: Prosa) -> None:
    one = await said(prosa, "a", "Quando são as férias?", title="T")
    hits, cursor = await prosa.search("ferias", role="user")
    assert cursor is None
    assert [(hit.found.conversation_id, hit.found.title) for hit in hits] == [(one, "T")]
    assert [piece.text for piece in hits[0].pieces if piece.hit] == ["férias"]
    assert (await prosa.search("ferias", user_id="bia"))[0] == []
    with pytest.raises(ConversationNotFound):
        await prosa.search("ferias", user_id="bia", conversation_id=one)
    with pytest.raises(ConversationNotFound):
        await prosa.change(one, user_id="bia", title="x")
    with pytest.raises(InvalidRequest):
        await prosa.change(one, updated_at=0)
    await prosa.clear(one)
    assert (await prosa.messages(one))[0] == []
    assert (await prosa.search("ferias"))[0] == []


async def test_a_name_of_ones_own_stands_for_a_conversation_everywhere(prosa: Prosa) -> None:
    one = await said(prosa, "a", "Quando são as férias?")
    assert (await prosa.change("a", pinned=True)).id == one
    assert len((await prosa.messages("a"))[0]) == 2
    assert len((await prosa.search("ferias", conversation_id="a"))[0]) == 2
    await prosa.clear("a")
    assert (await prosa.messages(one))[0] == []


async def test_what_is_wrong_is_said(prosa: Prosa) -> None:
    one = await said(prosa, "a", "Quando são as férias?")
    with pytest.raises(InvalidRequest, match="status can't be 'shut'"):
        await prosa.change(one, status="shut")
    with pytest.raises(InvalidRequest, match="role can't be 'bot'"):
        await prosa.search("ferias", role="bot")
    assert len((await prosa.search("são\0férias"))[0]) == 2


async def test_the_documented_example(prosa: Prosa, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = re.findall(
        r"```python\n(async def tidy.*?)```", DOCUMENTED.read_text(encoding="utf-8"), re.DOTALL
    )
    one = await said(prosa, "a", "Bom dia! O relatório?", title="Férias de julho")
    names: dict[str, Any] = {"Prosa": Prosa}
    exec(code, names)
    await names["tidy"](prosa)
    assert "Férias de julho [Bom dia]! O [relatório]?" in capsys.readouterr().out
    assert (await prosa.conversation(one)).pinned
    assert (await prosa.messages(one))[0] == []

"""`summarize_conversation`: what is asked, piece by piece, and what is refused."""

from typing import Any

import pytest
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import HI, answered

import prosa
from prosa.domain.errors import ContentRefused, InvalidRequest


async def test_a_long_talk_is_read_in_pieces(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    there = await upstream.openai(*(answered({"content": f"Notes {n}."}) for n in range(4)))
    messages = [{"role": "user", "content": f"{n} " * 40_000} for n in range(9)]
    summary = await prosa.summarize_conversation(messages, provider="openai", model="gpt-4o", max_tokens=99)
    assert summary == f"Notes {len(there.seen) - 1}."
    assert len(there.seen) > 1
    bodies = [seen.body for seen in there.seen]
    for before, body in enumerate(bodies[1:]):
        assert f"<notes>\nNotes {before}.\n</notes>" in body["messages"][-1]["content"]
    assert {body["model"] for body in bodies} == {"gpt-4o"}


async def test_its_length(upstream: Upstream) -> None:
    await upstream.openai(answered({"content": "x" * 5_000}))
    assert len(await prosa.summarize_conversation(HI, provider="openai", model="gpt-4o", max_tokens=10)) == 80


async def test_a_model_that_writes_nothing(upstream: Upstream) -> None:
    await upstream.openai(answered({"content": "  "}))
    with pytest.raises(ContentRefused):
        await prosa.summarize_conversation(HI, provider="openai", model="gpt-4o")


@pytest.mark.parametrize(
    ("messages", "options"),
    [
        ([], {}),
        ([{"role": "system", "content": "Be brief."}], {}),
        ([{"role": "nobody", "content": "x"}], {}),
        (HI, {"max_tokens": 0}),
    ],
)
async def test_what_is_refused(upstream: Upstream, messages: Any, options: dict[str, Any]) -> None:
    there = await upstream.openai()
    with pytest.raises(InvalidRequest):
        await prosa.summarize_conversation(messages, provider="openai", model="gpt-4o", **options)
    assert there.seen == []

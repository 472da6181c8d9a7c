"""Programs that ask models directly are guarded by the same tables."""

from pathlib import Path

import pytest
from tests.unit.direct.conftest import Upstream
from tests.unit.direct.plays import answered, streamed, told

import prosa
from prosa.domain.moderation import AnswerBlocked, ContentBlocked

TABLES = """
[masking.default]
restore = true
[moderation.house]
words = ["bomba"]
"""


@pytest.fixture
def _tables(tmp_path: Path, upstream: Upstream) -> None:
    del upstream  # it is in its folder already
    (tmp_path / "prosa.toml").write_text(TABLES)


@pytest.mark.usefixtures("_tables")
async def test_a_provider(upstream: Upstream) -> None:
    there = await upstream.openai(
        answered({"content": "Dear [EMAIL_1]."}), streamed("Dear [EM", "AIL_1]."), streamed("Uma b", "omba.")
    )
    async with prosa.create_provider("openai", model="m") as provider:
        assert await provider.generate_response("I am ana@x.io") == "Dear ana@x.io."
        asked = [{"role": "user", "content": "I am ana@x.io"}]
        assert "".join([piece async for piece in provider.handle_stream(asked)]) == "Dear ana@x.io."
        with pytest.raises(AnswerBlocked):
            assert [piece async for piece in provider.handle_stream(asked)] == []
        assert len(there.seen) == 3
        with pytest.raises(ContentBlocked):
            await provider.generate_response("Bomba!")
        with pytest.raises(ContentBlocked):
            await provider.embed_text("Bomba!")
    assert len(there.seen) == 3
    assert not [seen for seen in there.seen if "ana@x.io" in str(seen.body)]


@pytest.mark.usefixtures("_tables")
async def test_vectors(upstream: Upstream) -> None:
    there = await upstream.openai(told({"data": [{"embedding": [1.0, 0.0], "index": 0}]}))
    async with prosa.create_provider("openai", model="m") as provider:
        await provider.embed_text("I am ana@x.io")
    assert there.seen[0].body["input"] in ("I am [EMAIL_1]", ["I am [EMAIL_1]"])


@pytest.mark.usefixtures("_tables")
async def test_functions(upstream: Upstream) -> None:
    there = await upstream.openai(answered({"content": "They spoke of [EMAIL_1]."}))
    messages = [{"role": "user", "content": "I am ana@x.io"}, {"role": "assistant", "content": "Hi."}]
    assert (
        await prosa.summarize_conversation(messages, provider="openai", model="m")
        == "They spoke of ana@x.io."
    )
    assert "ana@x.io" not in str(there.seen[0].body)

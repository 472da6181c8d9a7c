"""A provider that breaks in mid-answer: the next target begins anew, nothing is said twice, each attempt is billed."""

from pathlib import Path
from typing import Any

import pytest
from tests.engine.conftest import Serve
from tests.provider import Provider

ROUTES = """
[routes.default]
targets = ["openai/words-5x1-{fault}", "openai/words-8x1"]
[providers.openai]
retries = 1
"""


def contents(events: list[dict[str, Any]]) -> str:
    """The answer as a reader has it that forgets what it is told to forget."""
    text = ""
    for event in events:
        text = "" if event.get("type") == "reset" else text + event.get("content", "")
    return text


@pytest.mark.hostile(57)
@pytest.mark.parametrize("fault", ["reset", "undone", "garbled"])
async def test_the_next_target_begins_anew(
    serve: Serve, provider: Provider, tmp_path: Path, fault: str
) -> None:
    (tmp_path / "prosa.toml").write_text(ROUTES.format(fault=fault))
    process, client = await serve()
    made = await client.post("/api/conversations", {})
    stream = await client.send(made["id"], "Hello", accepts=["reset"])
    done = await stream.end()
    assert [event["type"] for event in stream.events if "type" in event] == ["start", "reset", "done"]
    whole = "".join(f"w{place} " for place in range(8))
    assert contents(stream.events) == whole
    message = await client.message(made["id"], done["messageId"])
    assert (message["content"], message["model"], message["status"]) == (whole, "words-8x1", "completed")
    assert len(provider.of(f"words-5x1-{fault}")) == len(provider.of("words-8x1")) == 1
    rows = process.rows("SELECT attempt, model, route, completion_tokens, estimated FROM ai_usage ORDER BY 1")
    assert [row[:3] for row in rows] == [(1, f"words-5x1-{fault}", "default"), (2, "words-8x1", "default")]
    assert rows[0][3] > 0, "what the first one said is billed, too"
    assert rows[1][3:] == (8, 0)
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    assert done["usage"]["completionTokens"] == rows[0][3] + 8


async def test_without_another_target_the_part_stays(
    serve: Serve, provider: Provider, tmp_path: Path
) -> None:
    process, client = await serve()
    stream = await client.send(await client.conversation("words-5x1-reset"))
    assert (await stream.end())["code"] == "broken_stream"
    assert stream.text == "".join(f"w{place} " for place in range(5))
    assert len(provider.calls) == 1, "never again after the first output"
    assert process.rows("SELECT count(*) FROM ai_usage") == [(1,)]


async def test_a_target_that_refuses_is_passed_over(serve: Serve, provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "prosa.toml").write_text(
        '[routes.default]\ntargets = ["openai/status-500", "openai/words-3x1"]\n[providers.openai]\nretries = 1\n'
    )
    process, client = await serve()
    made = await client.post("/api/conversations", {})
    stream = await client.send(made["id"], "Hello")
    assert (await stream.end())["type"] == "done"
    assert stream.text == "w0 w1 w2 "
    assert [len(provider.of(model)) for model in ("status-500", "words-3x1")] == [2, 1]
    assert process.rows("SELECT attempt, total_tokens FROM ai_usage ORDER BY 1") == [(1, 0), (2, 0), (3, 15)]

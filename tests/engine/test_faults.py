"""Providers that misbehave: each run ends, keeps what it had, and takes no memory."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.engine.conftest import Serve
from tests.processes import Client
from tests.provider import FLOOD, Provider
from tests.unit.services.house import House, end_of, text_of

from prosa.adapters.models.http import Timeouts
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.domain.conversations import MessageStatus
from prosa.domain.runs import RunStatus

pytestmark = pytest.mark.slow

FAULTS = {
    "status-429": "rate_limited",
    "status-500": "provider_error",
    "status-401": "provider_bad_key",
    "words-5x5-reset": "broken_stream",
    "words-0x0-reset": "broken_stream",
    "words-5x5-undone": "broken_stream",
    "words-5x5-broken": "broken_stream",
    "words-5x5-garbled": "broken_stream",
    "words-5x5-flood": "broken_stream",
}
RETRIED = {"status-429", "status-500", "words-0x0-reset"}
"""What may pass by itself, and came before any output."""
LASTING = ["words-5x5-silent", "words-5x5-endless", "deaf"]


@pytest.mark.hostile(32)
@pytest.mark.hostile(57)
async def test_every_fault_ends_its_run_with_what_it_had(serve: Serve, provider: Provider) -> None:
    process, client = await serve()
    before = process.memory()
    await asyncio.gather(*(_failed(client, model, code) for model, code in FAULTS.items()))
    await asyncio.gather(*(_stopped(client, provider, model) for model in LASTING))
    assert process.memory() - before < FLOOD / 4
    asked = {model: len(provider.of(model)) for model in (*FAULTS, *LASTING)}
    assert asked == {model: 3 if model in RETRIED else 1 for model in asked}
    entries = (sum(asked.values()), len(asked))
    assert process.rows("SELECT count(*), count(DISTINCT run_id) FROM ai_usage") == [entries]
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    stream = await client.send(await client.conversation("words-5x0"))
    assert (await stream.end())["status"] == "completed"


async def _failed(client: Client, model: str, code: str) -> None:
    conversation = await client.conversation(model)
    stream = await client.send(conversation)
    end = await stream.end()
    assert (end["type"], end["code"]) == ("error", code), model
    run = await client.run(stream.start["runId"])
    assert (run["status"], run["error"]["code"]) == ("failed", code), model
    message = await client.message(conversation, stream.start["messageId"])
    assert (message["content"], message["status"]) == (stream.text, "incomplete"), model
    assert stream.text.startswith("w0 w1 w2 w3 w4 " if model.startswith("words-5") else ""), model


async def _stopped(client: Client, provider: Provider, model: str) -> None:
    """What never ends by itself can still be stopped."""
    conversation = await client.conversation(model)
    stream = await client.send(conversation)
    await stream.words(5 if model.startswith("words") else 0)
    call = await provider.called(model)
    await client.stop(stream.start["runId"])
    assert (await stream.end())["status"] == "cancelled", model
    await asyncio.wait_for(call.left.wait(), 1)
    message = await client.message(conversation, stream.start["messageId"])
    assert (message["content"], message["status"]) == (stream.text, "incomplete"), model


@pytest.mark.hostile(57)
async def test_nobody_listens(serve: Serve) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        _, client = await serve(OPENAI_BASE_URL=f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
        await _failed(client, "whoever", "unreachable")


@pytest.mark.hostile(57)
@pytest.mark.parametrize(
    ("model", "text"), [("deaf", ""), ("words-3x0-silent", "w0 w1 w2 "), ("words-3x0-endless", "w0 w1 w2 ")]
)
async def test_time_runs_out(tmp_path: Path, provider: Provider, model: str, text: str) -> None:
    timeouts = Timeouts(connect=1, first=0.3, silence=0.3, eventless=0.3)
    real = OpenAIModel(api_key="x", base_url=provider.base, timeouts=timeouts)
    async with House(tmp_path, model=model, provider="openai", instead=real) as house:
        run, events = await house.turn()
        assert end_of(events).code == "timeout"
        assert run.status is RunStatus.FAILED
        answer = await house.answer(run)
        assert (answer.content, answer.status) == (text, MessageStatus.INCOMPLETE)
        assert text_of(events) == text
        house.at_rest(1)


FAST = """
[providers.openai]
retries = 2
patience = 10
[providers.openai.timeouts]
first = 0.3
silence = 0.3
"""


@pytest.mark.hostile(57)
@pytest.mark.parametrize(
    ("model", "code", "asked"),
    [
        ("status-400", "provider_bad_request", 1), ("status-401", "provider_bad_key", 1),
        ("status-404", "provider_error", 1), ("status-413", "context_too_long", 1),
        ("status-429", "rate_limited", 3), ("status-500", "provider_error", 3), ("status-529", "overloaded", 3),
        ("deaf", "timeout", 3), ("words-4x0-reset", "broken_stream", 1), ("words-4x0-undone", "broken_stream", 1),
        ("words-4x0-garbled", "broken_stream", 1), ("words-4x0-flood", "broken_stream", 1),
        ("words-4x0-silent", "timeout", 1), ("words-4x0", None, 1),
    ],
)  # fmt: skip
async def test_one_bill_an_attempt(
    serve: Serve, provider: Provider, tmp_path: Path, model: str, code: str | None, asked: int
) -> None:
    """Through the whole stack: retried only before the first output, each ask in the ledger once."""
    (tmp_path / "prosa.toml").write_text(FAST)
    process, client = await serve()
    stream = await client.send(await client.conversation(model))
    end = await stream.end()
    assert end.get("code") == code
    assert len(provider.calls) == asked
    rows = process.rows("SELECT attempt, completion_tokens > 0 FROM ai_usage ORDER BY attempt")
    assert rows == [(number, int(number == asked and bool(stream.text))) for number in range(1, asked + 1)]
    assert process.rows("SELECT count(*) FROM reservations") == [(0,)]
    assert process.memory() < 250_000_000

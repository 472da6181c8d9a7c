"""The whole stack of policies over real HTTP: every fault ends in a clear error or a good answer, the provider
is asked as often as it should be and no more, and nothing piles up."""

import asyncio
import json
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import cycle
from typing import Any, Literal

import pytest
from tests.unit.adapters.models.loopback import CUT, Loopback, Play, Step
from tests.unit.services.models.scripts import ASK, STOP, Heard, hear

from prosa.adapters.models.http import IN_GENERAL, Timeouts
from prosa.adapters.models.openai.client import OpenAIModel
from prosa.domain.assembly import Assembly
from prosa.domain.content import ToolCall
from prosa.domain.models import Asked, Queued, Reset, TextDelta
from prosa.kit.backoff import Backoff
from prosa.ports.models import ChatModel
from prosa.services.models.failover import Failover
from prosa.services.models.handling import Handling
from prosa.services.models.keyring import Key, KeyRing
from prosa.services.models.line import Line
from prosa.services.models.policy import Policy
from prosa.services.models.queued import Queued as QueuedModel
from prosa.services.models.stack import stack

pytestmark = pytest.mark.slow

SOON = Timeouts(connect=1, first=0.25, silence=0.25, eventless=0.25)
HANDLED = Handling(first=5, silence=5, retries=2, patience=3, failures=50)
TRIES = 3
QUICK = Backoff(base=0.01, longest=0.02)


class Never(asyncio.Event):
    """Does not happen, in whichever loop it is waited for."""

    async def wait(self) -> Literal[True]:
        await asyncio.get_running_loop().create_future()
        return True


NEVER = Never()
GO_ON = asyncio.Event()
GO_ON.set()
"""To wait for it gives the others their turn."""
MEGABYTE = 1024 * 1024
FLOOD = 200
PIECES = 100_000


def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return b"data: %b\n\n" % json.dumps({"choices": [choice]}).encode()


ONE = chunk({"content": "one "})
END = chunk({}, "stop") + b"data: [DONE]\n\n"
GOOD = Play((ONE + chunk({"content": "two"}) + END,))
CUT_SHORT = b'data: {"choices": [{"index": 0, "del'


def plays(*steps: Step, status: int = 200, headers: dict[str, str] | None = None) -> Play:
    return Play(tuple(steps), status, headers or {})


def stacked(
    *bases: str, handling: Handling = HANDLED, timeouts: Timeouts = SOON, provider: str = "openai"
) -> Policy:
    """A stack with a key for each of `bases`."""
    keys = [
        Key(f"key{place}", OpenAIModel(api_key=f"sk-{place}", base_url=f"{base}/v1", timeouts=timeouts))
        for place, base in enumerate(bases)
    ]
    return stack(KeyRing(provider, keys), handling, backoff=QUICK)


@asynccontextmanager
async def upstream(*responses: Play, **options: Any) -> AsyncIterator[tuple[Loopback, Policy]]:
    async with Loopback(*responses).listening() as server:
        model = stacked(server.base, **options)
        try:
            yield server, model
        finally:
            await model.close()


def check(heard: Heard, server: Loopback, code: str | None, text: str, calls: int) -> None:
    assert (heard.code, heard.text, len(server.seen)) == (code, text, calls)
    assert len(heard.all(Asked)) == calls, "one attempt for each call"
    assert heard.events.count(STOP) == (code is None)


async def nobody_left(server: Loopback) -> None:
    """All connections are closed, though nobody has answered."""
    _, open_ones = await asyncio.wait(server._tasks, timeout=1)
    assert not open_ones


def line_of(model: ChatModel) -> Line:
    while not isinstance(model, QueuedModel):
        assert isinstance(model, Policy)
        model = model._inner
    return model._line


BEFORE = {
    "reset": (plays(CUT), "broken_stream"),
    "cut in mid-event": (plays(CUT_SHORT, CUT), "broken_stream"),
    "ended in mid-event": (plays(CUT_SHORT), "broken_stream"),
    "garbage": (plays(b'data: {"choices": [{"ind\n\n'), "broken_stream"),
    "no UTF-8": (plays(b"\xff\xfe\x00data: \xc3\x28\n\n"), "broken_stream"),
    "nothing at all": (plays(), "broken_stream"),
    "500": (plays(b"{}", status=500), "provider_error"),
    "502": (plays(b"<html>", status=502), "provider_error"),
    "503": (plays(status=503), "overloaded"),
    "529": (plays(b"{}", status=529), "overloaded"),
    "429": (plays(b"{}", status=429), "rate_limited"),
    "hang": (plays(NEVER), "timeout"),
    "hang in mid-event": (plays(CUT_SHORT, NEVER), "timeout"),
}


@pytest.mark.hostile(57)
@pytest.mark.parametrize(("fault", "code"), BEFORE.values(), ids=BEFORE)
async def test_before_the_first_token_it_is_tried_again(fault: Play, code: str) -> None:
    async with upstream(fault) as (server, model):
        check(await hear(model), server, code, "", TRIES)
    async with upstream(fault, GOOD) as (server, model):
        check(await hear(model), server, None, "one two", 2)


AFTER = {
    "reset": (plays(ONE, CUT), "broken_stream"),
    "cut in mid-event": (plays(ONE + CUT_SHORT, CUT), "broken_stream"),
    "garbage": (plays(ONE, b'data: {"choices": [{"ind\n\n'), "broken_stream"),
    "no end": (plays(ONE), "broken_stream"),
    "hang": (plays(ONE, NEVER), "timeout"),
    "an error": (
        plays(ONE, b'data: {"error": {"message": "x", "type": "server_error"}}\n\n'),
        "provider_error",
    ),
}


@pytest.mark.hostile(57)
@pytest.mark.parametrize(("fault", "code"), AFTER.values(), ids=AFTER)
async def test_after_the_first_token_it_is_not(fault: Play, code: str) -> None:
    async with upstream(fault, GOOD) as (server, model):
        check(await hear(model), server, code, "one ", 1)


@pytest.mark.hostile(57)
@pytest.mark.parametrize(("fault", "code"), AFTER.values(), ids=AFTER)
async def test_after_the_first_token_another_target_begins_anew(fault: Play, code: str) -> None:
    async with upstream(fault) as (broken, model), upstream(GOOD) as (whole, other):
        heard = await hear(Failover([(model, "m"), (other, "n")]))
        assert [type(event) for event in heard.events][:4] == [Asked, TextDelta, Asked, Reset]
        assert heard.events[2] == Asked("openai", "n", "key0", code)
        assert (heard.error, heard.events[-1]) == (None, STOP)
        assert heard.text == "one one two"
        assert (len(broken.seen), len(whole.seen)) == (1, 1)
        assert [seen.body["model"] for seen in (*broken.seen, *whole.seen)] == ["m", "n"]
        assert heard.all(Reset) == [Reset(code)]


@pytest.mark.hostile(57)
@pytest.mark.parametrize(
    ("status", "code"), [(400, "provider_bad_request"), (401, "provider_bad_key"), (402, "quota_exhausted")]
)
async def test_what_stays_wrong_is_not_tried_again(status: int, code: str) -> None:
    async with upstream(plays(b"{}", status=status), GOOD) as (server, model):
        check(await hear(model), server, code, "", 1)


@pytest.mark.hostile(57)
async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        model = stacked(f"http://127.0.0.1:{unused.getsockname()[1]}")
        heard = await hear(model)
        assert (heard.code, len(heard.all(Asked))) == ("unreachable", TRIES)
        async with upstream(GOOD) as (server, other):
            heard = await hear(Failover([(model, "m"), (other, "m")]))
            assert (heard.text, heard.all(Reset), len(server.seen)) == ("one two", [], 1)
        await model.close()


def in_two_seconds() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)


@pytest.mark.alone
@pytest.mark.hostile(57)
@pytest.mark.parametrize(
    ("headers", "least"),
    [
        ({"retry-after": "0.3"}, 0.3),
        ({"retry-after": "1"}, 1.0),
        ({"retry-after-ms": "350"}, 0.35),
        ({"retry-after": "date"}, 0.9),
        ({}, 0.0),
    ],
)
async def test_a_limit_is_waited_for_however_it_is_told(headers: dict[str, str], least: float) -> None:
    told = {name: in_two_seconds() if value == "date" else value for name, value in headers.items()}
    async with upstream(plays(b"{}", status=429, headers=told), GOOD) as (server, model):
        began = time.monotonic()
        check(await hear(model), server, None, "one two", 2)
        assert least <= time.monotonic() - began < least + 1.5


@pytest.mark.alone
@pytest.mark.hostile(57)
async def test_a_limit_beyond_patience_goes_up_at_once() -> None:
    limited = plays(b"{}", status=429, headers={"retry-after": "3600"})
    async with upstream(limited) as (server, model), upstream(GOOD) as (backup, other):
        began = time.monotonic()
        heard = await hear(model)
        check(heard, server, "rate_limited", "", 1)
        assert heard.error is not None
        assert 3590 < heard.error.details["retry_after"] <= 3600
        assert (await hear(Failover([(model, "m"), (other, "m")]))).text == "one two"
        assert time.monotonic() - began < 1
        assert (len(server.seen), len(backup.seen)) == (2, 1)


async def test_a_limited_provider_is_left_alone_by_all() -> None:
    limited = plays(b"{}", status=429, headers={"retry-after": "0.4"})
    async with upstream(limited, *[GOOD] * 4) as (server, model):
        first = asyncio.create_task(hear(model))
        while not line_of(model).closed_for():  # noqa: ASYNC110 - the line tells nobody when it closes
            await asyncio.sleep(0.01)
        others = await asyncio.gather(*(hear(model) for _ in range(3)))
        assert [heard.text for heard in (await first, *others)] == ["one two"] * 4
        assert [heard.all(Queued)[0] for heard in others] == [Queued(place) for place in (1, 2, 3)]
        assert len(server.seen) == 5


@pytest.mark.hostile(57)
async def test_the_next_key_answers_where_one_is_refused() -> None:
    async with (
        Loopback(plays(b"{}", status=401)).listening() as refusing,
        Loopback(GOOD).listening() as answering,
    ):
        model = stacked(refusing.base, answering.base)
        for _ in range(3):
            heard = await hear(model)
            assert heard.text == "one two"
        assert (len(refusing.seen), len(answering.seen)) == (1, 3)
        assert [event.key for event in heard.all(Asked) if isinstance(event, Asked)] == ["key1"]
        await model.close()


@pytest.mark.hostile(57)
async def test_a_dead_provider_is_left_alone() -> None:
    handling = Handling(retries=2, patience=3, failures=4, cooldown=0.5)
    async with upstream(*[plays(b"{}", status=500)] * 4, GOOD, handling=handling) as (server, model):
        assert [(await hear(model)).code for _ in range(4)] == ["provider_error"] + ["provider_suspended"] * 3
        assert len(server.seen) == 4
        await asyncio.sleep(0.5)
        assert (await hear(model)).text == "one two"


@pytest.mark.alone
@pytest.mark.hostile(57)
@pytest.mark.parametrize("lead", [b"", ONE])
async def test_a_policy_keeps_the_time_where_an_adapter_does_not(lead: bytes) -> None:
    handling = Handling(first=0.2, silence=0.2, retries=0)
    async with upstream(plays(lead, NEVER), timeouts=IN_GENERAL, handling=handling) as (server, model):
        began = time.monotonic()
        check(await hear(model), server, "timeout", "one " if lead else "", 1)
        assert 0.2 <= time.monotonic() - began < 1.2
        await nobody_left(server)


@pytest.mark.hostile(32)
@pytest.mark.parametrize("lead", [b"", ONE])
async def test_pings_without_end(lead: bytes) -> None:
    handling = Handling(first=0.3, silence=0.3, retries=1, patience=9)
    pings: Iterable[Step] = cycle([b": ping\n\n" * 50, GO_ON])
    async with upstream(Play(Chain(lead, pings)), handling=handling, timeouts=IN_GENERAL) as (server, model):  # type: ignore[arg-type]
        check(await hear(model), server, "timeout", "one " if lead else "", 1 if lead else 2)
        await nobody_left(server)


class Chain:
    """Steps that can be played again and again, and need not end."""

    def __init__(self, lead: bytes, steps: Iterable[Step]) -> None:
        self._lead = lead
        self._steps = steps

    def __iter__(self) -> Iterator[Step]:
        yield self._lead
        yield from self._steps


@pytest.mark.hostile(32)
@pytest.mark.parametrize("lead", [b"", ONE])
async def test_a_line_of_200_megabytes(lead: bytes) -> None:
    block = b"a" * MEGABYTE
    async with upstream(plays(lead, *[block] * FLOOD)) as (server, model):
        tracemalloc.start()
        heard = await hear(model)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        check(heard, server, "broken_stream", "one " if lead else "", 1 if lead else TRIES)
        assert peak < 40 * MEGABYTE


@pytest.mark.hostile(32)
async def test_arguments_in_a_hundred_thousand_pieces() -> None:
    begin = {"index": 0, "id": "call_1", "function": {"name": "add", "arguments": ""}}
    piece = chunk({"tool_calls": [{"index": 0, "function": {"arguments": "12345,"}}]})
    steps = [chunk({"tool_calls": [begin]}), *[piece * 100] * (PIECES // 100), END]
    async with upstream(plays(*steps)) as (server, model):
        assembly = Assembly()
        number = 0
        tracemalloc.start()
        async with aclosing(model.stream(ASK)) as stream:
            async for event in stream:
                assembly.add(event)
                number += 1
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        (call,) = assembly.parts
        assert isinstance(call, ToolCall)
        assert (call.name, call.arguments) == ("add", "12345," * PIECES)
        assert number > 100
        assert len(server.seen) == 1
        assert peak < 20 * MEGABYTE


async def test_a_reader_who_leaves_frees_the_place_and_the_connection() -> None:
    handling = Handling(concurrency=1)
    async with upstream(plays(ONE, NEVER), GOOD, handling=handling) as (server, model):
        async with aclosing(model.stream(ASK)) as stream:
            async for event in stream:
                if event == TextDelta("one "):
                    break
        await asyncio.wait_for(server.gone.wait(), 1)
        assert (await hear(model)).text == "one two"

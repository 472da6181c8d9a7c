"""How a run's lines become writes: as few as can be, for a write costs more than what is in it."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from types import FrameType
from typing import Any

import pytest

from prosa.services.runs.live import Live
from prosa.services.runs.readers import RunReader, Whereabouts
from prosa.transport.sse import NUMBERED, PACED, WHOLE, Form, Writing, stream_form

TOKENS = 200
CALLS = 18
"""Python functions that are called, or gone on with, for one token of an answer, from where it is written to
where it is sent: each of them counts."""


class Lines:
    """A reader that gives one batch after another."""

    cursor = 0

    def __init__(self, *batches: Sequence[bytes]) -> None:
        self._batches = list(batches)

    @property
    def ended(self) -> bool:
        return not self._batches

    async def read(self) -> Sequence[bytes]:
        return self._batches.pop(0)

    def wake(self) -> None:
        raise AssertionError


async def written(form: Form, *batches: Sequence[bytes], first: Sequence[bytes] = ()) -> list[Any]:
    """The messages of a stream but for its head."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    await Writing(Lines(*batches), receive, send).run(form, first)
    assert sent[0]["type"] == "http.response.start"
    return sent[1:]


@pytest.mark.parametrize("form", [PACED, NUMBERED, WHOLE, stream_form(PACED, (), "en")])
async def test_the_stream_ends_with_the_write_of_its_last_lines(form: Form) -> None:
    sent = await written(form, [b'{"seq":1}'], [b'{"seq":2}', b'{"type":"done","seq":3}'])

    assert len(sent) == 2
    assert [message["more_body"] for message in sent] == [True, False]
    assert sent[-1]["body"].endswith(b'data: {"type":"done","seq":3}\n\n')


async def test_of_lines_that_take_several_writes_only_the_last_one_ends_the_stream() -> None:
    long = [b'{"content":"%b","seq":%d}' % (b"x" * 900, seq) for seq in range(1, 6)]

    sent = await written(PACED, long)

    assert [message["more_body"] for message in sent] == [True, True, False]
    assert b"".join(message["body"] for message in sent) == b"".join(b"data: %b\n\n" % line for line in long)


async def test_after_a_reset_nothing_is_written_but_the_error_and_the_end() -> None:
    form = stream_form(PACED, (), "en")

    sent = await written(form, [b'{"seq":1}'], [b'{"type":"reset","reason":"x","seq":2}'], [b'{"seq":3}'])

    bodies = b"".join(message.get("body", b"") for message in sent)
    assert b"restarted" in bodies
    assert b'{"seq":3}' not in bodies
    assert not sent[-1].get("more_body", False)


class Named:
    """All that is asked of a run here."""

    id = "run"


async def test_a_token_costs_few_calls_on_its_way_to_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prosa.transport.sse.PACE", 0)
    monkeypatch.setattr("prosa.transport.sse.SLOW_PACE", 0)
    live, calls, written = Live(Named()), Counter[str](), asyncio.Event()
    reader = RunReader(live.run.id, 0, None, Whereabouts(), live)

    async def send(_: Any) -> None:
        written.set()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "/prosa/" in frame.f_code.co_filename:
            calls[frame.f_code.co_qualname] += 1

    stream = asyncio.create_task(
        Writing(reader, asyncio.Event().wait, send).run(stream_form(PACED, (), "en"))
    )
    await written.wait()
    sys.setprofile(count)
    try:
        for place in range(TOKENS):
            written.clear()
            live.write(f"w{place} ")
            await written.wait()
    finally:
        sys.setprofile(None)
    live.end(b"{}")
    await stream
    assert calls.total() <= CALLS * TOKENS, calls.most_common(20)

"""The ticket client of `@prosa/core`, in a browser against this server, over a line that is cut again and again."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page
from tests.browser import chromium, empty_page, needs_chromium
from tests.bundle import bundled, needs_workspace
from tests.wire.house import SECRET, House, furnished

from prosa.domain.errors import NotAuthenticated

pytestmark = [pytest.mark.browser, needs_chromium, needs_workspace]

CUTS = 100
SILENCE = 0.2
"""Seconds after which a line is cut that has told all there is so far."""
READ = """
    import { Client, ticketFrames } from '@prosa/core';

    window.read = async (baseUrl, ticketId, request, token) => {
      const client = new Client({ baseUrl, token });
      const wait = () => new Promise(resolve => setTimeout(resolve, 1));
      const options = { signal: new AbortController().signal, wait };
      const told = { text: '', runs: [], end: null };
      for await (const frame of ticketFrames(client, ticketId, request, options)) {
        if (frame.type === 'stream') told.text += frame.content;
        else if (frame.type === 'reset') told.text = '';
        else if (frame.type === 'cached') told.text = frame.response;
        else told.end = frame;
        if (frame.runId && !told.runs.includes(frame.runId)) told.runs.push(frame.runId);
      }
      return told;
    };
"""


class Cutter:
    """A line to the house that breaks 100 times, after as many bytes as chance has it. The model goes on with
    each cut: `gates` are what it waits for."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.left = CUTS
        self.gates = [asyncio.Event() for _ in range(CUTS)]
        self.url = ""
        self._chance = random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Cutter"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def script(self, words: list[str]) -> list[Any]:
        """The words, a few after each cut."""
        share = len(words) // CUTS
        return [
            step
            for number, gate in enumerate(self.gates)
            for step in (*words[number * share : (number + 1) * share], gate)
        ]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.house.base_url.removeprefix("http://").partition(":")
        there, back = await asyncio.open_connection(host, int(port))
        up = asyncio.create_task(_pump(reader, back, None))
        try:
            if self.left > 0:
                # Some lines break in the handshake, or before the first frame; most in the frames.
                await _pump(there, writer, self._chance.randrange(300, 850))
                self.gates[CUTS - self.left].set()
                self.left -= 1
            else:
                await _pump(there, writer, None)
        finally:
            up.cancel()
            writer.transport.abort()
            back.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, most: int | None) -> None:
    """Carries bytes until the end; or until `most` have gone over, or nothing more comes."""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while True:
            async with asyncio.timeout(None if most is None else SILENCE):
                data = await source.read(4096)
            piece = data if most is None else data[:most]
            sink.write(piece)
            await sink.drain()
            if not data or (most is not None and (most := most - len(piece)) <= 0):
                return


@pytest.fixture
async def page(listening: House, tmp_path: Path) -> AsyncIterator[Page]:
    script = await bundled(tmp_path, main_tsx=READ)
    async with chromium() as browser, empty_page() as address:
        page = await browser.new_page()
        await page.goto(address)
        await page.evaluate(script)
        yield page


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_line_that_is_cut_100_times_loses_nothing_and_repeats_nothing(
    listening: House, page: Page, seed: int
) -> None:
    words = [f"palavra-{number} é 👍🏽 " for number in range(1000)]
    async with Cutter(listening, seed).listening() as cutter:
        listening.script = cutter.script(words)
        told = await page.evaluate(
            "([url, id]) => read(url, id, { ticketBody: 'Está quebrado.' })", [cutter.url, f"a/{seed}"]
        )
    assert cutter.left == 0
    assert told["text"] == "".join(words)
    assert told["end"]["type"] == "done"
    assert len(told["runs"]) == 1
    assert len(listening.calls) == 1


async def test_a_ticket_that_is_asked_anew_over_such_a_line_is_asked_once(
    listening: House, page: Page
) -> None:
    words = [f"palavra-{number} " for number in range(1200)]
    listening.script = ["Primeiro."]
    ask = "([url, refresh]) => read(url, 'x', { ticketBody: 'Está quebrado.', refresh })"
    first = await page.evaluate(ask, [listening.base_url + "/", False])
    assert first["text"] == "Primeiro."
    async with Cutter(listening, 3).listening() as cutter:
        listening.script = cutter.script(words)
        anew = await page.evaluate(ask, [cutter.url, True])
    assert anew["text"] == "".join(words)
    assert len(listening.calls) == 2
    again = await page.evaluate(ask, [listening.base_url + "/", False])
    assert again["text"] == "".join(words)
    assert len(listening.calls) == 2


async def test_the_token_goes_as_a_subprotocol(tmp_path: Path) -> None:
    script = await bundled(tmp_path, main_tsx=READ)
    ask = (
        "([url, token]) => read(url, 'x', { ticketBody: 'Está quebrado.' }, token).catch(error => error.code)"
    )
    async with empty_page() as address, chromium() as browser:
        allowed = {"jwt_secret": SECRET, "allowed_origins": address.rstrip("/")}
        async with furnished(tmp_path, **allowed) as house, house.listening() as url:
            house.script = ["Só para a Ana."]
            page = await browser.new_page()
            await page.goto(address)
            await page.evaluate(script)
            told = await page.evaluate(ask, [url + "/", house.token("ana")])
            assert told["text"] == "Só para a Ana."
            assert await page.evaluate(ask, [url + "/", "x.y.z"]) == NotAuthenticated.code
            assert len(house.calls) == 1

"""Seed 004's component, taken from the document and unchanged, in a browser against this server.

It connects to `ws://localhost:5000`: that is where the server listens here, or else where the browser believes it to.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Page, expect
from tests.browser import chromium, empty_page, needs_chromium
from tests.bundle import bundled, needs_workspace
from tests.shared import needs_seeds, seed
from tests.wire.house import House

from prosa.domain.errors import ProsaError, ProviderOverloaded

pytestmark = [pytest.mark.browser, needs_seeds, needs_chromium, needs_workspace]

PORT = 5000
SHOWN = """
    import { createRoot } from 'react-dom/client';
    import { TicketAIChat } from './component.tsx';

    const root = createRoot(document.getElementById('root'));
    window.show = (ticketId, ticketBody) =>
      root.render(<TicketAIChat ticketId={ticketId} ticketBody={ticketBody} />);
    window.leave = () => root.render(null);
"""
ANSWER = ["Olá! ", "Desligue a impressora, ", "e ligue-a de novo: coração 👩‍👩‍👧‍👦 ", "\n\n**Pronto.**"]
WHOLE = "".join(ANSWER)


def component() -> str:
    """The code between the fences."""
    (found,) = re.findall(r"```typescript\n(import .*?)```", seed("004"), re.DOTALL)
    return str(found)


@contextlib.asynccontextmanager
async def at_its_address(house: House) -> AsyncIterator[list[str]]:
    """The house listens on the seed's port; what a browser must be told if that was taken."""
    async with contextlib.AsyncExitStack() as open_doors:
        try:
            await open_doors.enter_async_context(house.listening(PORT))
            arguments = []
        except (OSError, ProsaError):
            url = await open_doors.enter_async_context(house.listening())
            arguments = [f"--host-resolver-rules=MAP localhost:{PORT} {url.removeprefix('http://')}"]
        yield arguments


class Desk:
    """A page with the component in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.logged: list[str] = []
        page.on("console", self._console)

    async def show(self, ticket: int, body: str) -> None:
        await self.page.evaluate("([ticket, body]) => show(ticket, body)", [ticket, body])

    async def shows(self, text: str) -> None:
        await expect(self.page.locator(".ai-response p")).to_have_text(text, timeout=15_000)
        await expect(self.page.locator(".ai-response h3")).to_have_text("Resposta da IA:")

    async def is_done(self) -> None:
        await expect(self.page.locator(".loader")).to_have_count(0)

    def _console(self, message: ConsoleMessage) -> None:
        self.logged.append(message.text)


@pytest.fixture
async def desk(local: House, tmp_path: Path) -> AsyncIterator[Desk]:
    script = await bundled(tmp_path, main_tsx=SHOWN, component_tsx=component())
    async with at_its_address(local) as arguments, chromium(*arguments) as browser, empty_page() as address:
        page = await browser.new_page()
        await page.goto(address)
        await page.evaluate(script)
        yield Desk(page)


async def test_the_answer_comes_as_it_is_written_and_is_kept(local: House, desk: Desk) -> None:
    first, rest = asyncio.Event(), asyncio.Event()
    local.script = [first, ANSWER[0], rest, *ANSWER[1:]]
    await desk.show(123, "A impressora não imprime.")
    await expect(desk.page.locator(".ai-chat-container .loader")).to_have_text("Processando...")
    first.set()
    await desk.shows(ANSWER[0])
    await expect(desk.page.locator(".loader")).to_have_count(1)
    rest.set()
    await desk.shows(WHOLE)
    await desk.is_done()
    assert "Processamento concluído" in desk.logged

    await desk.page.evaluate("leave()")
    await desk.show(123, "Outra descrição.")
    await desk.shows(WHOLE)
    await desk.is_done()
    assert any("Resposta em cache" in line for line in desk.logged)
    assert len(local.calls) == 1


async def test_two_who_open_it_at_once_read_one_answer(local: House, desk: Desk) -> None:
    gate = asyncio.Event()
    local.script = [ANSWER[0], gate, *ANSWER[1:]]
    await desk.show(7, "Não consigo entrar.")
    await desk.shows(ANSWER[0])
    await desk.page.evaluate("leave()")
    await desk.show(7, "Não consigo entrar.")
    await desk.shows(ANSWER[0])
    gate.set()
    await desk.shows(WHOLE)
    await desk.is_done()
    assert len(local.calls) == 1


async def test_tickets_are_not_mixed_up(local: House, desk: Desk) -> None:
    for ticket in (1, 2, 3):
        local.script = [f"Do ticket {ticket}."]
        await desk.page.evaluate("leave()")
        await desk.show(ticket, f"Ticket {ticket}")
        await desk.shows(f"Do ticket {ticket}.")
    await desk.page.evaluate("leave()")
    await desk.show(2, "Ticket 2")
    await desk.shows("Do ticket 2.")
    assert len(local.calls) == 3


async def test_an_error_is_shown(local: House, desk: Desk) -> None:
    error = ProviderOverloaded("fake")
    local.script = [error]
    await desk.show(9, "Não funciona.")
    await expect(desk.page.locator(".error")).to_have_text(error.sentence("en"))
    await desk.is_done()
    local.script = ["Agora sim."]
    await desk.page.evaluate("leave()")
    await desk.show(9, "Não funciona.")
    await desk.shows("Agora sim.")

"""People at the ticket desk: they open tickets, read answers, ask anew and further, and forget an answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.e2e.audit import findings
from tests.e2e.conftest import Visit
from tests.wire.house import House, furnished

from prosa.domain.errors import ProviderOverloaded

CATALOGUE = """
    [models."fake/one"]
    name = "Number One"
    [models."fake/two"]
    name = "Number Two"
"""


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """As elsewhere, with two models to choose from."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(CATALOGUE)
    async with furnished(tmp_path) as house, house.listening():
        yield house


async def open_ticket(visit: Visit, ticket: str, body: str, model: str | None = None) -> None:
    await visit.page.get_by_role("button", name="New ticket").click()
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_label("Number or id").fill(ticket)
    await dialog.get_by_label("What was reported").fill(body)
    if model is not None:
        await dialog.get_by_label("Model").select_option(model)
    await dialog.get_by_role("button", name="Open and answer").click()
    await expect(visit.page.get_by_role("heading", name=f"Ticket {ticket}")).to_be_visible(timeout=15_000)


async def test_a_ticket_is_opened_answered_and_asked_further(visit: Visit) -> None:
    page, house = visit.page, visit.house
    gate = asyncio.Event()
    house.script = ["Turn it ", gate, "off."]
    await page.get_by_role("link", name="Tickets").click()
    await expect(page.get_by_text("No ticket has been opened yet.")).to_be_visible()
    await open_ticket(visit, "47/11 ü", "The printer prints only in blue.", "Number Two")
    await visit.sees("The printer prints only in blue.")
    await visit.sees("Turn it")
    await expect(page.locator(".app-status")).to_have_text("Being answered")
    gate.set()
    await visit.sees("Turn it off.")
    await expect(page.locator(".app-status")).to_have_text("Answered")
    assert house.calls[-1].request.model == "two"

    house.script = ["Then on again."]
    await visit.say("And then?")
    await visit.sees("Then on again.")
    await page.reload()
    await visit.sees("Turn it off.")
    await visit.sees("Then on again.")
    # A ticket's conversation is found by its ticket, not in the list.
    assert (await house.get("/api/conversations?archived=all")).json()["items"] == []
    await page.get_by_role("link", name="All tickets").click()
    row = page.get_by_role("link", name="47/11 ü")
    await expect(row).to_contain_text("Answered")
    await expect(row).to_contain_text("Turn it off.")


async def test_a_ticket_is_asked_anew_and_its_answer_is_forgotten(visit: Visit) -> None:
    page, house = visit.page, visit.house
    house.script = ["The first answer."]
    await visit.open("/#/tickets")
    await open_ticket(visit, "1", "It is broken.")
    await visit.sees("The first answer.")
    await page.get_by_role("button", name="Model: ").click()
    await page.get_by_role("option", name="Number Two").click()
    house.script = ["The second answer."]
    await page.get_by_role("button", name="Ask anew").click()
    await visit.sees("The second answer.")
    assert house.calls[-1].request.model == "two"
    await expect(page.get_by_text("The first answer.")).to_have_count(0)
    await page.get_by_role("button", name="Forget the answer").click()
    await expect(page.locator(".app-status")).to_have_text("Not answered")
    house.script = ["The third answer."]
    await page.get_by_role("button", name="Answer", exact=True).click()
    await visit.sees("The third answer.")
    await expect(page.locator(".app-status")).to_have_text("Answered")
    assert (await house.get("/api/tickets/1")).json()["answer"] == "The third answer."


async def test_a_ticket_that_cannot_be_answered_says_so_with_a_way_on(visit: Visit) -> None:
    page, house = visit.page, visit.house
    await visit.open("/#/tickets/nowhere")
    await expect(page.get_by_role("alert").first).to_be_visible()
    error = ProviderOverloaded("fake")
    house.script = [error]
    await visit.open("/#/tickets")
    await open_ticket(visit, "2", "It is broken.")
    await expect(page.locator(".app-status")).to_have_text("Failed")
    await expect(page.get_by_role("alert").first).to_contain_text(error.sentence("en"))
    house.script = ["Now it is not."]
    await page.get_by_role("button", name="Answer", exact=True).click()
    await visit.sees("Now it is not.")


async def test_tickets_by_their_status(visit: Visit) -> None:
    page, house = visit.page, visit.house
    house.script = ["So it is."]
    await visit.open("/#/tickets")
    for ticket in ("a", "b"):
        await open_ticket(visit, ticket, "It is broken.")
        await expect(page.locator(".app-status")).to_have_text("Answered")
        await page.get_by_role("link", name="All tickets").click()
    await house.call("DELETE", "/api/tickets/a/answer")
    await page.get_by_label("Status").select_option("Answered")
    rows = page.locator(".app-ticket-rows a strong")
    await expect(rows).to_have_text(["b"])
    await page.get_by_label("Status").select_option("Not answered")
    await expect(rows).to_have_text(["a"])
    await page.get_by_label("Status").select_option("Failed")
    await expect(page.get_by_text("No ticket has this status.")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, site: House, scheme: Any) -> None:
    site.script = ["Desligue a impressora."]
    context = await browser.new_context(locale="pt-BR", color_scheme=scheme, reduced_motion="reduce")
    visit = Visit(await context.new_page(), site)
    page = visit.page
    await visit.open("/#/tickets")
    await page.get_by_text("Nenhum ticket foi aberto ainda.").wait_for()
    assert await findings(page) == []
    await page.get_by_role("button", name="Novo ticket").click()
    assert await findings(page) == []
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("Número ou id").fill("1")
    await dialog.get_by_label("O que foi relatado").fill("Está quebrada.")
    await dialog.get_by_role("button", name="Abrir e responder").click()
    await visit.sees("Desligue a impressora.")
    await expect(page.locator(".app-status")).to_have_text("Respondido")
    assert await findings(page) == []
    await page.get_by_role("link", name="Todos os tickets").click()
    await page.locator(".app-ticket-rows a").wait_for()
    assert await findings(page) == []
    assert visit.complaints == []
    await context.close()

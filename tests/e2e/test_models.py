"""People at the page choose who answers, and see one answer where two providers spoke."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect
from tests.e2e.conftest import Visit
from tests.provider import Provider
from tests.wire.house import House, furnished

from prosa.domain.errors import ProviderKeyRefused

CATALOGUE = """
    [aliases]
    quick = "fake/two"
    [models."fake/one"]
    name = "Number One"
    prices = {input = 0.10, output = 0.4}
    [models."fake/two"]
    [models."fake/old"]
    shutdown_at = 2020-01-31
    successor = "two"
"""


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(CATALOGUE)
    async with furnished(tmp_path) as house, house.listening():
        yield house


async def test_a_model_is_chosen_by_keyboard_and_remembered(visit: Visit) -> None:
    page = visit.page
    await page.get_by_role("button", name="Model: ").focus()
    await page.keyboard.press("Enter")
    field = page.get_by_role("combobox", name="Find a model")
    await expect(field).to_be_focused()
    old = page.get_by_role("option", name="old")
    await expect(old).to_be_disabled()
    await expect(old).to_contain_text("Shut down on 31 Jan 2020. Use two instead.")
    await field.fill("old")
    await page.keyboard.press("Enter")
    await expect(field).to_be_visible()
    await field.fill("number")
    active = page.locator(f"id={await field.get_attribute('aria-activedescendant')}")
    await expect(active).to_contain_text("US$ 0.1 in, 0.4 out")
    await page.keyboard.press("Enter")
    await expect(field).to_have_count(0)
    await expect(page.get_by_role("button", name="Model: Number One")).to_be_focused()
    await visit.say("Who are you?")
    await visit.sees("Who are you?")
    await visit.page.get_by_role("button", name="Answer again").last.wait_for()
    assert visit.house.calls[-1].request.model == "one"
    await page.reload()
    await page.get_by_role("button", name="Model: Number One").click()
    await page.get_by_role("option", name="quick").click()
    await visit.say("And now?")
    await visit.sees("And now?")
    await visit.page.get_by_role("button", name="Answer again").last.wait_for()
    assert visit.house.calls[-1].request.model == "two"
    await page.reload()
    await page.get_by_role("button", name="Model: quick").wait_for()
    await page.get_by_role("link", name="New conversation").click()
    await expect(page.get_by_role("button", name="Model: quick")).to_have_count(0)


async def test_escape_leaves_the_list_and_not_the_answer(visit: Visit) -> None:
    await visit.page.get_by_role("button", name="Model: ").click()
    await visit.page.keyboard.press("Escape")
    await expect(visit.page.get_by_role("combobox")).to_have_count(0)
    await expect(visit.page.get_by_role("button", name="Model: ")).to_be_focused()


async def test_a_refusal_is_told_with_a_way_on(visit: Visit) -> None:
    error = ProviderKeyRefused("fake")
    visit.house.script = [error]
    await visit.say("Hello?")
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_contain_text(error.sentence("en"))
    await expect(alert.get_by_role("button", name="Try again")).to_have_count(0)
    await alert.get_by_role("button", name="Dismiss").click()
    visit.house.script = ["Here I am."]
    await visit.page.get_by_role("button", name="Model: ").click()
    await visit.page.get_by_role("option", name="Number One").click()
    await visit.page.get_by_role("button", name="Answer again").last.click()
    await visit.sees("Here I am.")


async def test_an_answer_that_breaks_off_is_taken_up_elsewhere(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with Provider().listening() as provider:
        (tmp_path / "prosa.toml").write_text(f"""
            [routes.default]
            targets = ["first/words-9x10-reset", "second/words-5x60"]
            [providers.first]
            base_url = "{provider.base}"
            [providers.second]
            base_url = "{provider.base}"
        """)
        async with furnished(tmp_path) as house, house.listening():
            context = await browser.new_context(locale="en-GB")
            visit = Visit(await context.new_page(), house)
            await visit.open()
            await visit.say("Count.")
            answer = visit.page.locator('.prosa-message[data-role="assistant"]')
            await visit.page.get_by_role("button", name="Answer again").last.wait_for()
            await expect(answer.locator(".prosa-markdown")).to_have_text("w0 w1 w2 w3 w4")
            assert len(provider.of("words-5x60")) == 1
            assert len(provider.of("words-9x10-reset")) >= 1
            await visit.page.reload()
            await expect(answer.locator(".prosa-markdown")).to_have_text("w0 w1 w2 w3 w4")
            assert visit.complaints == []
            await context.close()

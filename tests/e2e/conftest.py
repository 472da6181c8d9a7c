"""The built page, served by a Prosa of this test's own, in a real browser that all share: each test has
contexts of its own in it. So all of them, and what they are given, live in one loop."""

import inspect
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Request
from tests.browser import CHROMIUM, chromium
from tests.wire.house import House, furnished

SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    built = (files("prosa") / "page" / "index.html").is_file()
    for item in items:
        if not item.path.is_relative_to(here):
            continue
        item.add_marker(pytest.mark.browser)
        if inspect.iscoroutinefunction(getattr(item, "function", None)):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="There is no Chromium here: install it."))
        elif not built:
            item.add_marker(pytest.mark.skip(reason="The page is not built: run `make setup`."))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _chromium() -> AsyncIterator[Browser]:
    async with chromium() as started:
        yield started


@pytest_asyncio.fixture(loop_scope="session")
async def browser(_chromium: Browser) -> AsyncIterator[Browser]:
    """As if it had just been started; what a test has opened in it is closed."""
    yield _chromium
    for context in _chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path) -> AsyncIterator[House]:
    async with furnished(tmp_path) as house, house.listening():
        yield house


@pytest_asyncio.fixture(loop_scope="session")
async def guarded_site(tmp_path: Path) -> AsyncIterator[House]:
    async with furnished(tmp_path, jwt_secret=SECRET) as house, house.listening():
        yield house


class Visit:
    """A page with an eye on what it should never do: complain, break, or call anybody else."""

    def __init__(self, page: Page, house: House) -> None:
        self.page = page
        self.house = house
        self.complaints: list[str] = []
        self.strangers: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.house.base_url + path)

    async def say(self, text: str) -> None:
        box = self.page.get_by_role("textbox", name="Message", exact=True)
        await box.fill(text)
        await box.press("Enter")

    async def sees(self, text: str) -> None:
        await self.page.get_by_role("log").or_(self.page.locator("main")).first.wait_for()
        await self.page.locator(".prosa-message").filter(has_text=text).last.wait_for(timeout=15_000)

    def _console(self, message: ConsoleMessage) -> None:
        # A refused request is the server's answer to what a test provoked, and the page shows it.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.house.base_url, "data:", "blob:")):
            self.strangers.append(request.url)


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, site: House) -> AsyncIterator[Visit]:
    context = await browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    seen = Visit(await context.new_page(), site)
    await seen.open()
    yield seen
    assert seen.complaints == []
    assert seen.strangers == []
    await context.close()

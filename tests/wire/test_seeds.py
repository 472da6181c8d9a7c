"""The seeds' own client code, taken from the documents as it stands there, shows the whole text in a browser."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Page, Route
from tests.browser import chromium, needs_chromium
from tests.counts import counts
from tests.shared import needs_seeds, seed
from tests.wire.house import House

pytestmark = [pytest.mark.browser, needs_seeds, needs_chromium]

# Just enough of React for the seed's hook to stand in a page: state in a variable, a callback as it is.
SMALL_REACT = """
    window.messages = []; window.faults = [];
    const conversationId = window.conversation;
    const useCallback = (call) => call;
    const setMessages = (change) => { window.messages = change(window.messages); };
    const setIsLoading = () => {};
    console.error = (...said) => window.faults.push(String(said));
"""


def of_seed_001() -> str:
    """Its `sendMessage`, from the chat component."""
    text = seed("001")
    begin = text.index("const sendMessage = useCallback")
    code = text[begin : text.index("```", begin)]
    return code.replace("(content: string)", "(content)")  # the one word of TypeScript in it


def of_seed_003() -> str:
    """Its client, from the section on streaming."""
    text = seed("003")
    begin = text.index("const response = await fetch('/api/chat'")
    return text[begin : text.index("```", begin)]


@pytest.fixture
async def page(listening: House) -> AsyncIterator[Page]:
    """An empty page of the server's own origin."""

    async def fulfil(route: Route) -> None:
        await route.fulfill(status=200, content_type="text/html", body="<!doctype html><title>seed</title>")

    async with chromium() as browser:
        page = await browser.new_page()
        await page.route("**/empty", fulfil)
        await page.goto(f"{listening.base_url}/empty")
        yield page


PALAVRAS = "Olá, você! Coração, às três, já não há açúcar: ünïcödé 漢字 العربية 👩‍👩‍👧‍👦🇧🇷🌍é\n"


def cut(text: str) -> list[str]:
    """Deltas of one character each: an emoji of several is cut in its middle."""
    return list(text)


BURST = [f"palavra-{number} é 👍🏽 " for number in range(3000)]
SCRIPTS: dict[str, list[Any]] = {
    "one character in a delta": cut(PALAVRAS * 5),
    "a burst of 3000": BURST,
    "all at once": ["".join(BURST)],
    "a token now and then": [step for word in BURST[:40] for step in (word, 0.003)],
    "what looks like framing": ["a\n\ndata: x\n\n", "data: ", "\n\n", "[DONE]", '"}\n\n'],
}


def whole(script: list[Any]) -> str:
    return "".join(step for step in script if isinstance(step, str))


AS_A_PAGE = """async (conversation) => {
    window.conversation = conversation;
    %s
    %s
    await sendMessage('Oi');
    return [messages.at(-1).text, faults];
}"""
BARE = """async (messages) => {
    let shown = "";
    const setStreamContent = (change) => { shown = change(shown); };
    %s
    return shown;
}"""


async def test_the_client_of_seed_001(listening: House, page: Page) -> None:
    client = AS_A_PAGE % (SMALL_REACT, of_seed_001())
    for name, script in SCRIPTS.items():
        listening.script = script
        for _ in range(counts(50, 2)):
            one = await listening.conversation()
            assert await page.evaluate(client, one) == [whole(script), []], name


async def test_the_client_of_seed_001_beside_others(listening: House, page: Page) -> None:
    client = AS_A_PAGE % (SMALL_REACT, of_seed_001())
    listening.script = BURST
    ones = [await listening.conversation() for _ in range(4)]
    busy = [asyncio.create_task(listening.send(one)) for one in ones[1:]]
    assert await page.evaluate(client, ones[0]) == ["".join(BURST), []]
    await asyncio.gather(*busy)


async def test_the_client_of_seed_003(listening: House, page: Page) -> None:
    client = BARE % of_seed_003()
    for name, script in SCRIPTS.items():
        listening.script = script
        for _ in range(counts(50, 2)):
            shown = await page.evaluate(client, [{"role": "user", "content": "Oi"}])
            assert shown == whole(script), name

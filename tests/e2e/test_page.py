"""People at the page: they send, watch, reload, stop, try again, rename and delete."""

import asyncio
import re
from importlib.resources import files
from typing import Any

import pytest
from playwright.async_api import Browser, expect
from tests.e2e.audit import findings
from tests.e2e.conftest import Visit
from tests.wire.house import House

from prosa.domain.errors import ProviderOverloaded


async def test_an_answer_streams_in_and_survives_a_reload_in_the_middle(visit: Visit) -> None:
    first, second = asyncio.Event(), asyncio.Event()
    visit.house.script = ["Olá, ", first, "açúcar e **pão** 🎉", second, " até logo."]
    await visit.say("Bom dia!")
    await visit.sees("Olá,")
    first.set()
    await visit.sees("açúcar e pão 🎉")
    assert "até logo" not in await visit.page.locator("main").inner_text()
    await visit.page.reload()
    await visit.sees("Olá, açúcar e pão 🎉")
    second.set()
    await visit.sees("Olá, açúcar e pão 🎉 até logo.")
    assert len(visit.house.calls) == 1
    assert await visit.page.locator(".prosa-message strong").inner_text() == "pão"


async def test_stop_keeps_the_text_and_another_try_answers(visit: Visit) -> None:
    never = asyncio.Event()
    visit.house.script = ["Half an answer", never]
    await visit.say("Tell me a long story.")
    await visit.sees("Half an answer")
    await visit.page.get_by_role("button", name="Stop").click()
    async with asyncio.timeout(5):
        await visit.house.calls[0].closed.wait()
    await visit.page.get_by_text("This answer is not complete.").wait_for()
    visit.house.script = ["A whole answer."]
    await visit.page.get_by_role("button", name=re.compile("Try again|Answer again")).first.click()
    await visit.sees("A whole answer.")
    assert await visit.page.get_by_text("Half an answer").count() == 0
    await visit.page.get_by_role("button", name="Previous version").click()
    await visit.sees("Half an answer")


async def test_escape_stops(visit: Visit) -> None:
    visit.house.script = ["Going on", asyncio.Event()]
    await visit.say("Go on.")
    await visit.sees("Going on")
    await visit.page.keyboard.press("Escape")
    async with asyncio.timeout(5):
        await visit.house.calls[0].closed.wait()


async def test_a_failure_is_told_where_it_happened_with_a_way_on(visit: Visit) -> None:
    visit.house.script = [ProviderOverloaded("fake")]
    await visit.say("Hello?")
    await visit.page.get_by_text("fake is overloaded at the moment").wait_for()
    visit.house.script = ["Here I am."]
    await visit.page.get_by_role("button", name="Try again").first.click()
    await visit.sees("Here I am.")


async def test_conversations_are_listed_renamed_and_deleted(visit: Visit) -> None:
    visit.house.script = ["Yes."]
    await visit.say("Is anybody there?")
    await visit.sees("Yes.")
    listed = visit.page.get_by_role("link", name="Is anybody there?")
    await listed.wait_for()
    await listed.hover()
    await visit.page.get_by_role("button", name="More for “Is anybody there?”").click()
    await visit.page.get_by_role("menuitem", name="Rename").click()
    field = visit.page.get_by_role("textbox", name="Name of the conversation")
    await field.fill("A first word")
    await field.press("Enter")
    await visit.page.get_by_role("link", name="A first word").wait_for()
    await visit.page.get_by_role("link", name="A first word").hover()
    await visit.page.get_by_role("button", name="More for “A first word”").click()
    await visit.page.get_by_role("menuitem", name="Delete").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(visit.page.get_by_role("link", name="A first word")).to_have_count(0)
    kept = await visit.house.get("/api/conversations")
    assert kept.json()["items"] == []


@pytest.mark.hostile(67)
@pytest.mark.hostile(68)
@pytest.mark.parametrize(
    "payload",
    [
        "<img src=x onerror='document.title=`owned`'>",
        "<script>document.title='owned'</script>",
        "![tracker](http://127.0.0.1:9/pixel.png)",
        "[click](javascript:document.title='owned')",
        "<iframe src='http://127.0.0.1:9/'></iframe><base href='http://127.0.0.1:9/'>",
        "<style>body{background:url(http://127.0.0.1:9/x)}</style><svg onload=document.title='owned'>",
    ],
)
async def test_what_a_model_says_is_never_trusted(visit: Visit, payload: str) -> None:
    visit.house.script = [payload, "\n\nthe end"]
    await visit.say(payload)
    await visit.sees("the end")
    for link in await visit.page.locator(".prosa-message a").all():
        address = await link.get_attribute("href") or ""
        assert not address.lower().startswith("javascript:")
        assert await link.get_attribute("rel") == "noopener noreferrer"
    assert await visit.page.title() != "owned"


async def test_light_and_dark_and_a_phone(browser: Browser, site: House) -> None:
    site.script = ["Good *evening*.\n\n```python\nprint('hello')\n```\n"]
    grounds = []
    for scheme in ("light", "dark"):
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 780})
        seen = Visit(await context.new_page(), site)
        await seen.open()
        await seen.say("Good evening!")
        await seen.sees("Good evening.")
        grounds.append(await seen.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        wide = await seen.page.evaluate("document.documentElement.scrollWidth > innerWidth")
        assert not wide, "the page is wider than a phone"
        await seen.page.get_by_role("button", name="Open the list of conversations").click()
        await seen.page.get_by_role("link", name="Good evening!").first.wait_for()
        assert seen.complaints == []
        await context.close()
    assert grounds[0] != grounds[1]


async def test_a_link_signs_in_once(browser: Browser, guarded_site: House) -> None:
    house = guarded_site
    house.script = ["Olá, Ana."]
    link = house.identity.sign_in_link({"sub": "ana"}, "link-1", 4_000_000_000)
    context = await browser.new_context(locale="en-GB")
    seen = Visit(await context.new_page(), house)
    await seen.open(f"/#sign-in={link}")
    await seen.say("Oi!")
    await seen.sees("Olá, Ana.")
    assert link not in seen.page.url
    cookies = await context.cookies()
    assert all(cookie["httpOnly"] for cookie in cookies if cookie["name"] == house.identity.cookie)
    stranger = await browser.new_context(locale="en-GB")
    other = Visit(await stranger.new_page(), house)
    await other.open(f"/#sign-in={link}")
    await other.page.get_by_role("heading", name="Sign in").wait_for()


def test_the_page_is_light() -> None:
    """At most 200 kB of gzipped script; the operator's view is loaded by operators alone."""
    import gzip

    scripts = [each for each in (files("prosa") / "page" / "assets").iterdir() if each.name.endswith(".js")]
    sizes = {each.name: len(gzip.compress(each.read_bytes())) for each in scripts}
    own = {name: size for name, size in sizes.items() if name.startswith("Operator-")}
    assert len(own) == 1
    assert sum(own.values()) <= 30_000
    assert sum(sizes.values()) - sum(own.values()) <= 200_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_what_was_used_is_shown_and_grows(browser: Browser, site: House, scheme: Any) -> None:
    context = await browser.new_context(locale="en-GB", color_scheme=scheme)
    visit = Visit(await context.new_page(), site)
    await visit.open()
    await visit.say("um dois três")
    await visit.sees("You said: um dois três")
    await visit.page.get_by_role("button", name="Usage and costs").click()
    dialog = visit.page.get_by_role("dialog", name="Usage this month")
    await dialog.get_by_text("8", exact=True).first.wait_for()
    assert await findings(visit.page) == []
    async with visit.page.expect_download() as download:
        await dialog.get_by_role("button", name="Download as CSV").click()
    assert (await download.value).suggested_filename == "prosa-usage.csv"
    await site.send(await site.conversation(), "mais")
    await dialog.get_by_role("button", name="Close").click()
    await visit.page.get_by_role("button", name="Usage and costs").click()
    await dialog.get_by_text("12", exact=True).first.wait_for()
    assert visit.complaints == []
    await context.close()

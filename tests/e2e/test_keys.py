"""The page by keyboard alone, its times, and what Chromium sees of its accessibility."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from tests.e2e.conftest import Visit
from tests.wire.house import House

AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


async def test_the_keys_are_listed_and_work(visit: Visit) -> None:
    page = visit.page
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.house.script = ["An *answer*."]
    await visit.say("A question?")
    await visit.sees("An answer.")
    box = page.get_by_role("textbox", name="Message", exact=True)
    await box.press("?")
    await expect(box).to_have_value("?")
    await box.fill("")
    await page.locator(".prosa-scroller").focus()
    await page.keyboard.press("?")
    listed = page.get_by_role("dialog", name="Keyboard shortcuts")
    for name in ("Send", "New line", "Edit the last message", "Copy the last answer", "Next version"):
        await expect(listed.get_by_text(name, exact=True)).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await page.get_by_text("The answer is copied.").wait_for()
    assert await page.evaluate("navigator.clipboard.readText()") == "An *answer*."
    visit.house.script = ["Another answer."]
    await page.keyboard.press("r")
    await visit.sees("Another answer.")
    await page.keyboard.press("[")
    await visit.sees("An answer.")
    await page.keyboard.press("Shift+Escape")
    await expect(box).to_be_focused()
    await box.press("ArrowUp")
    await expect(box).to_have_value("A question?")
    # Whoever speaks to their machine turns single keys off.
    await box.press("Escape")
    await page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    await listed.get_by_role("checkbox").uncheck()
    await page.keyboard.press("Escape")
    await page.locator(".prosa-scroller").focus()
    await page.keyboard.press("?")
    await expect(listed).to_have_count(0)


async def test_times_are_told_as_people_tell_them(visit: Visit) -> None:
    visit.house.script = ["An answer."]
    await visit.say("A question?")
    await visit.sees("An answer.")
    time = visit.page.locator(".prosa-message time").last
    await expect(time).to_have_text("now")
    assert (await time.get_attribute("datetime") or "").endswith("Z")
    assert "20" in (await time.get_attribute("title") or "")


async def _violations(page: Page) -> list[str]:
    # In the middle of an animation colours are not what they will be.
    await page.evaluate("Promise.all(document.getAnimations().map(each => each.finished.catch(() => {})))")
    found = await page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: run `npm ci` in web.")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 390)])
async def test_axe_finds_nothing(browser: Browser, site: House, scheme: str, width: int) -> None:
    context = await browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
        locale="en-GB",
        reduced_motion="reduce",
    )
    visit = Visit(await context.new_page(), site)
    page = visit.page
    await visit.open()
    await page.get_by_role("heading", name="What shall we talk about?").wait_for()
    await page.evaluate(AXE.read_text())
    found = {"empty": await _violations(page)}
    site.script = ["# Title\n\nText, `code`.\n\n```python\nprint(1)\n```\n\n| a | b |\n|-|-|\n| 1 | 2 |\n"]
    await page.locator('.prosa-composer input[type="file"]').set_input_files(
        [{"name": "a.bin", "mimeType": "image/png", "buffer": b"MZ\x00"}]
    )
    await page.locator('.prosa-chip[data-state="failed"]').wait_for()
    found["refused"] = await _violations(page)
    await page.get_by_role("button", name="Take out a.bin").click()
    for _ in range(2):
        await visit.say("Hello?")
        await page.get_by_role("button", name="Send", exact=True).wait_for()
        await page.get_by_role("button", name="Good answer").last.wait_for()
    await page.get_by_role("button", name="Answer again").last.click()
    await page.get_by_text("2/2").wait_for()
    await page.locator(".prosa-hl-title, .prosa-hl-built_in").last.wait_for()
    found["conversation"] = await _violations(page)
    await page.get_by_role("button", name="Good answer").last.click()
    found["opinion"] = await _violations(page)
    await page.keyboard.press("Escape")
    await page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
    found["menu"] = await _violations(page)
    await page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    found["keys"] = await _violations(page)
    await page.keyboard.press("Escape")
    await page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Manage templates").click()
    await page.get_by_role("button", name="New template").click()
    await page.get_by_label("Text", exact=True).fill("Dear {{who}}")
    found["template"] = await _violations(page)
    await page.get_by_label("Name", exact=True).fill("Letter")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Edit Letter").wait_for()
    found["templates"] = await _violations(page)
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Use a template").click()
    await page.get_by_role("option", name="Letter").click()
    found["form"] = await _violations(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Model: ").click()
    found["models"] = await _violations(page)
    assert {state: each for state, each in found.items() if each} == {}
    await context.close()

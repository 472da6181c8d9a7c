"""People find their conversations: by their words, by what they are, by keyboard; they pin, close and archive them."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from tests.e2e.audit import findings
from tests.e2e.conftest import Visit
from tests.wire.house import House, furnished

LIST = ".app-conversations [data-row]"


def row(page: Page, title: str) -> Any:
    return page.get_by_role("navigation").get_by_role("link", name=title, exact=True)


async def choose(page: Page, title: str, name: str) -> None:
    """An item of a conversation's menu."""
    await row(page, title).hover()
    await page.get_by_role("button", name=f"More for “{title}”").click()
    await page.get_by_role("menuitem", name=name, exact=True).click()


async def talk(house: House, title: str, *questions: str) -> str:
    """A conversation of this title, with questions that are answered with themselves."""
    one = await house.conversation(title=title)
    for question in questions:
        await house.send(one, question)
    return one


async def test_a_search_leads_to_the_message_in_its_branch(visit: Visit) -> None:
    page, house = visit.page, visit.house
    one = await talk(house, "Fruit", "Tell me of pears", *[f"and of number {n}" for n in range(12)])
    first = (await house.get(f"/api/conversations/{one}/messages?order=asc&limit=1")).json()["items"][0]
    await house.send(one, "Tell me of quinces instead", parentId=first["parentId"])
    await visit.open(f"/#/c/{one}")
    await visit.sees("You said: Tell me of quinces instead")

    await page.keyboard.press("Control+k")
    field = page.get_by_role("textbox", name="Search all conversations")
    await expect(field).to_be_focused()
    await page.keyboard.type("PEARS")
    hits = page.locator(".app-hit")
    await expect(hits).to_have_count(2)
    await expect(hits.first.locator("mark")).to_have_text("pears")
    await expect(hits.first).to_contain_text("Fruit")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("End")
    await page.keyboard.press("Enter")
    target = page.locator("[data-target]")
    await expect(target).to_have_count(1)
    await expect(target).to_contain_text("Tell me of pears")
    await expect(target).to_be_focused()
    await expect(target).to_be_in_viewport()
    # What is out of sight elsewhere is not painted, nor is what stands out of a row: its ring would be cut off.
    await expect(target).to_have_css("content-visibility", "visible")
    assert f"/#/c/{one}/m/{first['id']}" in page.url
    await expect(page.get_by_text("quinces")).to_have_count(0)
    # The address can be kept, and leads there again.
    await page.reload()
    await expect(target).to_be_focused()
    # Who goes on talking is no longer at that message.
    await visit.say("And of plums?")
    await visit.sees("You said: And of plums?")
    assert page.url.endswith(f"/#/c/{one}")


async def test_what_is_found_is_text_and_nothing_is_a_word_too(visit: Visit) -> None:
    payload = "<img src=x onerror=document.title='owned'> turnip"
    await talk(visit.house, "Roots", payload)
    await visit.page.reload()
    field = visit.page.get_by_role("textbox", name="Search all conversations")
    await field.fill("turnip")
    await expect(visit.page.locator(".app-hit").first).to_contain_text("<img src=x")
    assert await visit.page.title() != "owned"
    await field.fill("zucchini")
    await expect(visit.page.get_by_text("Nothing has “zucchini” in it.")).to_be_visible()
    await field.fill("roots")
    await expect(visit.page.get_by_role("heading", name="Conversations", exact=True)).to_be_visible()
    await field.press("Escape")
    await expect(row(visit.page, "Roots")).to_be_visible()


async def test_pin_close_archive_and_back(visit: Visit) -> None:
    page, house = visit.page, visit.house
    for title in ("One", "Two", "Three"):
        await talk(house, title)
    await page.reload()
    await choose(page, "One", "Pin")
    pinned = page.get_by_role("region", name="Pinned")
    await expect(pinned.get_by_role("link")).to_have_text(["One"])
    await choose(page, "Two", "Close")
    await expect(row(page, "Two Closed")).to_be_visible()
    await page.get_by_role("button", name="Undo").click()
    await expect(row(page, "Two")).to_be_visible()
    await choose(page, "Three", "Archive")
    await expect(row(page, "Three")).to_have_count(0)
    await expect(page.get_by_role("status").filter(has_text="Archived.")).to_be_visible()

    await page.get_by_role("button", name="Filters").click()
    await page.get_by_label("Show").select_option("Archived")
    await expect(page.locator(LIST)).to_have_text(["ThreeArchived"])
    await page.get_by_label("Status").select_option("Closed")
    await expect(page.get_by_text("No conversation matches the filters.")).to_be_visible()
    await page.get_by_role("button", name="Clear filters").last.click()
    await expect(page.locator(LIST)).to_have_text(["One", "Two"])
    kept = {
        each["title"]: each for each in (await house.get("/api/conversations?archived=all")).json()["items"]
    }
    assert [kept["One"]["pinned"], kept["Two"]["status"], kept["Three"]["archived"]] == [True, "open", True]


async def test_a_change_that_fails_is_told_with_a_way_on(visit: Visit) -> None:
    await talk(visit.house, "Elsewhere")
    await visit.page.reload()
    await row(visit.page, "Elsewhere").wait_for()
    await visit.page.route("**/api/conversations/*", lambda route: route.abort())
    await choose(visit.page, "Elsewhere", "Archive")
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_contain_text("cannot be reached")
    await visit.page.unroute("**/api/conversations/*")
    await alert.get_by_role("button", name="Try again").click()
    await expect(row(visit.page, "Elsewhere")).to_have_count(0)


async def test_a_long_list_comes_as_it_is_approached_while_others_come_and_go(visit: Visit) -> None:
    page, house = visit.page, visit.house
    ones = [await house.conversation(title=f"Talk {number}") for number in range(130)]
    await page.reload()
    await expect(page.locator(LIST)).to_have_count(50)
    await house.call("DELETE", f"/api/conversations/{ones[100]}")
    await house.call("PATCH", f"/api/conversations/{ones[3]}", {"title": "Renamed elsewhere"})
    await house.conversation(title="New elsewhere")
    while await page.get_by_role("link", name="Talk 0", exact=True).count() == 0:
        known = await page.locator(LIST).count()
        await page.locator(LIST).last.scroll_into_view_if_needed()
        await page.wait_for_function(
            "([rows, count]) => document.querySelectorAll(rows).length > count", arg=[LIST, known]
        )
    titles = await page.locator(LIST).all_inner_texts()
    assert len(titles) == len(set(titles))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(row(page, "Renamed elsewhere")).to_have_count(1)
    await expect(row(page, "New elsewhere")).to_have_count(1)
    await expect(row(page, "Talk 100")).to_have_count(0)
    await expect(page.locator(LIST)).to_have_count(130)


async def test_the_list_by_keyboard(visit: Visit) -> None:
    page, house = visit.page, visit.house
    for title in ("One", "Two", "Three"):
        await talk(house, title)
    await page.reload()
    await row(page, "One").wait_for()
    await page.keyboard.press("Control+k")
    await expect(page.get_by_role("textbox", name="Search all conversations")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(row(page, "Three")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("F2")
    await expect(page.get_by_role("textbox", name="Name of the conversation")).to_be_focused()
    await page.keyboard.type("Deux")
    await page.keyboard.press("Enter")
    await expect(row(page, "Deux")).to_be_focused()
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("textbox", name="Search all conversations")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Delete")
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.locator(LIST)).to_have_count(2)
    menu = page.get_by_role("button", name="More for “One”")
    await menu.focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("menuitem", name="Delete")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_focused()


async def test_export_and_import_with_their_progress(visit: Visit, tmp_path: Path) -> None:
    page, house = visit.page, visit.house
    for number in range(5):
        await talk(house, f"Talk {number}", f"Question {number}")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Export and import").click()
        await page.get_by_role("button", name="Export", exact=True).click()
    file = tmp_path / "out.json"
    await (await downloading.value).save_as(file)
    kept = json.loads(file.read_bytes())
    assert {each["title"] for each in kept["conversations"]} == {f"Talk {number}" for number in range(5)}
    await expect(
        page.get_by_role("status").filter(has_text="Saved as prosa-conversations.json")
    ).to_be_visible()

    kept["conversations"].append({"id": "nonsense", "messages": "none"})
    file.write_text(json.dumps(kept))
    for title in ("Talk 1", "Talk 3"):
        one = next(each["id"] for each in kept["conversations"] if each.get("title") == title)
        await house.call("DELETE", f"/api/conversations/{one}")
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("Import", exact=True).click()
    await dialog.locator("input[type=file]").set_input_files(file)
    outcome = dialog.get_by_role("status")
    await expect(outcome).to_contain_text("Imported conversations: 2")
    await expect(outcome).to_contain_text("There already: 3")
    await expect(outcome).to_contain_text("Not imported: 1")
    await expect(dialog.get_by_role("region", name="Not imported")).to_contain_text("nonsense")
    broken = tmp_path / "broken.json"
    broken.write_text("this is no JSON")
    await dialog.locator("input[type=file]").set_input_files(broken)
    await expect(dialog.get_by_role("alert")).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await expect(row(page, "Talk 3")).to_be_visible()


async def test_one_conversation_is_exported_as_a_page(visit: Visit, tmp_path: Path) -> None:
    await talk(visit.house, "Quinces", "Are they <b>bold</b>?")
    await visit.page.reload()
    await choose(visit.page, "Quinces", "Export…")
    dialog = visit.page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="HTML").check()
    async with visit.page.expect_download() as downloading:
        await dialog.get_by_role("button", name="Export", exact=True).click()
    download = await downloading.value
    assert download.suggested_filename == "prosa-Quinces.html"
    await download.save_as(tmp_path / "one.html")
    assert "&lt;b&gt;bold" in (tmp_path / "one.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: Any) -> None:
    async with furnished(tmp_path) as house, house.listening():
        await talk(house, "Quinces", "What of quinces?")
        await house.call(
            "PATCH", f"/api/conversations/{await talk(house, 'Pears')}", {"pinned": True, "status": "closed"}
        )
        context = await browser.new_context(locale="pt-BR", color_scheme=scheme, reduced_motion="reduce")
        visit = Visit(await context.new_page(), house)
        page = visit.page
        await visit.open()
        await row(page, "Quinces").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Mais para “Quinces”").click()
        assert await findings(page) == []
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Filtros").click()
        await page.get_by_label("Alterada").select_option("Datas…")
        assert await findings(page) == []
        await page.get_by_role("textbox", name="Buscar em todas as conversas").fill("quinces")
        await page.locator(".app-hit mark").first.wait_for()
        assert await findings(page) == []
        await page.locator(".app-hit a").first.click()
        await page.locator("[data-target]").wait_for()
        assert await findings(page) == []
        await page.get_by_role("button", name="Exportar e importar").click()
        assert await findings(page) == []
        await page.get_by_role("dialog").get_by_text("Importar", exact=True).click()
        assert await findings(page) == []
        assert visit.complaints == []
        await context.close()


async def test_what_cannot_be_listed_says_so_and_comes_later(visit: Visit) -> None:
    await talk(visit.house, "Quinces")
    await visit.page.route("**/api/conversations?*", lambda route: route.abort())
    await visit.page.reload()
    alert = visit.page.get_by_role("alert")
    await expect(alert).to_contain_text("The list could not be loaded.")
    await visit.page.unroute("**/api/conversations?*")
    await alert.get_by_role("button", name="Try again").click()
    await expect(row(visit.page, "Quinces")).to_be_visible()

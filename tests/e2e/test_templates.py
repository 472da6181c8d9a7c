"""People at the page use what was written before: templates, and say what they think of answers."""

from playwright.async_api import expect
from tests.e2e.conftest import Visit


async def test_a_template_is_made_found_filled_and_deleted(visit: Visit) -> None:
    page = visit.page
    await page.get_by_role("button", name="Use a template").click()
    await page.get_by_text("There are no templates yet.").wait_for()
    await page.get_by_role("button", name="Manage templates").click()
    dialog = page.get_by_role("dialog", name="Prompt templates")
    await dialog.get_by_role("button", name="New template").click()
    await dialog.get_by_label("Name", exact=True).fill("First answer")
    await dialog.get_by_label("Text", exact=True).fill("Dear {{who}}, {{7*7}} in a {{tone}} way, by {{day}}.")
    await dialog.get_by_role("group", name="tone").get_by_label("Type").select_option("choice")
    await dialog.get_by_role("group", name="tone").get_by_label("Choices").fill("kind\nshort")
    await dialog.get_by_role("group", name="day").get_by_label("Type").select_option("date")
    await dialog.get_by_role("button", name="Save").click()
    await dialog.get_by_text("First answer").wait_for()
    await page.keyboard.press("Escape")

    box = page.get_by_role("textbox", name="Message", exact=True)
    await box.press("/")
    field = page.get_by_role("combobox", name="Find a template")
    await expect(field).to_be_focused()
    await field.fill("nothing like it")
    await page.get_by_text("No template is called “nothing like it”.").wait_for()
    await field.fill("first")
    await field.press("Enter")
    await page.get_by_label("who").fill("{{day}} & <b>Ana</b>")
    await page.get_by_label("tone").select_option("kind")
    await page.get_by_label("day").fill("2026-12-24")
    await page.get_by_role("button", name="Insert").click()
    await expect(box).to_have_value("Dear {{day}} & <b>Ana</b>, {{7*7}} in a kind way, by 2026-12-24.")
    await expect(box).to_be_focused()

    await page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
    await page.get_by_role("menuitem", name="Manage templates").click()
    await dialog.get_by_role("button", name="Delete First answer").click()
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(dialog.get_by_text("First answer")).to_have_count(0)
    assert (await visit.house.get("/api/templates")).json()["items"] == []


async def test_a_slash_can_be_written_all_the_same(visit: Visit) -> None:
    box = visit.page.get_by_role("textbox", name="Message", exact=True)
    await box.press("/")
    await visit.page.get_by_role("combobox", name="Find a template").press("Escape")
    await expect(box).to_be_focused()
    await expect(box).to_have_value("/")
    await box.press_sequentially("etc/hosts")
    await expect(box).to_have_value("/etc/hosts")


async def test_who_is_alone_can_share_with_nobody(visit: Visit) -> None:
    await visit.page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
    await visit.page.get_by_role("menuitem", name="Manage templates").click()
    dialog = visit.page.get_by_role("dialog", name="Prompt templates")
    await dialog.get_by_role("button", name="New template").click()
    await dialog.get_by_label("Name", exact=True).fill("x")
    await dialog.get_by_label("Text", exact=True).fill("y")
    await dialog.get_by_label("Share it").check()
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog.get_by_role("alert")).to_contain_text("nobody to share with")


async def test_an_opinion_is_kept_at_once_and_can_say_more(visit: Visit) -> None:
    page = visit.page
    visit.house.script = ["An answer."]
    await visit.say("A question")
    await visit.sees("An answer.")
    await page.get_by_role("button", name="Bad answer").click()
    box = page.get_by_role("dialog", name="Your opinion of the answer")
    await box.get_by_text("2", exact=True).click()
    await box.get_by_text("Too long").click()
    await box.get_by_label("Anything else?").fill("Shorter, please.")
    await box.get_by_role("button", name="Send").click()
    await expect(box).to_have_count(0)
    one = page.url.rsplit("/", 1)[1]
    messages = (await visit.house.get(f"/api/conversations/{one}/messages")).json()["items"]
    said = messages[1]["feedback"]
    assert (said["thumb"], said["rating"], said["tags"]) == ("down", 2, ["too_long"])
    assert said["comment"] == "Shorter, please."
    await page.reload()
    await visit.sees("An answer.")
    thumb = page.get_by_role("button", name="Bad answer")
    await expect(thumb).to_have_attribute("aria-pressed", "true")
    await thumb.click()
    await expect(box.get_by_role("radio", name="2")).to_be_checked()
    await expect(box.get_by_label("Anything else?")).to_have_value("Shorter, please.")
    await thumb.click()
    await expect(box).to_have_count(0)
    await expect(thumb).to_have_attribute("aria-pressed", "true")


async def test_an_opinion_is_changed_and_taken_back_by_keyboard(visit: Visit) -> None:
    page = visit.page
    visit.house.script = ["An answer."]
    await visit.say("A question")
    await visit.sees("An answer.")
    thumb = page.get_by_role("button", name="Good answer")
    box = page.get_by_role("dialog", name="Your opinion of the answer")
    await thumb.press("Enter")
    await page.keyboard.press("Escape")
    await expect(thumb).to_be_focused()
    await thumb.press("Enter")
    await expect(box).to_be_focused()
    await page.keyboard.press("Shift+Tab")  # whoever goes on has left it
    await expect(box).to_have_count(0)
    await thumb.press("Enter")
    await box.get_by_label("Anything else?").fill("Just right.")
    async with page.expect_response(lambda answer: answer.request.method == "PUT"):  # it is shown before
        await box.get_by_role("button", name="Send").press("Enter")
    listed = (await visit.house.get("/api/feedback")).json()["items"]
    assert [(each["thumb"], each["comment"]) for each in listed] == [("up", "Just right.")]
    await expect(thumb).to_be_focused()
    await thumb.press("Enter")
    async with page.expect_response(lambda answer: answer.request.method == "DELETE"):
        await box.get_by_role("button", name="Take it back").press("Enter")
    await expect(thumb).to_have_attribute("aria-pressed", "false")
    await expect(thumb).to_be_focused()
    listed = await visit.house.get("/api/feedback")
    assert listed.json()["items"] == []

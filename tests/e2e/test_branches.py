"""People at the page go back in what was said: other versions, other answers, and less of both."""

import asyncio
import re

from playwright.async_api import Browser, Locator, expect
from tests.e2e.conftest import Visit


async def talk(visit: Visit, *questions: str) -> None:
    """One question after the other, each answered with itself."""
    for question in questions:
        visit.house.script = [f"About {question}"]
        await visit.say(question)
        await visit.sees(f"About {question}")


def texts(visit: Visit) -> Locator:
    """What is shown, questions and answers in turn."""
    return visit.page.locator(".prosa-bubble, .prosa-markdown")


async def second(browser: Browser, visit: Visit) -> Visit:
    """The same conversation in another window."""
    context = await browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 800})
    other = Visit(await context.new_page(), visit.house)
    await other.open("/" + visit.page.url.split("/", 3)[3])
    return other


async def test_a_switch_is_seen_in_another_window_at_once(browser: Browser, visit: Visit) -> None:
    await talk(visit, "one", "two")
    first = visit.page.locator(".prosa-row").first
    await first.hover()
    await first.get_by_role("button", name="Edit").click()
    box = visit.page.get_by_role("textbox", name="Message", exact=True)
    await expect(box).to_have_value("one")
    visit.house.script = ["About uno"]
    await box.fill("uno")
    await box.press("Enter")
    await visit.sees("About uno")
    await expect(texts(visit)).to_have_text(["uno", "About uno"])
    other = await second(browser, visit)
    await other.sees("About uno")
    await visit.page.get_by_role("button", name="Previous version").click()
    for seen in (visit, other):
        await expect(texts(seen)).to_have_text(["one", "About one", "two", "About two"])
    # And back by a key, seen by the first.
    await other.page.locator(".prosa-scroller").focus()
    await other.page.keyboard.press("]")
    for seen in (other, visit):
        await expect(texts(seen)).to_have_text(["uno", "About uno"])
    assert other.complaints == []
    await other.page.context.close()


async def test_any_answer_can_be_asked_for_again(visit: Visit) -> None:
    await talk(visit, "one", "two")
    visit.house.script = ["Otherwise"]
    answer = visit.page.locator('.prosa-row[data-role="assistant"]').first
    await answer.hover()
    await answer.get_by_role("button", name="Answer again").click()
    await expect(texts(visit)).to_have_text(["one", "Otherwise"])
    await expect(visit.page.get_by_text("2/2")).to_be_visible()
    await visit.page.get_by_role("button", name="Previous version").click()
    await expect(texts(visit)).to_have_text(["one", "About one", "two", "About two"])


async def test_a_version_stays_where_it_stands_while_it_is_switched(visit: Visit) -> None:
    long = "\n\n".join(f"Paragraph {n}." for n in range(40))
    visit.house.script = ["Short."]
    await visit.say("A question")
    await visit.sees("Short.")
    visit.house.script = [long]
    await visit.page.get_by_role("button", name="Answer again").click()
    await visit.sees("Paragraph 39.")
    await visit.page.locator(".prosa-scroller").evaluate("box => box.scrollTo(0, 0)")
    row = visit.page.locator('.prosa-row[data-role="assistant"]')
    before = await row.evaluate("each => each.getBoundingClientRect().top")
    await row.get_by_role("button", name="Previous version").evaluate("each => each.click()")
    await visit.sees("Short.")
    await row.get_by_role("button", name="Next version").evaluate("each => each.click()")
    await visit.sees("Paragraph 39.")
    await visit.page.locator(".prosa-scroller").evaluate(
        "box => new Promise(high => { const look = () => box.scrollHeight > 1200 ? high() : requestAnimationFrame(look); look(); })"
    )
    after = await row.evaluate("each => each.getBoundingClientRect().top")
    assert abs(after - before) < 2


async def test_clear_asks_first_and_everybody_sees_it(browser: Browser, visit: Visit) -> None:
    await talk(visit, "one")
    other = await second(browser, visit)
    await other.sees("About one")
    for name, left in (("Cancel", 2), ("Clear", 0)):
        await visit.page.locator(".prosa-menu").get_by_role("button", name="More", exact=True).click()
        await visit.page.get_by_role("menuitem", name="Clear the conversation").click()
        await visit.page.get_by_role("dialog").get_by_role("button", name=name, exact=True).click()
        await expect(texts(visit)).to_have_count(left)
    await expect(texts(other)).to_have_count(0)
    await visit.page.get_by_role("heading", name="What shall we talk about?").wait_for()
    await talk(visit, "afresh")
    await other.sees("About afresh")
    await other.page.context.close()


async def test_a_message_is_deleted_with_what_follows_it(visit: Visit) -> None:
    await talk(visit, "one", "two")
    row = visit.page.locator(".prosa-row").filter(has_text=re.compile("^You said:two"))
    await row.hover()
    await row.get_by_role("button", name="Delete the message").click()
    await visit.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(texts(visit)).to_have_text(["one", "About one"])


async def test_a_run_of_another_window_is_seen_as_it_is_written(browser: Browser, visit: Visit) -> None:
    await talk(visit, "one")
    other = await second(browser, visit)
    await other.sees("About one")
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    gate = asyncio.Event()
    visit.house.script = ["Word by ", gate, "word."]
    await other.say("And then?")
    await visit.sees("Word by")
    await expect(visit.page.get_by_role("button", name="Stop")).to_be_visible()
    gate.set()
    await visit.sees("Word by word.")
    await expect(visit.page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    # The socket told all of it.
    assert not any("/events" in url for url in asked)
    assert other.complaints == []
    await other.page.context.close()


async def test_a_title_and_a_deletion_from_elsewhere(visit: Visit) -> None:
    await talk(visit, "one")
    one = visit.page.url.rsplit("/", 1)[1]
    answer = await visit.house.call("PATCH", f"/api/conversations/{one}", {"title": "A better name"})
    assert answer.status_code == 200
    await visit.page.get_by_role("link", name="A better name").wait_for()
    await visit.house.call("DELETE", f"/api/conversations/{one}")
    await visit.page.get_by_text("was deleted in another window").wait_for()
    await visit.page.get_by_role("alert").get_by_role("button", name="New conversation").click()
    await visit.page.get_by_role("heading", name="What shall we talk about?").wait_for()


async def test_a_lost_line_is_told_and_taken_up_again(visit: Visit) -> None:
    await talk(visit, "one")
    one = visit.page.url.rsplit("/", 1)[1]
    await visit.page.context.set_offline(True)
    await visit.page.get_by_text("You are offline").wait_for()
    answer = await visit.house.post(
        f"/api/conversations/{one}/messages", {"role": "user", "content": "Meanwhile"}
    )
    assert answer.status_code == 201
    await visit.page.context.set_offline(False)
    await visit.page.get_by_text("Back online").wait_for()
    await visit.sees("Meanwhile")
    visit.complaints.clear()

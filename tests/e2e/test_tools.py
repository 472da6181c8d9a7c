"""People at the page while a model calls tools: they read what it does, allow it or don't, and answer for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect
from tests.e2e.conftest import Visit
from tests.wire.house import House, furnished

import prosa
from prosa.adapters.models.fake.client import Step
from prosa.domain.models import (
    ChatRequest,
    Finish,
    FinishReason,
    Queued,
    Reset,
    Role,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> and \u202ereversed"
LONG = "line\n" * 12_000

GATE = asyncio.Event()
"""What the tool `slow` waits for; each test has its own."""


@prosa.tool(always=True)
def weather(city: str) -> dict[str, str]:
    """The weather of a city."""
    return {"city": city, "sky": "clear"}


@prosa.tool(always=True)
async def slow(n: int) -> str:
    """Takes as long as it is made to."""
    await GATE.wait()
    return f"{n} at last"


@prosa.tool(always=True)
def broken() -> str:
    """Fails."""
    raise prosa.ToolError(HOSTILE)


@prosa.tool(always=True)
def long() -> str:
    """Says much."""
    return LONG + "the very end"


@prosa.tool(always=True, needs_approval=True)
def send_mail(to: str, size: int) -> str:
    """Sends a mail."""
    return f"sent to {to}"


def calls(*pairs: tuple[str, str]) -> list[Step]:
    steps: list[Step] = []
    for place, (name, arguments) in enumerate(pairs):
        half = len(arguments) // 2
        steps += [
            ToolCallStart(f"c{place}", name),
            ToolCallDelta(f"c{place}", arguments[:half]),
            ToolCallDelta(f"c{place}", arguments[half:]),
            ToolCallEnd(f"c{place}"),
        ]
    return [*steps, Finish(FinishReason.TOOL_CALLS)]


def once(*pairs: tuple[str, str], first: tuple[Step, ...] = (), then: str = "So it is.") -> Any:
    """A model that says something, calls tools, then says how it ended."""

    def script(request: ChatRequest) -> Iterator[Step]:
        if request.turns[-1].role is Role.TOOL:
            yield then
        else:
            yield from first
            yield from calls(*pairs)

    return script


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """As elsewhere, with tools."""
    monkeypatch.setattr("tests.e2e.test_tools.GATE", asyncio.Event())
    tools = [weather, slow, broken, long, send_mail]
    async with furnished(tmp_path, tools=tools) as house, house.listening():
        yield house


def tool(visit: Visit, name: str) -> Locator:
    return visit.page.get_by_role("region", name=name)


async def test_what_a_tool_was_asked_and_gave(visit: Visit) -> None:
    visit.house.script = once(
        ("weather", '{"city":"Évora"}'), first=(ThinkingDelta("Hm, the weather."), "Let me look.")
    )
    await visit.say("How is it?")
    await visit.sees("So it is.")
    for reloaded in (False, True):
        if reloaded:
            await visit.page.reload()
            await visit.sees("So it is.")
        shown = tool(visit, "weather")
        line = shown.get_by_role("button", name="weather")
        await expect(line).to_have_attribute("aria-expanded", "false")
        await expect(line).to_contain_text("Done")
        await line.click()
        await expect(shown.locator("pre").nth(0)).to_have_text('{\n  "city": "Évora"\n}')
        await expect(shown.locator("pre").nth(1)).to_contain_text('"sky": "clear"')
        # In their order: thoughts, text, the call, text.
        answer = visit.page.locator('.prosa-message[data-role="assistant"]')
        kinds = await answer.locator("> details, > .prosa-streaming, > section").evaluate_all(
            "all => all.map(each => each.className)"
        )
        assert kinds == ["prosa-thoughts", "prosa-streaming", "prosa-tool", "prosa-streaming"]
        await expect(answer.locator("details p")).to_have_text("Hm, the weather.")


async def test_a_tool_at_work_is_seen_before_and_after_a_reload(visit: Visit) -> None:
    visit.house.script = once(("slow", '{"n": 12345678901234567890}'))
    await visit.say("Take your time.")
    for _ in range(2):
        await expect(tool(visit, "slow").get_by_role("button")).to_contain_text("Running")
        await visit.page.get_by_text("Using slow…").first.wait_for()
        await visit.page.reload()
    GATE.set()
    await visit.sees("So it is.")
    shown = tool(visit, "slow")
    await expect(shown.get_by_role("button")).to_contain_text("Done")
    await shown.get_by_role("button").click()
    await expect(shown.locator("pre").nth(0)).to_contain_text("12345678901234567890")
    assert len(visit.house.calls) == 2


@pytest.mark.hostile(67)
async def test_what_a_tool_says_is_never_trusted(visit: Visit) -> None:
    visit.house.script = once(("broken", "{}"), ("weather", json.dumps({"city": HOSTILE})))
    await visit.say("Break.")
    await visit.sees("So it is.")
    for name in ("broken", "weather"):
        await tool(visit, name).get_by_role("button").click()
    await expect(tool(visit, "broken").get_by_role("button")).to_contain_text("Failed")
    await expect(tool(visit, "broken").locator("pre")).to_contain_text("<img src=x")
    await expect(tool(visit, "broken").locator("pre")).to_contain_text("\\u202ereversed")
    assert await visit.page.locator(".prosa-message img").count() == 0
    assert await visit.page.title() != "owned"


async def test_a_long_result_is_whole_and_scrolls_in_itself(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 1200, "height": 400})
    visit.house.script = once(("long", "{}"))
    await visit.say("Talk.")
    await visit.sees("So it is.")
    line = tool(visit, "long").get_by_role("button")
    before = await line.evaluate("each => each.getBoundingClientRect().y")
    await line.click()
    result = tool(visit, "long").locator("pre")
    await expect(result).to_contain_text("the very end")
    assert await result.evaluate("box => box.clientHeight < 400 && box.scrollHeight > box.clientHeight")
    after = await line.evaluate("each => each.getBoundingClientRect().y")
    assert after == before, "what was unfolded moved away"


@pytest.mark.parametrize("reloaded", [False, True])
@pytest.mark.parametrize(
    ("button", "state", "result"),
    [("Allow", "Done", "sent to ana@example.org"), ("Don\u2019t allow", "Not allowed", "did not allow")],
)
async def test_leave_to_call(visit: Visit, reloaded: bool, button: str, state: str, result: str) -> None:
    visit.house.script = once(("send_mail", '{"to": "ana@example.org", "size": 1e3}'))
    await visit.say("Write to Ana.")
    shown = tool(visit, "send_mail")
    await shown.get_by_role("button", name=button, exact=True).wait_for()
    if reloaded:
        await visit.page.reload()
    # What is to be allowed is there to be read, as it is, and the page says what it waits for.
    await expect(shown.locator("pre")).to_contain_text('"size": 1e3')
    await (
        visit.page.get_by_role("status")
        .filter(has_text="waits for your permission to use send_mail")
        .wait_for()
    )
    await visit.page.get_by_role("status").filter(has_text="It waits until").wait_for()
    await shown.get_by_role("button", name=button, exact=True).click()
    await visit.sees("So it is.")
    line = shown.get_by_role("button", name="send_mail")
    await expect(line).to_contain_text(state)
    await expect(shown.get_by_role("button")).to_have_count(1)
    await line.click()
    await expect(shown.locator("pre").nth(1)).to_contain_text(result)


async def test_a_waiting_run_can_be_stopped(visit: Visit) -> None:
    visit.house.script = once(("send_mail", '{"to": "ana@example.org", "size": 1}'))
    await visit.say("Write to Ana.")
    await tool(visit, "send_mail").get_by_role("button", name="Allow", exact=True).wait_for()
    await visit.page.get_by_role("button", name="Stop").click()
    line = tool(visit, "send_mail").get_by_role("button", name="send_mail")
    await expect(line).to_contain_text("Not finished")
    await expect(visit.page.get_by_role("button", name="Send", exact=True)).to_be_visible()


async def test_two_windows_and_one_decision(browser: Browser, visit: Visit) -> None:
    visit.house.script = once(("send_mail", '{"to": "ana@example.org", "size": 1}'))
    await visit.say("Write to Ana.")
    await tool(visit, "send_mail").get_by_role("button", name="Allow", exact=True).wait_for()
    context = await browser.new_context(locale="en-GB")
    other = Visit(await context.new_page(), visit.house)
    await other.open("/" + visit.page.url.partition("/")[2].partition("/")[2].partition("/")[2])
    await tool(other, "send_mail").get_by_role("button", name="Allow", exact=True).wait_for()
    # The other window hears of the decision too late: its own comes second.
    await other.page.route("**/approvals", lambda route: _after(visit, route))
    await tool(other, "send_mail").get_by_role("button", name="Allow", exact=True).click()
    await visit.sees("So it is.")
    await other.page.get_by_text("decided elsewhere already").wait_for()
    await other.sees("So it is.")
    await expect(tool(other, "send_mail").get_by_role("button", name="send_mail")).to_contain_text(
        "Not allowed"
    )
    assert other.complaints == []
    await context.close()


async def _after(visit: Visit, route: Any) -> None:
    await tool(visit, "send_mail").get_by_role("button", name="Don\u2019t allow").click()
    await visit.sees("So it is.")
    await route.continue_()


async def test_an_answer_that_begins_anew_after_a_call_is_not_doubled(visit: Visit) -> None:
    first, second = asyncio.Event(), asyncio.Event()

    def script(request: ChatRequest) -> Iterator[Step]:
        if request.turns[-1].role is Role.TOOL:
            yield from ("Half an", first, Reset("broken_stream"), "The whole ", second, "answer.")
        else:
            yield "Let me look. "
            yield from calls(("weather", '{"city": "Faro"}'))

    visit.house.script = script
    await visit.say("How is it?")
    text = visit.page.locator('.prosa-message[data-role="assistant"] .prosa-streaming')
    await expect(text).to_have_text(["Let me look.", "Half an"])
    first.set()
    await expect(text).to_have_text(["Let me look.", "The whole"])
    await visit.page.reload()
    await expect(text).to_have_text(["Let me look.", "The whole"])
    second.set()
    for _ in range(2):
        await visit.page.get_by_role("button", name="Answer again").wait_for()
        await expect(text).to_have_text(["Let me look.", "The whole answer."])
        await visit.page.reload()


async def test_the_place_in_the_line(visit: Visit) -> None:
    gate = asyncio.Event()
    visit.house.script = [Queued(3), gate, "Your turn."]
    await visit.say("Hello?")
    await visit.page.get_by_text("Waiting for its turn, place 3…").wait_for()
    gate.set()
    await visit.sees("Your turn.")
    await expect(visit.page.get_by_text("Waiting for its turn")).to_have_count(0)


async def test_a_tool_of_the_callers_own_is_answered_by_hand(visit: Visit) -> None:
    """The page has no such tool, but another program that uses the conversation has."""
    own = {"name": "ask_user", "description": "Asks.", "parameters": {"type": "object"}}
    visit.house.script = once(("ask_user", '{"question": "Which colour?"}'), then="Blue it is.")
    one = await visit.house.conversation(title="A question")
    async with visit.house.streaming({"conversationId": one, "content": "x", "tools": [own]}) as stream:
        await stream.until("requires_action")
        await visit.open(f"/#/c/{one}")
        await visit.page.get_by_role("textbox", name="Your answer for ask_user").fill("blue")
        await visit.page.keyboard.press("Enter")
        assert (await stream.until("tool_result"))["result"] == "blue"
    await visit.sees("Blue it is.")

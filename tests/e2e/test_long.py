"""A long conversation at the page: nothing jumps as it is read, and nothing stutters as it grows."""

import asyncio
from typing import Any

import pytest
from tests.e2e.conftest import Visit

MESSAGES = 500
TOKENS = 300
EVERY = 0.01
"""Seconds between two tokens: a hundred of them a second."""


MOVED = """async count => {
    const rows = document.querySelectorAll('.prosa-row');
    const first = rows[0], before = first.getBoundingClientRect().top;
    for (let n = 0; document.querySelectorAll('.prosa-row').length === count && n < 300; n += 1) {
        await new Promise(requestAnimationFrame);
    }
    await new Promise(requestAnimationFrame);
    return first.getBoundingClientRect().top - before;
}"""


@pytest.mark.alone
async def test_five_hundred_messages(visit: Visit) -> None:
    house, page = visit.house, visit.page
    one = await house.conversation(title="A long one")
    async with house.client() as client:
        for n in range(MESSAGES):
            body = {
                "role": "user" if n % 2 == 0 else "assistant",
                "content": f"**Message** {n}.\n\n- a\n- b\n",
            }
            answer = await client.post(f"/api/conversations/{one}/messages", json=body)
            assert answer.status_code == 201
    await visit.open(f"/#/c/{one}")
    await visit.sees("Message 499.")
    scroller = page.locator(".prosa-scroller")
    rows = page.locator(".prosa-row")
    while (count := await rows.count()) < MESSAGES:
        await scroller.evaluate("box => box.scrollTo(0, 0)")
        # What is read stays where it is while earlier messages come.
        jump = await page.evaluate(MOVED, count)
        assert abs(jump) < 2, f"a jump of {jump} pixels at {count} messages"
    await scroller.evaluate("box => box.scrollTo(0, box.scrollHeight)")

    tokens = [asyncio.Event() for _ in range(TOKENS)]
    house.script = [step for n, token in enumerate(tokens) for step in (token, f"word{n} ")]
    await visit.say("Go on.")
    await page.get_by_role("button", name="Stop").wait_for()
    session = await page.context.new_cdp_session(page)
    # The page's own time, however busy the machine is.
    await session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = await _metrics(session)
    for token in tokens:
        token.set()
        await asyncio.sleep(EVERY)
    await visit.sees(f"word{TOKENS - 1}")
    after = await _metrics(session)
    busy = after["TaskDuration"] - before["TaskDuration"]
    frames = TOKENS * EVERY / 0.033
    assert busy / frames < 0.025, f"{busy / frames * 1000:.1f} ms of work for each picture"
    assert await scroller.evaluate("box => box.scrollHeight - box.scrollTop - box.clientHeight") < 50


async def _metrics(session: Any) -> dict[str, float]:
    told = await session.send("Performance.getMetrics")
    return {each["name"]: each["value"] for each in told["metrics"]}

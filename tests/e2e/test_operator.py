"""What an operator sees of real questions of several users: traffic, costs, errors, runs, and what they change."""

import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from tests.e2e.audit import findings
from tests.e2e.conftest import SECRET, Visit
from tests.shared import RECORDINGS
from tests.wire.house import House, furnished

from prosa.adapters.models.fake.client import Step, echo
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.models import ChatRequest

QUESTIONS = RECORDINGS.parent / "conversations" / "support_queries.jsonl"
needs_questions = pytest.mark.skipif(not QUESTIONS.is_file(), reason="The real questions are not here.")

PRICES = """
[routes.smart]
targets = ["fake/large"]
[models."fake/large"]
prices = {input = 2.5, output = 10}
[models."fake/small"]
prices = {input = 0.15, output = 0.6}
"""
SECTIONS = ("Overview", "Cost", "Errors", "Runs", "Limits", "Keys", "Suspensions", "Alerts", "Audit")


def questions(number: int) -> list[str]:
    with QUESTIONS.open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines][:number]
    return [str(each.get("query") or each.get("text") or each.get("content")) for each in found]


def answered(request: ChatRequest) -> Iterable[Step]:
    """Some questions meet a provider that has no room."""
    if len(request.turns[-1].content) % 7 == 0:
        raise ProviderOverloaded("fake")
    return echo(request)


@pytest_asyncio.fixture(loop_scope="session")
async def busy_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(PRICES)
    async with furnished(tmp_path, jwt_secret=SECRET, max_cost_per_month="50") as house, house.listening():
        house.script = answered
        asked = questions(36)
        for number, question in enumerate(asked):
            user = ("ana", "bia", "caio")[number % 3]
            conversation = await house.conversation(user)
            model = "smart" if number % 4 == 0 else "fake/small"
            await house.send(conversation, question, user=user, model=model)
        yield house


async def entered(browser: Browser, house: House, **options: object) -> Visit:
    """An operator's page, at the operator's view."""
    link = house.identity.sign_in_link(
        {"sub": "op", "roles": ["admin"]}, f"link-{id(options)}", 4_000_000_000
    )
    settings: dict[str, object] = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}}
    context = await browser.new_context(**{**settings, **options})  # type: ignore[arg-type]
    visit = Visit(await context.new_page(), house)
    await visit.open(f"/#sign-in={link}")
    await visit.page.get_by_role("navigation").first.wait_for()
    await visit.open("/#/operator")
    await visit.page.locator(".operator-head h2").first.wait_for()
    return visit


async def section(page: Page, name: str) -> None:
    await page.locator(".operator-sections").get_by_role("link", name=name, exact=True).click()
    await expect(page.locator('.operator-sections [aria-current="page"]')).to_have_text(name)
    await page.locator(".operator .app-skeletons").first.wait_for(state="detached")


@needs_questions
async def test_what_happened_is_told_in_figures_plots_and_rows(browser: Browser, busy_site: House) -> None:
    visit = await entered(browser, busy_site)
    page = visit.page
    runs = page.locator(".operator-figures div").filter(has_text="Runs").locator("dd")
    await expect(runs.first).to_have_text("36")
    await expect(page.locator(".operator-plot svg path").first).to_be_visible()

    await section(page, "Cost")
    await expect(page.get_by_role("row").filter(has_text="fake/large")).to_have_count(1)
    await expect(page.get_by_role("row").filter(has_text="caio")).to_have_count(1)

    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download as CSV").click()
    lines = (await (await download.value).path()).read_text().splitlines()
    assert len({line.split(",")[lines[0].split(",").index("runId")] for line in lines[1:]}) == 36

    await section(page, "Errors")
    await expect(page.get_by_role("row").filter(has_text="fake")).not_to_have_count(0)

    await section(page, "Runs")
    await expect(page.locator(".operator-table tbody tr")).to_have_count(36)
    await page.get_by_label("Status").select_option("failed")
    await expect(page.locator(".operator-table tbody tr").first).to_contain_text("Failed")
    await page.locator(".operator-table tbody a").first.click()
    await expect(page.locator(".operator-timeline")).to_contain_text("overloaded")
    assert visit.complaints == []
    await page.context.close()


@needs_questions
async def test_limits_are_set_and_hold_and_it_is_put_down(browser: Browser, busy_site: House) -> None:
    visit = await entered(browser, busy_site)
    page = visit.page
    await section(page, "Limits")
    await page.get_by_role("button", name="Set limits…").click()
    await page.get_by_label("Id").fill("ana")
    await page.get_by_label("Tokens a day").fill("1")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("row").filter(has_text="User ana")).to_contain_text("here")
    conversation = await busy_site.conversation("ana")
    body = {"conversationId": conversation, "content": "More?"}
    await page.get_by_label("User", exact=True).fill("ana")
    await page.get_by_role("button", name="Show").click()
    told = await busy_site.get("/api/admin/limits/standing?userId=ana", user="op", roles=["admin"])
    standing = page.locator(".operator-standing").get_by_role("row").filter(has_text="User ana")
    await expect(standing).to_contain_text(f"{told.json()['scopes'][0]['leftTokens']:,}")
    refused = await busy_site.post("/api/chat/send", body, user="ana")
    assert refused.json()["code"] == "token_limit_reached"
    await page.get_by_role("row").filter(has_text="User ana").get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(page.get_by_role("row").filter(has_text="User ana")).to_have_count(0)
    assert (await busy_site.post("/api/chat/send", body, user="ana")).status_code == 200

    await section(page, "Audit")
    await expect(page.get_by_role("row").filter(has_text="limits.").first).to_be_visible()
    await page.get_by_role("button", name="Verify the chain").click()
    await expect(page.locator(".operator-verified")).to_contain_text("intact")
    assert visit.complaints == []
    await page.context.close()


@needs_questions
async def test_keys_are_made_shown_once_and_revoked(browser: Browser, busy_site: House) -> None:
    visit = await entered(browser, busy_site)
    page = visit.page
    await section(page, "Keys")
    await page.get_by_role("button", name="Make an API key…").click()
    await page.get_by_label("Name", exact=True).fill("shop")
    await page.get_by_label("User", exact=True).fill("ana")
    await page.get_by_role("button", name="Save").click()
    shown = page.get_by_role("dialog").locator("code")
    await expect(shown).to_contain_text("prosa-")
    key = await shown.inner_text()
    for _ in range(3):
        await page.keyboard.press("Escape")
    async with busy_site.client(Authorization=f"Bearer {key}") as client:
        assert (await client.get("/api/session")).json()["userId"] == "ana"
    await page.get_by_role("button", name="Done").click()
    await page.get_by_role("row").filter(has_text="shop").get_by_role("button", name="Revoke").click()
    await page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("row").filter(has_text="shop")).to_contain_text("Revoked")
    async with busy_site.client(Authorization=f"Bearer {key}") as client:
        assert (await client.get("/api/session")).status_code == 401
    assert visit.complaints == []
    await page.context.close()


async def test_only_operators_find_it(browser: Browser, guarded_site: House) -> None:
    link = guarded_site.identity.sign_in_link({"sub": "ana"}, "link-ana", 4_000_000_000)
    context = await browser.new_context(locale="en-GB")
    visit = Visit(await context.new_page(), guarded_site)
    asked: list[str] = []
    visit.page.on("request", lambda request: asked.append(request.url))
    await visit.open(f"/#sign-in={link}")
    await visit.page.get_by_role("heading", name="What shall we talk about?").wait_for()
    await visit.open("/#/operator/audit")
    await visit.page.get_by_role("heading", name="What shall we talk about?").wait_for()
    assert await visit.page.get_by_role("link", name="Operator").count() == 0
    assert not [url for url in asked if "Operator-" in url or "/admin/" in url]
    await context.close()


@needs_questions
@pytest.mark.parametrize(
    ("scheme", "width", "locale"),
    [("light", 1280, "en-GB"), ("dark", 1280, "en-GB"), ("light", 390, "pt-BR")],
)
async def test_axe_finds_nothing_in_any_section(
    browser: Browser, busy_site: House, scheme: str, width: int, locale: str
) -> None:
    visit = await entered(
        browser, busy_site, color_scheme=scheme, viewport={"width": width, "height": 900}, locale=locale,
        reduced_motion="reduce",
    )  # fmt: skip
    page = visit.page
    links = page.locator(".operator-sections a")
    for place in range(await links.count()):
        await links.nth(place).click()
        await page.locator(".operator .app-skeletons").first.wait_for(state="detached")
        assert await findings(page) == [], await links.nth(place).inner_text()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.complaints == []
    await page.context.close()

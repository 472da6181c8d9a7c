"""An exported page in a browser: whatever was said, nothing runs and nobody is asked for anything."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.async_api import Page
from tests.browser import chromium, needs_chromium
from tests.stores import conversation, message

from prosa.domain.content import TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.models import Role
from prosa.services.export.exporter import encoder
from prosa.services.export.formats import Exported

pytestmark = [pytest.mark.browser, needs_chromium]

EVIL = (
    "<script>document.title='run'</script>",
    "<img src='http://127.0.0.1:9/x.png' onerror=\"document.title='run'\">",
    "</title></style></p></code></pre><script>document.title='run'</script>",
    "<svg/onload=\"document.title='run'\">",
    "<iframe srcdoc=\"<script>parent.document.title='run'</script>\"></iframe>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css><style>@import 'http://127.0.0.1:9/y.css'; body{display:none}</style>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<base href='http://127.0.0.1:9/'><a href=\"javascript:document.title='run'\">x</a>",
    "![x](http://127.0.0.1:9/z.png) [x](javascript:alert(1))",
    "<form action=http://127.0.0.1:9/><input autofocus onfocus=\"document.title='run'\"></form>",
    "`````\n</code></pre><script>document.title='run'</script>\n`````",
    "\u202e<details open ontoggle=\"document.title='run'\">\u2066",
)


def exported() -> bytes:
    form = encoder("html")
    chat = conversation(title=EVIL[2], system_prompt=EVIL[0])
    pieces = [form.begin(1, chat.title), form.open(chat, 0)]
    for number, evil in enumerate(EVIL):
        parts = (ThinkingPart(evil), ToolCall(evil, evil, evil), ToolResult(evil, evil, evil), TextPart(evil))
        asked = message(chat, f"{evil}\n\n```html\n{evil}\n```\nAnd what follows.")
        answer = replace(message(chat, evil, role=Role.ASSISTANT), parts=parts, model=evil)
        pieces += [
            form.message(Exported(asked, None, 2 * number), chat),
            form.message(Exported(answer, None, 2 * number + 1), chat),
        ]
    return b"".join([*pieces, form.close(chat), form.end()])


async def test_nothing_runs_and_nothing_leaves(tmp_path: Path) -> None:
    file = tmp_path / "chat.html"
    file.write_bytes(exported())
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 900, "height": 1200})
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda entry: complaints.append(entry.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        await page.goto(file.as_uri())
        await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        await page.wait_for_load_state("networkidle")
        assert asked == [file.as_uri()]
        assert complaints == []
        assert page.url == file.as_uri()
        assert (await page.title()).startswith("</title>")
        assert await page.locator("script, img, svg, iframe, link, form, a, base, input").count() == 0
        assert await page.locator("section.message").count() == 2 * len(EVIL)
        words = await page.locator("main").inner_text()
        assert words.count("onfocus") >= 4
        assert await _contrasts(page, "light") != await _contrasts(page, "dark")


async def _contrasts(page: Page, scheme: str) -> list[str]:
    """The colours of the page, once they are legible."""
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    found: list[list[int]] = await page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
        ".map(colour => colour.match(/\\d+/g).slice(0, 3).map(Number))"
    )
    ink, ground = (_luminance(each) for each in found)
    assert (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05) > 7
    return [str(each) for each in found]


def _luminance(colour: list[int]) -> float:
    """By WCAG 2.2."""
    parts = [each / 255 for each in colour]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

"""People at the page send files: chosen, pasted, dropped, refused, taken out, looked at."""

import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect
from tests.e2e.conftest import Visit
from tests.wire.house import House, furnished


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\x40\x80\xc0"))
    + _chunk(b"IEND", b"")
)
"""One blue pixel."""

CATALOGUE = """
    [models."fake/sees"]
    capabilities = ["images", "documents", "tools"]
    [models."fake/blind"]
    capabilities = ["tools"]
"""


@pytest_asyncio.fixture(loop_scope="session")
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prosa.toml").write_text(CATALOGUE)
    async with furnished(tmp_path) as house, house.listening():
        yield house


def picture(name: str = "cat.png", data: bytes = PNG) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": data}


async def choose(visit: Visit, *files: dict[str, Any]) -> None:
    await visit.page.locator('.prosa-composer input[type="file"]').set_input_files(list(files))


async def model(visit: Visit, name: str) -> None:
    await visit.page.get_by_role("button", name="Model: ").click()
    await visit.page.get_by_role("option", name=name).click()


async def give(visit: Visit, how: str) -> None:
    """Pastes or drops a picture, as a browser would tell of it."""
    await expect(visit.page.get_by_role("textbox", name="Message", exact=True)).to_be_enabled()
    await visit.page.evaluate(
        """async ([how, bytes]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], 'given.png', {type: 'image/png'}));
            const on = document.querySelector(how === 'paste' ? '.prosa-composer textarea' : '.prosa-list');
            const tell = (name, more) => on.dispatchEvent(
                new (how === 'paste' ? ClipboardEvent : DragEvent)(name, {bubbles: true, cancelable: true, ...more}));
            if (how === 'paste') return void tell('paste', {clipboardData: transfer});
            tell('dragenter', {dataTransfer: transfer});
            tell('dragover', {dataTransfer: transfer});
            await new Promise(resolve => setTimeout(resolve, 100));
            document.body.dataset.zone = document.querySelector('.prosa-drop')?.textContent ?? '';
            tell('drop', {dataTransfer: transfer});
        }""",
        [how, list(PNG)],
    )


async def test_files_are_sent_and_shown(visit: Visit) -> None:
    await model(visit, "sees")
    await choose(visit, picture(), {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"ola!"})
    chips = visit.page.get_by_role("list", name="Attachments").get_by_role("listitem")
    await expect(chips).to_have_count(2)
    await expect(chips.nth(1)).to_contain_text("4 bytes")
    visit.house.script = ["A cat."]
    await visit.say("What is it?")
    await visit.sees("A cat.")
    await expect(visit.page.locator(".prosa-composer .prosa-chip")).to_have_count(0)
    for reloaded in (False, True):
        if reloaded:
            await visit.page.reload()
            await visit.sees("A cat.")
        shown = visit.page.get_by_role("img", name="cat.png")
        await expect(shown).to_be_visible()
        assert await shown.evaluate("async each => { await each.decode(); return each.naturalWidth }") == 1
        link = visit.page.get_by_role("link", name="notes.txt")
        assert await link.get_attribute("download") == "notes.txt"
    await visit.page.get_by_role("button", name="Look at cat.png").click()
    await expect(visit.page.get_by_role("dialog", name="cat.png").get_by_role("img")).to_be_visible()
    await visit.page.keyboard.press("Escape")
    # Another version of the question keeps its files, until they are taken out.
    await visit.page.locator('.prosa-row[data-role="user"]').hover()
    await visit.page.get_by_role("button", name="Edit", exact=True).click()
    await expect(visit.page.locator(".prosa-composer .prosa-chip")).to_have_count(2)
    await visit.page.get_by_role("button", name="Take out notes.txt").click()
    visit.house.script = ["Still a cat."]
    await visit.say("And now?")
    await visit.sees("Still a cat.")
    await expect(visit.page.get_by_role("link", name="notes.txt")).to_have_count(0)
    await expect(visit.page.get_by_role("img", name="cat.png")).to_be_visible()


@pytest.mark.parametrize("how", ["paste", "drop"])
async def test_a_picture_is_given(visit: Visit, how: str) -> None:
    await give(visit, how)
    await visit.page.get_by_role("button", name="Take out given.png").wait_for()
    if how == "drop":
        assert "Drop files here" in (await visit.page.evaluate("document.body.dataset.zone"))
        await expect(visit.page.locator(".prosa-drop")).to_have_count(0)
    await visit.page.get_by_role("button", name="Take out given.png").click()
    await expect(visit.page.locator(".prosa-chip")).to_have_count(0)


async def test_what_is_refused_says_why_where_it_stands(visit: Visit) -> None:
    await choose(visit, {"name": "a.exe", "mimeType": "image/png", "buffer": b"MZ\x00\x01"}, picture())
    chip = visit.page.locator('.prosa-chip[data-state="failed"]')
    await expect(chip).to_contain_text("Files of this kind are not taken")
    await expect(visit.page.locator('.prosa-chip[data-state="ready"]')).to_have_count(1)
    await choose(visit, *(picture(f"{n}.png") for n in range(12)))
    await visit.page.get_by_text("ten files at most").wait_for()
    await expect(visit.page.locator(".prosa-chip")).to_have_count(10)


async def test_a_model_that_takes_none(visit: Visit) -> None:
    await model(visit, "blind")
    await choose(visit, picture())
    await visit.page.get_by_text("blind takes no pictures.").wait_for()
    await visit.page.locator('.prosa-chip[data-state="ready"]').wait_for()
    await visit.say("What is it?")
    alert = visit.page.get_by_role("alert").filter(has=visit.page.get_by_role("button"))
    await alert.get_by_role("button", name="Edit the message").click()
    # The text and the file are back where they were.
    box = visit.page.get_by_role("textbox", name="Message", exact=True)
    await expect(box).to_have_value("What is it?")
    await visit.page.get_by_role("button", name="Take out cat.png").click()
    visit.house.script = ["I can't see it."]
    await box.press("Enter")
    await visit.sees("I can't see it.")

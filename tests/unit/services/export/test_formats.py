"""The formats of exports: each from the same conversation, with what is worst for it."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.stores import NOON, conversation, message
from tests.work import within

from prosa.domain.content import (
    DocumentPart,
    ImagePart,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)
from prosa.domain.conversations import Message, MessageStatus
from prosa.domain.feedback import Feedback
from prosa.domain.models import Role
from prosa.services.export.exporter import encoder
from prosa.services.export.formats import Encoder, Exported
from prosa.services.export.markdown import closed, fenced
from prosa.services.export.page import POLICY, prose
from prosa.services.export.sheet import cell

CHAT = conversation(title="Férias <b>& mais</b>", system_prompt="Be brief.")
PARTS = (
    ThinkingPart("Hm."),
    ToolCall("c", "weather", '{"city": "Lisboa"}'),
    ToolResult("c", "```18°```", "weather"),
    ImagePart("image/png", b"x"),
    DocumentPart("application/pdf", b"x", name="a_b.pdf"),
    TextPart("Warm."),
)


SAID = Feedback("m", "ana", CHAT.id, "up", 5, ("a", "=b"), "-so, so", NOON, NOON)


def written(form: Encoder, *messages: Message, more: bool = False) -> str:
    pieces = [form.begin(2 if more else 1, CHAT.title)]
    for place in range(2 if more else 1):
        pieces.append(form.open(CHAT, place))
        pieces += [form.message(Exported(each, SAID, number), CHAT) for number, each in enumerate(messages)]
        pieces.append(form.close(CHAT))
    return b"".join([*pieces, form.end()]).decode()


def said(content: str, role: Role = Role.USER, **fields: object) -> Message:
    return replace(message(CHAT, content, role=role), **fields)


ANSWER = said("Warm.", Role.ASSISTANT, parts=PARTS, model="gpt_x", status=MessageStatus.INCOMPLETE)


def test_markdown() -> None:
    whole = written(encoder("markdown", "pt"), said("Olá!\n\n```py\nx = 1"), ANSWER, more=True)
    one, two = whole.split("\n---\n\n")
    assert one == two
    assert one == (
        "# Férias \\<b\\>& mais\\</b\\>\n\n*2026-09-21 14:13 UTC*\n\n## Sistema\n\nBe brief.\n"
        "\n## Você\n\n*2026-09-21 14:13 UTC*\n\nOlá!\n\n```py\nx = 1\n```\n"
        "\n## Assistente\n\n*2026-09-21 14:13 UTC · gpt\\_x · não terminada*\n\n"
        "> **Raciocínio**\n> \n> Hm.\n\n**Ferramenta: weather**\n\n"
        '```\n{"city": "Lisboa"}\n```\n\n````\n```18°```\n````\n\n*[imagem]*\n\n*[a\\_b.pdf]*\n\nWarm.\n'
    )


@pytest.mark.parametrize(
    ("text", "end"),
    [("a", ""), ("```\na\n```", ""), ("```\na", "\n```"), ("````\n```\na", "\n````"), ("~~~\n```", "\n~~~"), ("    ```\na", ""),
     ("```\na\n``` b", "\n```")],
)  # fmt: skip
def test_blocks_are_closed(text: str, end: str) -> None:
    assert closed(text) == text + end
    assert fenced("a ```` b").startswith("`````\n")


class Seen(HTMLParser):
    """The elements and the text of a page, as a browser would find them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words += data


EVIL = (
    "<script>alert(1)</script>", "</title><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "```\n</code></pre><svg onload=x>",
    '```"><script>x</script>\n</pre>', "<!--", "]]>", "</details></main>", "&lt;script&gt;", "\0<script>", "<a href='javascript:x'>y</a>",
)  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_html_holds_nothing_that_was_not_put_there(evil: str) -> None:
    form = encoder("html")
    evil_chat = replace(CHAT, title=evil, system_prompt=evil)
    parts = (ThinkingPart(evil), ToolCall(evil, evil, evil), ToolResult(evil, evil, evil), DocumentPart(name=evil, data=b""),
             TextPart(evil))  # fmt: skip
    messages = [said(evil), said(evil, Role.ASSISTANT, parts=parts, model=evil, provider=evil)]
    pieces = [form.begin(1, evil), form.open(evil_chat, 0), *(form.message(Exported(each), evil_chat) for each in messages),
              form.close(evil_chat), form.end()]  # fmt: skip
    seen = Seen(b"".join(pieces).decode())
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "details", "summary", "h1", "h2", "span", "time", "div",
               "section", "p", "pre", "code"}  # fmt: skip
    assert set(seen.names) <= allowed
    assert seen.attributes <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
        "open",
        "dir",
        "datetime",
    }
    assert seen.names.count("section") == 2
    assert seen.words.count(evil.replace("\0", "\ufffd").strip("`\n").split("\n")[-1]) >= 8


def test_html_shows_everything() -> None:
    whole = written(encoder("html"), said("Olá!\n\n```py\nx < 1\n```\nend"), ANSWER)
    assert f'content="{POLICY}"' in whole
    assert whole.startswith('<!doctype html>\n<html lang="en">')
    seen = Seen(whole)
    for words in ("Férias <b>& mais</b>", "Be brief.", "Olá!", "x < 1", "end", "Hm.", "Tool: weather", '{"city": "Lisboa"}',
                  "```18°```", "[image]", "[a_b.pdf]", "Warm.", "gpt_x", "not finished", "2026-09-21 14:13 UTC"):  # fmt: skip
        assert words in seen.words, words
    assert '<details class="conversation" open>' in whole
    assert '<details class="conversation">' in written(encoder("html"), ANSWER, more=True)


def test_html_of_code_takes_no_time() -> None:
    for hard in (
        "`" * 1_000_000,
        "```\n" * 250_000,
        "~~~" + "`" * 500_000 + "\n" + "`" * 500_000,
        " " * 1_000_000,
    ):
        with within(1.5):
            prose(hard)
            closed(hard)


def test_csv() -> None:
    nasty = 'a "quote", a comma,\r\na line\0 and é'
    raw = written(
        encoder("csv"), said(nasty), said("=1+1", Role.ASSISTANT, parent_id="x", model="-m"), more=True
    )
    assert raw.startswith("\ufeffconversationId,title,messageId,")
    rows = list(csv.reader(io.StringIO(raw.removeprefix("\ufeff"), newline=""), strict=True))
    assert {len(row) for row in rows} == {15}
    assert len(rows) == 5
    assert rows[1][1] == CHAT.title
    assert rows[1][4:7] == ["user", "completed", "2026-09-21T14:13:20.123456Z"]
    assert rows[1][-1] == nasty.replace("\0", "\ufffd")
    assert rows[2][7:] == ["", "'-m", "message", "up", "5", "a, =b", "'-so, so", "'=1+1"]
    assert NOON == 1_790_000_000_123_456


@given(st.text())
def test_a_cell_is_text_to_every_reader(text: str) -> None:
    (found,) = next(csv.reader(io.StringIO(cell(text), newline=""), strict=True), [""])[:1] or [""]
    plain = text.replace("\0", "\ufffd")
    assert found in (plain, f"'{plain}")
    assert not re.match("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]", found)

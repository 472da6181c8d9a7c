"""HTML: one file to open anywhere. Nothing in it runs, and nothing of it asks anybody for anything."""

import base64
import hashlib
import re
from html import escape

from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult
from prosa.domain.conversations import Conversation, MessageStatus
from prosa.domain.time import Instant, to_iso
from prosa.services.export.formats import Exported, media, minute, words_of

_STYLE = """
:root{color-scheme:light dark;--ink:#1f2328;--quiet:#59636e;--ground:#fff;--bubble:#eef2f7;--line:#d5dbe1}
@media (prefers-color-scheme:dark){
:root{--ink:#e6edf3;--quiet:#9aa5b1;--ground:#14171c;--bubble:#232932;--line:#363d47}
}
body{margin:0 auto;max-width:46rem;padding:2rem 1rem;color:var(--ink);background:var(--ground);
font:1rem/1.6 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.3;margin:0}
h2{font-size:.9rem;margin:0;display:inline}
summary{cursor:pointer}
summary h1{display:inline;font-size:1.15rem}
.conversation{border-bottom:1px solid var(--line);padding:1rem 0}
.message{margin:1.5rem 0}
.user{background:var(--bubble);border-radius:.75rem;padding:.75rem 1rem}
.about{color:var(--quiet);font-size:.85rem}
p{white-space:pre-wrap;margin:.5rem 0}
pre{background:var(--bubble);border-radius:.5rem;padding:.75rem;overflow-x:auto;font-size:.875rem;line-height:1.45}
.user pre{background:var(--ground)}
.aside{color:var(--quiet);border-left:3px solid var(--line);padding-left:.75rem;margin:.75rem 0}
@media print{details>*{display:block}.message{break-inside:avoid-page}}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"

_BLOCK = re.compile(
    r"^ {0,3}(`{3,}+|~{3,}+)[^\n]*+\n(.*?)(?:^ {0,3}\1[`~]*+[ \t]*+$\n?|\Z)", re.MULTILINE | re.DOTALL
)


class Html:
    media_type = "text/html; charset=utf-8"
    suffix = "html"
    whole = False

    def __init__(self, language: str) -> None:
        self._words = words_of(language)
        self._single = False

    def begin(self, conversations: int, title: str | None) -> bytes:
        self._single = conversations == 1
        name = title or self._words["untitled" if self._single else "all"]
        return (
            f'<!doctype html>\n<html lang="{self._words["lang"]}">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n'
            f"<title>{text(name)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        ).encode()

    def open(self, conversation: Conversation, place: int) -> bytes:
        del place
        title = text(conversation.title or self._words["untitled"])
        opened = " open" if self._single else ""
        said = (
            f'<details class="conversation"{opened}>\n<summary><h1 dir="auto">{title}</h1> '
            f'<span class="about">{_time(conversation.created_at)}</span></summary>\n'
        )
        if conversation.system_prompt:
            prompt = prose(conversation.system_prompt)
            said += f'<div class="aside"><h2>{self._words["system"]}</h2>{prompt}</div>\n'
        return said.encode()

    def message(self, placed: Exported, conversation: Conversation) -> bytes:
        del conversation
        message = placed.message
        about = [_time(message.created_at)]
        if message.model:
            about.append(text(message.model))
        if message.status is not MessageStatus.COMPLETED:
            about.append(self._words["incomplete"])
        parts = message.parts or (TextPart(message.content),)
        body = "".join(map(self._part, parts))
        return (
            f'<section class="message {message.role.value}">\n<h2>{self._words[message.role]}</h2> '
            f'<span class="about">{" · ".join(about)}</span>\n{body}</section>\n'
        ).encode()

    def close(self, conversation: Conversation) -> bytes:
        del conversation
        return b"</details>\n"

    def end(self) -> bytes:
        return b"</main>\n</body>\n</html>\n"

    def _part(self, part: Part) -> str:
        match part:
            case TextPart(said):
                return prose(said)
            case ThinkingPart(said):
                return self._folded(self._words["thoughts"], prose(said)) if said else ""
            case ToolCall(_, name, arguments):
                return self._folded(f"{self._words['call']}: {name}", _code(arguments))
            case ToolResult(_, result, name):
                return self._folded(f"{self._words['result']}: {name}", _code(result))
        return f'<p class="about">[{text(media(part, self._words) or "")}]</p>\n'

    @staticmethod
    def _folded(name: str, body: str) -> str:
        return f'<details class="aside"><summary>{text(name)}</summary>{body}</details>\n'


def text(said: str) -> str:
    """`said` as text, whatever it looks like."""
    return escape(said.replace("\0", "\ufffd"))


def prose(said: str) -> str:
    """Paragraphs as they are, and blocks of code."""
    shown, at = [], 0
    for block in _BLOCK.finditer(said):
        shown += [_paragraph(said[at : block.start()]), _code(block[2].removesuffix("\n"))]
        at = block.end()
    return "".join([*shown, _paragraph(said[at:])])


def _paragraph(said: str) -> str:
    said = said.strip("\n")
    return f'<p dir="auto">{text(said)}</p>\n' if said.strip() else ""


def _code(said: str) -> str:
    return f'<pre dir="ltr"><code>{text(said)}</code></pre>\n'


def _time(instant: Instant) -> str:
    return f'<time datetime="{to_iso(instant)}">{minute(instant)}</time>'

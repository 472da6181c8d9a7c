"""CSV: a row for each message (RFC 4180), in UTF-8 with the mark that Excel looks for."""

import re

from prosa.domain.conversations import Conversation
from prosa.domain.time import to_iso
from prosa.services.export.formats import Exported

MARK = b"\xef\xbb\xbf"
COLUMNS = (
    "conversationId", "title", "messageId", "parentId", "role", "status", "createdAt", "provider", "model",
    "kind", "thumb", "rating", "tags", "comment", "content",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula, the full-width forms, too."""
_INNER = re.compile(r"([;\t]\s*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""The same within a cell: where numbers have a comma, programs take a semicolon for what parts the cells, and
then quotes in the middle of a line part nothing."""


class Sheet:
    media_type = "text/csv; charset=utf-8; header=present"
    suffix = "csv"
    whole = True

    def begin(self, conversations: int, title: str | None) -> bytes:
        del conversations, title
        return MARK + ",".join(COLUMNS).encode() + b"\r\n"

    def open(self, conversation: Conversation, place: int) -> bytes:
        del conversation, place
        return b""

    def message(self, placed: Exported, conversation: Conversation) -> bytes:
        message, said = placed.message, placed.feedback
        row = (
            conversation.id,
            conversation.title,
            message.id,
            message.parent_id,
            message.role.value,
            message.status.value,
            to_iso(message.created_at),
            message.provider,
            message.model,
            message.kind.value,
            said and said.thumb,
            said and said.rating and str(said.rating),
            said and ", ".join(said.tags),
            said and said.comment,
            message.content,
        )
        return ",".join(cell(each or "") for each in row).encode() + b"\r\n"

    def close(self, conversation: Conversation) -> bytes:
        del conversation
        return b""

    def end(self) -> bytes:
        return b""


def cell(text: str) -> str:
    """`text` as a cell that no spreadsheet computes."""
    if text.lstrip(" ").startswith(_FORMULA):
        text = f"'{text}"
    if ";" in text or "\t" in text:
        text = _INNER.sub(r"\1'", text)
    if any(sign in text for sign in '",\r\n\0'):
        quoted = text.replace('"', '""').replace("\0", "\ufffd")
        return f'"{quoted}"'
    return text

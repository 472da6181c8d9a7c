"""Rows of the database as the domain's records, column by column in the order of their fields."""

from collections.abc import Sequence

import msgspec

from prosa.adapters.store.statement import Json, Params, Row
from prosa.adapters.store.tables import conversations, files, messages, run_steps, runs
from prosa.domain.content import Part, ThinkingPart, decode_parts, encode_parts
from prosa.domain.context import Counts, Sent, Shown
from prosa.domain.conversations import (
    Conversation,
    ConversationStatus,
    Message,
    MessageKind,
    MessageStatus,
    TitleBy,
)
from prosa.domain.files import File, FileKind
from prosa.domain.models import Role, Turn, Usage
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import Step, StepStatus
from prosa.domain.turns import exchanges, recalled

CONVERSATION = tuple(conversations.c[name] for name in Conversation.__struct_fields__)
MESSAGE = tuple(messages.c[name] for name in Message.__struct_fields__)
STEP = tuple(run_steps.c[name] for name in Step.__struct_fields__)
RUN = tuple(runs.c[name] for name in Run.__struct_fields__)

FLAGS = ("pinned", "archived")
FILE = tuple(files.c[name] for name in File.__struct_fields__)

_usage = msgspec.json.Decoder(Usage)
_sent = msgspec.json.Decoder(Sent)
_counts = msgspec.json.Decoder(Counts)
_ROLES = {role.value: role for role in Role}


def to_conversation(row: Row) -> Conversation:
    """From the columns `CONVERSATION`."""
    values = dict(zip(Conversation.__struct_fields__, row, strict=True))
    values["status"] = ConversationStatus(values["status"])
    values["metadata"] = msgspec.json.decode(values["metadata"])
    for name in FLAGS:
        values[name] = bool(values[name])  # SQLite's are numbers
    values["title_by"] = None if values["title_by"] is None else TitleBy(values["title_by"])
    return Conversation(**values)


def to_message(row: Row) -> Message:
    """From the columns `MESSAGE`."""
    values = dict(zip(Message.__struct_fields__, row, strict=True))
    values["role"] = Role(values["role"])
    values["status"] = MessageStatus(values["status"])
    values["parts"] = to_parts(values["parts"])
    values["metadata"] = msgspec.json.decode(values["metadata"]) if values["metadata"] else {}
    values["kind"] = MessageKind(values["kind"])
    values["tokens"] = to_counts(values["tokens"])
    return Message(**values)


def from_message(message: Message) -> Params:
    """The columns `MESSAGE` as parameters."""
    metadata = Json(msgspec.json.encode(message.metadata).decode()) if message.metadata else None
    return {
        **msgspec.structs.asdict(message),
        "parts": from_parts(message.parts),
        "metadata": metadata,
        "tokens": from_counts(message.tokens),
    }


def to_parts(stored: str | None) -> tuple[Part, ...]:
    return decode_parts(stored) if stored else ()


def from_parts(parts: Sequence[Part]) -> Json | None:
    return Json(encode_parts(parts)) if parts else None


def to_counts(stored: str | None) -> Counts | None:
    return _counts.decode(stored) if stored else None


def from_counts(counts: Counts | None) -> Json | None:
    return None if counts is None else as_json(counts)


def as_json(value: msgspec.Struct) -> Json:
    return Json(msgspec.json.encode(value).decode())


def to_shown(row: Row) -> Shown:
    """From the row of a branch: the message as models see it."""
    identity, _, role, content, _, _, parts, kind, tokens = row
    if kind == MessageKind.SUMMARY:
        return Shown(identity, (recalled(content),), tokens, summary=True)
    if parts is None:
        return Shown(identity, (Turn(_ROLES[role], content),), tokens)
    # No provider wants the thoughts of an earlier run.
    kept = (part for part in to_parts(parts) if not isinstance(part, ThinkingPart))
    return Shown(identity, tuple(exchanges(_ROLES[role], kept)), tokens)


def to_file(row: Row) -> File:
    """From the columns `FILE`."""
    values = dict(zip(File.__struct_fields__, row, strict=True))
    values["kind"] = FileKind(values["kind"])
    return File(**values)


def to_step(row: Row) -> Step:
    """From the columns `STEP`."""
    values = dict(zip(Step.__struct_fields__, row, strict=True))
    values["status"] = StepStatus(values["status"])
    return Step(**values)


def to_run(row: Row) -> Run:
    """From the columns `RUN`."""
    values = dict(zip(Run.__struct_fields__, row, strict=True))
    values["status"] = RunStatus(values["status"])
    values["usage"] = None if values["usage"] is None else _usage.decode(values["usage"])
    values["context"] = None if values["context"] is None else _sent.decode(values["context"])
    return Run(**values)


def unpack(rows: Sequence[Row], after: int = 0) -> list[tuple[int, bytes]]:
    """The numbered lines of journal rows (first_seq, data), past `after`.

    Each number once: a writer that lost the answer to a commit puts the same lines down again.
    """
    lines = []
    for first, data in rows:
        for seq, line in enumerate(bytes(data).split(b"\n"), first):
            if seq > after:
                lines.append((seq, line))
                after = seq
    return lines

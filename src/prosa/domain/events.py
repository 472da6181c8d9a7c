"""What a run tells, numbered from 1: the one vocabulary of every door, and its canonical JSON line.

A line is both what the journal stores and what the native API sends, so it is encoded once.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType


class Start(Struct, frozen=True, tag="start", rename="camel"):
    run_id: str
    conversation_id: str
    user_message_id: str | None
    message_id: str


class Text(Struct, frozen=True):
    """A piece of the answer: the only event with `content`, and the only one without `type`."""

    content: str


class Thinking(Struct, frozen=True, tag="thinking"):
    text: str


class Gap(Struct, frozen=True, tag="gap", rename="camel"):
    """The tail was lost: fetch the message."""

    message_id: str


class Tokens(Struct, frozen=True, rename="camel"):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    estimated: bool | UnsetType = UNSET


class Done(Struct, frozen=True, tag="done", rename="camel"):
    """The end of a run that did not fail. `cost` is a decimal string in US dollars, None if unknown."""

    message_id: str
    status: str
    reason: str
    usage: Tokens | None
    cost: str | None
    remaining: dict[str, Any] | None = None


class Error(Struct, frozen=True, tag="error"):
    code: str
    message: str
    retryable: bool


Event = Start | Text | Thinking | Gap | Done | Error

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Start | Thinking | Gap | Done | Error)
_text_decoder = msgspec.json.Decoder(Text)


def encode(event: Event, seq: int) -> bytes:
    """The event as one line of JSON, numbered."""
    return b'%b,"seq":%d}' % (_encoder.encode(event)[:-1], seq)


def decode(line: bytes) -> Event:
    """The event of a line that `encode` made."""
    return _text_decoder.decode(line) if line.startswith(b'{"content":') else _decoder.decode(line)


def seq_of(line: bytes) -> int:
    """The number of a line that `encode` made: its last field."""
    return int(line[line.rindex(b":") + 1 : -1])

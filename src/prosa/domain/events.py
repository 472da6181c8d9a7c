"""What a run tells, numbered from 1: the one vocabulary of every door, and its canonical JSON line.

A line is both what the journal stores and what the native API sends, so it is encoded once.
"""

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType


class Start(Struct, frozen=True, tag="start", rename="camel"):
    """`provider` and `model` are told where it is not who was asked for: a limit is nearly used up."""

    run_id: str
    conversation_id: str
    user_message_id: str | None
    message_id: str
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class Text(Struct, frozen=True):
    """A piece of the answer: the only event with `content`, and the only one without `type`."""

    content: str


class Thinking(Struct, frozen=True, tag="thinking"):
    text: str


class ToolCalled(Struct, frozen=True, tag="tool_call"):
    """The model begins to call a tool."""

    id: str
    name: str


class ToolArguments(Struct, frozen=True, tag="tool_arguments"):
    """A piece of the arguments' JSON."""

    id: str
    text: str


class ToolReturned(Struct, frozen=True, tag="tool_result"):
    """What a call gave. `status`: completed, failed or denied. A long result is cut short here, and whole in
    the message and the run's steps."""

    id: str
    status: str
    result: str
    truncated: bool | UnsetType = UNSET


class Wanted(Struct, frozen=True):
    """A call that the run waits for: its output, or (`needs` "approval") leave to make it. Arguments that are
    long are left out here: they were told before, and are in the run's steps."""

    id: str
    name: str
    needs: str
    arguments: str | None = None


class RequiresAction(Struct, frozen=True, tag="requires_action"):
    calls: tuple[Wanted, ...]


class Queued(Struct, frozen=True, tag="queued"):
    """The run waits for its provider behind `place` - 1 others."""

    place: int


class Reset(Struct, frozen=True, tag="reset"):
    """Forget the answer so far: it begins anew. `reason` is the code of the error that made it so."""

    reason: str


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
    """The end of a run that did not fail. `cost` is a decimal string in US dollars, None if unknown. A kept
    answer is `cached`, and had been given at `cached_at`. `provider` and `model` as in `Start`."""

    message_id: str
    status: str
    reason: str
    usage: Tokens | None
    cost: str | None
    remaining: dict[str, Any] | None = None
    cached: bool | UnsetType = UNSET
    cached_at: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    model: str | UnsetType = UNSET


class Error(Struct, frozen=True, tag="error"):
    code: str
    message: str
    retryable: bool


Event = (
    Start
    | Text
    | Thinking
    | ToolCalled
    | ToolArguments
    | ToolReturned
    | RequiresAction
    | Queued
    | Reset
    | Gap
    | Done
    | Error
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(
    Start
    | Thinking
    | ToolCalled
    | ToolArguments
    | ToolReturned
    | RequiresAction
    | Queued
    | Reset
    | Gap
    | Done
    | Error
)
_text_decoder = msgspec.json.Decoder(Text)


def encode(event: Event, seq: int) -> bytes:
    """The event as one line of JSON, numbered."""
    return b'%b,"seq":%d}' % (_encoder.encode(event)[:-1], seq)


class _Said(Text, frozen=True):
    """A `Text` with its number, as its line has it."""

    seq: int


def said(text: str, seq: int) -> bytes:
    """The line of a `Text`, as nearly all are: what `encode` makes of it, at half the price. Raises
    UnicodeEncodeError for half a character."""
    return _encoder.encode(_Said(text, seq))


def decode(line: bytes) -> Event:
    """The event of a line that `encode` made."""
    return _text_decoder.decode(line) if line.startswith(b'{"content":') else _decoder.decode(line)


def seq_of(line: bytes) -> int:
    """The number of a line that `encode` made: its last field."""
    return int(line[line.rindex(b":") + 1 : -1])

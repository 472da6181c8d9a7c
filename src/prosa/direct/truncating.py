"""Seed 003's `truncateMessages`: the newest messages that fit, in whole exchanges; and counts of tokens."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from prosa.domain.context import Count, DoesNotFit
from prosa.domain.errors import InvalidRequest
from prosa.services.context import encodings, window
from prosa.services.context.counts import ANSWER, CALL, MESSAGE, count_text

Message = Mapping[str, Any]
M = TypeVar("M", bound=Message)

_INSTRUCTIONS = ("system", "developer")
_RESULTS = ("tool_result", "function_call_output")
_PICTURES = ("image", "image_url", "input_image")
_DOCUMENTS = ("document", "file", "input_file", "input_audio")
_USUAL = "gpt-5"
"""Whose encoding counts where no model is named."""


def count_tokens(messages: str | Sequence[Message], model: str | None = None) -> Count:
    """How many tokens `messages` are as the input of `model`, or how many a single text is by itself.

    `messages` are dicts in OpenAI's or Anthropic's form, as for `truncate_messages`. Answers a `Count` with
    `tokens` and `estimated`: False for text in OpenAI's models (without a `model`, the newer ones), True for
    other models, for pictures and documents, and for calls of tools, whose form OpenAI does not publish. The
    first count in an encoding loads it, which takes half a second. Raises InvalidRequest.
    """
    encoding = encodings.encoding_of(_USUAL if model is None else model)
    if isinstance(messages, str):
        return count_text(messages, encoding)
    counted = [_count(message, encoding) for message in _checked(messages)]
    return Count(sum(each.tokens for each in counted) + ANSWER, any(each.estimated for each in counted))


def truncate_messages(
    messages: Sequence[M],
    max_tokens: int,
    keep_system_prompt: bool = True,  # noqa: FBT001, FBT002 - seed 003's order
    keep_recent_messages: int = 1,
    *,
    model: str | None = None,
) -> list[M]:
    """The newest of `messages` that fit into `max_tokens` tokens together, oldest first: the same dicts.

    `messages` are dicts in OpenAI's form (`{"role", "content"}`, with `tool_calls` and the results of the
    role `tool`) or in Anthropic's (blocks). What stays begins with a message of the user, after the system
    prompt: the system messages at the top, which stay whatever their length unless `keep_system_prompt` is
    False; then they are the first to go. An exchange (a message of the user and all that answers it) goes as
    a whole, so that no call of a tool is parted from its result. The newest `keep_recent_messages` stay in
    any case, with the user's message that they answer, and so do all messages where they fit.

    Tokens are counted for `model`, as `count_tokens` does. Raises `DoesNotFit` (code "context_too_long"; how
    many tokens too many in `details["over"]`) where what must stay is more than `max_tokens`, InvalidRequest.
    """
    if max_tokens < 1 or keep_recent_messages < 0:
        raise InvalidRequest("max_tokens must be 1 or more, and keep_recent_messages 0 or more.")
    if not (given := _checked(messages)):
        return []
    encoding = encodings.encoding_of(_USUAL if model is None else model)
    top = next((place for place, each in enumerate(given) if each["role"] not in _INSTRUCTIONS), len(given))
    spans = _exchanges(given, top)
    must = max(top, len(given) - max(1, keep_recent_messages)) if spans else 0
    head = given[:top] if keep_system_prompt and spans else []
    if top > len(head):
        spans.insert(0, (0, top))
    left = max_tokens - ANSWER - _sum(head, encoding)
    newest = [span for span in spans if span[1] > must]
    left -= sum(_sum(given[start:end], encoding) for start, end in newest)
    if left < 0:
        raise DoesNotFit(model or "OpenAI", over=-left, room=max_tokens)
    kept = newest[0][0] if newest else 0
    for start, end in reversed(spans[: len(spans) - len(newest)]):
        left -= _sum(given[start:end], encoding)
        if left < 0:
            break
        kept = start
    return [*head, *given[kept:]]


def _checked(messages: Sequence[M]) -> list[M]:
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise InvalidRequest(f"a message is a dict with a role and a content - at `$[{place}]`.")
    return list(messages)


def _exchanges(messages: Sequence[Message], top: int) -> list[tuple[int, int]]:
    """From where to where each exchange below the first `top` messages goes."""
    starts = [place for place in range(top, len(messages)) if place == top or _begins(messages[place])]
    return list(zip(starts, [*starts[1:], len(messages)], strict=bool(starts)))


def _begins(message: Message) -> bool:
    """Whether an exchange begins with it: the user says something, and does not only bring results."""
    if message["role"] != "user":
        return False
    content = message.get("content")
    if not isinstance(content, Sequence) or isinstance(content, str) or not content:
        return True
    return not all(isinstance(block, Mapping) and block.get("type") in _RESULTS for block in content)


def _sum(messages: Iterable[Message], encoding: str | None) -> int:
    return sum(_count(message, encoding).tokens for message in messages)


def _count(message: Message, encoding: str | None) -> Count:
    """What a message takes in all."""
    total, estimated = MESSAGE, encoding is None
    for name, value in message.items():
        if name == "role" or value is None:
            continue
        if name == "content" and isinstance(value, str):
            total += count_text(value, encoding).tokens
        elif name == "content" and isinstance(value, Sequence):
            counted = [_count_block(block, encoding) for block in value]
            total += sum(each.tokens for each in counted)
            estimated = estimated or any(each.estimated for each in counted)
        elif name == "name":
            total += 1 + count_text(str(value), encoding).tokens
        else:
            total += CALL + count_text(_said(value), encoding).tokens
            estimated = True
    return Count(total, estimated)


def _count_block(block: object, encoding: str | None) -> Count:
    match block:
        case str(text) | {"text": str(text)}:
            return count_text(text, encoding)
        case {"type": str(kind)} if kind in _PICTURES:
            return Count(window.PICTURE // window.BYTES_A_TOKEN, estimated=True)
        case {"type": str(kind)} if kind in _DOCUMENTS:
            return Count(window.DOCUMENT // window.BYTES_A_TOKEN, estimated=True)
    return Count(CALL + count_text(_said(block), encoding).tokens, estimated=True)


def _said(value: object) -> str:
    """What a model reads of a call or a result, more or less."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)

"""What providers say on loopback: whole answers, and answers piece by piece, on OpenAI's and Anthropic's wires."""

import json
from typing import Any

from tests.unit.adapters.models.loopback import Play, Step

JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
HI = [{"role": "user", "content": "Hello!"}]


def told(body: Any, status: int = 200) -> Play:
    return Play((json.dumps(body).encode(),), status, JSON)


def answered(message: dict[str, Any], reason: str = "stop") -> Play:
    """A whole answer of OpenAI's."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    return told({"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": USAGE})


def called(name: str, arguments: str) -> Play:
    call = {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}
    return answered({"content": None, "tool_calls": [call]}, "tool_calls")


def chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    body = {"id": "c", "object": "chat.completion.chunk", "choices": [choice], **more}
    return f"data: {json.dumps(body)}\n\n".encode()


def streamed(*steps: Step | str, reason: str = "stop") -> Play:
    """A stream of OpenAI's; texts are pieces of the answer, other steps as they are."""
    told = [chunk({"content": step}) if isinstance(step, str) else step for step in steps]
    return Play((*told, chunk({}, reason, usage=USAGE), b"data: [DONE]\n\n"), headers=SSE)


def claude_answered(*blocks: dict[str, Any], reason: str = "end_turn") -> Play:
    """A whole answer of Anthropic's."""
    usage = {"input_tokens": 9, "output_tokens": 3}
    return told({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
                 "content": list(blocks), "stop_reason": reason, "stop_sequence": None, "usage": usage})  # fmt: skip


def claude_streamed(*pieces: str) -> Play:
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "content": [],
                                              "model": "claude-haiku-4-5", "stop_reason": None,
                                              "usage": {"input_tokens": 9, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
          for piece in pieces),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 3}},
        {"type": "message_stop"},
    ]  # fmt: skip
    lines = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]
    return Play(tuple(lines), headers=SSE)

"""What a token of a burst costs to decode, on each wire, beside the provider's own client on the same bytes.

`python -m bench.decode` takes these figures alone.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
from anthropic import Anthropic
from mistralai.client import Mistral
from ollama import Client as Ollama
from openai import OpenAI

from bench.rounds import Spread, spread
from bench.table import figure
from prosa.adapters.models.anthropic.decode import AnthropicDecoder
from prosa.adapters.models.decoder import Decoder
from prosa.adapters.models.mistral.decode import MistralDecoder
from prosa.adapters.models.ollama.decode import OllamaDecoder
from prosa.adapters.models.openai.decode import OpenAIDecoder
from prosa.domain.models import TextDelta

TOKENS = 2_000
PIECE = 8 * 1024
"""Bytes that come at once: what is read of a socket while a burst arrives."""
ROUNDS = 7
TARGET = 6.0
"""Microseconds of CPU a token."""

WORDS = [f" w{number}" for number in range(TOKENS)]
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Oi"}]}

Read = Callable[[list[bytes]], str]


@dataclass(frozen=True)
class Contest:
    """A stream, and who reads it: each gives the text."""

    wire: str
    stream: bytes
    decoder: Callable[[], Decoder]
    client: Read

    def ours(self, pieces: list[bytes]) -> str:
        decoder = self.decoder()
        events = [event for piece in pieces for event in decoder.feed(piece)]
        events += decoder.end()
        return "".join(event.text for event in events if isinstance(event, TextDelta))


def sse(value: dict[str, Any], event: str = "") -> bytes:
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {json.dumps(value, separators=(',', ':'))}\n\n".encode()


def completions(**more: Any) -> bytes:
    """The form that OpenAI and Mistral share; `more` is what stands beside each choice."""
    about = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_760_000_000,
        "model": "m",
    }
    usage = {"prompt_tokens": 9, "completion_tokens": TOKENS, "total_tokens": TOKENS + 9}

    def chunk(delta: dict[str, Any], reason: str | None = None, **last: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return sse({**about, **more, "choices": [choice], **last})

    spoken = b"".join(chunk({"content": word}) for word in WORDS)
    return (
        chunk({"role": "assistant", "content": ""})
        + spoken
        + chunk({}, "stop", usage=usage)
        + b"data: [DONE]\n\n"
    )


def messages() -> bytes:
    """Anthropic's."""

    def event(kind: str, **more: Any) -> bytes:
        return sse({"type": kind, **more}, kind)

    about = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
    usage = {"input_tokens": 9, "output_tokens": 1}
    opening = {**about, "stop_reason": None, "stop_sequence": None, "usage": usage}
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    spoken = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": word}) for word in WORDS
    ]
    return b"".join([
        event("message_start", message=opening),
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        *spoken,
        event("content_block_stop", index=0),
        event("message_delta", delta=end, usage={"output_tokens": TOKENS}),
        event("message_stop"),
    ])  # fmt: skip


def lines() -> bytes:
    """Ollama's."""
    about = {"model": "m", "created_at": "2026-11-21T12:00:00.123456789Z"}

    def line(text: str, **more: Any) -> bytes:
        said = {**about, "message": {"role": "assistant", "content": text}, "done": False, **more}
        return json.dumps(said, separators=(",", ":")).encode() + b"\n"

    last = {"done": True, "done_reason": "stop", "prompt_eval_count": 9, "eval_count": TOKENS}
    return b"".join(map(line, WORDS)) + line("", **last)


class Pieces(httpx2.SyncByteStream, httpx.SyncByteStream):
    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


def transport(pieces: list[bytes]) -> httpx2.MockTransport:
    headers = {"content-type": "text/event-stream"}
    return httpx2.MockTransport(lambda _: httpx2.Response(200, headers=headers, stream=Pieces(pieces)))


def read_by_openai(pieces: list[bytes]) -> str:
    with OpenAI(api_key="x", http_client=httpx2.Client(transport=transport(pieces))) as client:
        chunks = client.chat.completions.create(**ASKED, stream=True)
        return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def read_by_anthropic(pieces: list[bytes]) -> str:
    with Anthropic(api_key="x", http_client=httpx2.Client(transport=transport(pieces))) as client:
        events = client.messages.create(**ASKED, max_tokens=TOKENS, stream=True)
        return "".join(
            event.delta.text
            for event in events
            if event.type == "content_block_delta" and event.delta.type == "text_delta"
        )


def read_by_mistral(pieces: list[bytes]) -> str:
    with Mistral(api_key="x", client=httpx2.Client(transport=transport(pieces))) as client:
        events = client.chat.stream(**ASKED)
        return "".join(str(choice.delta.content or "") for event in events for choice in event.data.choices)


def read_by_ollama(pieces: list[bytes]) -> str:
    answering = httpx.MockTransport(lambda _: httpx.Response(200, stream=Pieces(pieces)))
    told = Ollama(host="http://127.0.0.1:9", transport=answering).chat(**ASKED, stream=True)
    return "".join(line.message.content or "" for line in told)


CONTESTS = (
    Contest(
        "OpenAI",
        completions(service_tier="default", system_fingerprint="fp", usage=None, obfuscation="a1b2c3"),
        OpenAIDecoder,
        read_by_openai,
    ),
    Contest("Anthropic", messages(), AnthropicDecoder, read_by_anthropic),
    Contest("Mistral", completions(p="abcdefghijklmnopqr"), MistralDecoder, read_by_mistral),
    Contest("Ollama", lines(), OllamaDecoder, read_by_ollama),
)


def cost(read: Read, pieces: list[bytes]) -> float:
    """Microseconds of CPU a token. Raises `RuntimeError` where the text is another than what was sent."""
    began = time.process_time_ns()
    text = read(pieces)
    spent = time.process_time_ns() - began
    if text != "".join(WORDS):
        raise RuntimeError("the text that was read is not the one that was sent")
    return spent / 1_000 / TOKENS


def measured(contest: Contest) -> tuple[Spread, Spread]:
    """The client's figures and ours, by turns, after a round of each that warms it."""
    stream = contest.stream
    pieces = [stream[at : at + PIECE] for at in range(0, len(stream), PIECE)]
    taken = [(cost(contest.client, pieces), cost(contest.ours, pieces)) for _ in range(ROUNDS + 1)][1:]
    return spread([theirs for theirs, _ in taken]), spread([ours for _, ours in taken])


def table() -> str:
    """A row for each wire."""
    head = (
        f"{'decode a burst: CPU per token, µs':<36}{'client':>8}{'Prosa':>8}{'least':>8}{'most':>8}  target"
    )
    rows = [head, "-" * len(head)]
    for contest in CONTESTS:
        theirs, ours = measured(contest)
        verdict = "ok" if ours.median <= TARGET else "missed"
        columns = (theirs.median, ours.median, ours.least, ours.most)
        figures = "".join(f"{figure(each):>8}" for each in columns)
        rows.append(f"{contest.wire:<36}{figures}  ≤ {TARGET:g} µs  {verdict}")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table())

"""A stored file arrives at each provider as its own client would send it."""

import base64
from pathlib import Path
from typing import Any

import anthropic.types
import mistralai.client.models
import ollama
import openai.types.chat
import pytest
from pydantic import TypeAdapter
from tests.pictures import PDF, png
from tests.unit.adapters.models.loopback import Loopback, Play
from tests.unit.adapters.models.speech import SPEECHES
from tests.wire.house import House, furnished
from tests.wire.uploads import upload

PICTURE, WORDS = png(4, 4), "Olá, \U0001f30e!"
FRAMED = f'<document name="a.txt">\n{WORDS}\n</document>'

JUDGES: dict[str, Any] = {
    "openai": TypeAdapter(openai.types.chat.ChatCompletionMessageParam),
    "anthropic": TypeAdapter(anthropic.types.MessageParam),
    "mistral": TypeAdapter(mistralai.client.models.UserMessage),
}
"""What each provider's own client takes for a message."""


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{encoded(data)}"


ARRIVES: dict[str, Any] = {
    "openai": [
        {"type": "image_url", "image_url": {"url": url("image/png", PICTURE)}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": url("application/pdf", PDF)}},
        {"type": "text", "text": FRAMED},
        {"type": "text", "text": "Read."},
    ],
    "anthropic": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": encoded(PICTURE)}},
        {"type": "document", "title": "a.pdf",
         "source": {"type": "base64", "media_type": "application/pdf", "data": encoded(PDF)}},
        {"type": "document", "title": "a.txt", "source": {"type": "text", "media_type": "text/plain", "data": WORDS}},
        {"type": "text", "text": "Read."},
    ],
    "mistral": [
        {"type": "image_url", "image_url": {"url": url("image/png", PICTURE)}},
        {"type": "text", "text": FRAMED},
        {"type": "text", "text": "Read."},
    ],
}  # fmt: skip
MODELS = {
    "openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "mistral": "mistral-small-latest", "ollama": "qwen3-vl:4b",
}  # fmt: skip
ADDRESS = {"openai": "/v1", "anthropic": "", "mistral": "", "ollama": ""}


def settings(provider: str, base: str) -> dict[str, Any]:
    if provider == "ollama":
        return {"ollama_server": base}
    return {f"{provider}_api_key": "x", f"{provider}_base_url": base + ADDRESS[provider]}


async def attached(house: House, provider: str) -> list[str]:
    """A picture, a PDF where the provider's model takes one, and a text."""
    files = [(PICTURE, "a.png"), (PDF, "a.pdf"), (WORDS.encode(), "a.txt")]
    if provider in ("mistral", "ollama"):
        del files[1]
    return [(await upload(house, data, name))["id"] for data, name in files]


@pytest.mark.parametrize("provider", MODELS)
async def test_a_stored_file_arrives(tmp_path: Path, provider: str) -> None:
    answer = Play((SPEECHES[provider].whole("Oi!"),))
    async with (
        Loopback(answer).listening() as there,
        furnished(tmp_path, **settings(provider, there.base)) as house,
    ):
        one = await house.conversation(provider=provider, model=MODELS[provider])
        happened = await house.send(one, "Read.", attachments=await attached(house, provider))
        assert happened[-1]["status"] == "completed", happened
        message = there.seen[-1].body["messages"][-1]
        if provider == "ollama":
            said = ollama.Message(
                role="user", content=f"{FRAMED}\n\nRead.", images=[ollama.Image(value=PICTURE)]
            )
            assert message == said.model_dump(exclude_none=True)
        else:
            assert message["content"] == ARRIVES[provider]
            JUDGES[provider].validate_python(message)
        stored = await house.get(f"/api/conversations/{one}/messages")
        assert encoded(PICTURE)[:40] not in stored.text
        assert encoded(PICTURE)[:40] not in (tmp_path / "prosa.db").read_bytes().decode("latin-1")

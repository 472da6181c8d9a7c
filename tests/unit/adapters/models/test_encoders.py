"""What each provider is asked, field by field."""

from typing import Any

import pytest
from msgspec.json import decode
from msgspec.structs import replace

from prosa.adapters.models.anthropic import encode as anthropic
from prosa.adapters.models.mistral import encode as mistral
from prosa.adapters.models.ollama import encode as ollama
from prosa.adapters.models.openai import encode as openai
from prosa.adapters.models.openai.dialect import OPENAI, Dialect, localised
from prosa.domain.errors import InvalidRequest
from prosa.domain.models import ChatRequest, Role, Turn

ENCODERS: dict[str, Any] = {
    "openai": openai.encode,
    "anthropic": anthropic.encode,
    "mistral": mistral.encode,
    "ollama": ollama.encode,
}
every_provider = pytest.mark.parametrize("encode", ENCODERS.values(), ids=ENCODERS)

ASKED = ChatRequest(
    model="some-model",
    system="Seja breve.",
    turns=(Turn(Role.USER, "Oi"), Turn(Role.ASSISTANT, "Olá!"), Turn(Role.USER, "Tudo bem?")),
    max_tokens=99,
)
SPOKEN = [
    {"role": "user", "content": "Oi"},
    {"role": "assistant", "content": "Olá!"},
    {"role": "user", "content": "Tudo bem?"},
]
WITH_SYSTEM = [{"role": "system", "content": "Seja breve."}, *SPOKEN]


def test_openai() -> None:
    assert decode(openai.encode(ASKED)) == {
        "model": "some-model",
        "messages": WITH_SYSTEM,
        "max_completion_tokens": 99,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_servers_that_resemble_openai() -> None:
    plain = Dialect(
        name="plain", base_url="http://h/v1", cap="max_tokens", refuses=frozenset({"stream_options"})
    )
    assert decode(openai.encode(ASKED, plain)) == {
        "model": "some-model",
        "messages": WITH_SYSTEM,
        "max_tokens": 99,
        "stream": True,
    }


def test_an_address_tells_the_dialect() -> None:
    assert localised(OPENAI, None) is OPENAI
    assert localised(OPENAI, "https://api.openai.com/v1/").cap == "max_completion_tokens"
    elsewhere = localised(OPENAI, "http://127.0.0.1:9100/v1")
    assert (elsewhere.cap, elsewhere.needs_key, elsewhere.name) == ("max_tokens", False, "openai")
    row = Dialect(name="row", base_url="https://row.example/v1")
    assert localised(row, "https://other.example/v1") == replace(row, base_url="https://other.example/v1")


def test_anthropic() -> None:
    assert decode(anthropic.encode(ASKED)) == {
        "model": "some-model",
        "system": "Seja breve.",
        "messages": SPOKEN,
        "max_tokens": 99,
        "stream": True,
    }


def test_mistral() -> None:
    body = decode(mistral.encode(ASKED))
    assert body == {"model": "some-model", "messages": WITH_SYSTEM, "max_tokens": 99, "stream": True}


def test_ollama() -> None:
    assert decode(ollama.encode(ASKED)) == {
        "model": "some-model",
        "messages": WITH_SYSTEM,
        "stream": True,
        "options": {"num_predict": 99},
    }


@every_provider
@pytest.mark.parametrize("asked", [0.0, 0.7, 2.0])
def test_a_temperature_is_sent_when_asked_for(encode: Any, asked: float) -> None:
    body = decode(encode(replace(ASKED, temperature=asked)))
    most = {anthropic.encode: 1.0, mistral.encode: 1.5}.get(encode, 2.0)
    assert body.get("options", body)["temperature"] == min(asked, most)


@every_provider
def test_empty_turns_are_left_out(encode: Any) -> None:
    turns = (
        Turn(Role.USER, "Oi"),
        Turn(Role.ASSISTANT, ""),
        Turn(Role.ASSISTANT, " \n"),
        Turn(Role.USER, "?"),
    )
    messages = decode(encode(replace(ASKED, turns=turns, system=" ")))["messages"]
    assert "".join(message["content"] for message in messages).replace("\n", "") == "Oi?"


@every_provider
def test_nothing_to_answer(encode: Any) -> None:
    for turns in ((), (Turn(Role.USER, " "),)):
        with pytest.raises(InvalidRequest):
            encode(replace(ASKED, turns=turns))


@every_provider
def test_a_turn_of_tools_holds_results(encode: Any) -> None:
    with pytest.raises(InvalidRequest):
        encode(replace(ASKED, turns=(Turn(Role.USER, "Oi"), Turn(Role.TOOL, "42"))))


@every_provider
def test_text_that_no_json_can_hold(encode: Any) -> None:
    asked = ChatRequest(model="m\ud800", system="s\ud800", turns=(Turn(Role.USER, "a\ud83d\ude00\udc00\0b"),))
    assert "a\N{GRINNING FACE}\ufffd\ufffdb" in encode(asked).decode()


@pytest.mark.parametrize(
    ("spoken", "messages"),
    [
        (["user:a", "user:b"], ["user:a\n\nb"]),
        (["user:a", "assistant:b", "assistant:c", "user:d"], ["user:a", "assistant:b\n\nc", "user:d"]),
        (["assistant:a", "user:b"], ["user:…", "assistant:a", "user:b"]),
        (["user:a", "assistant:b \n"], ["user:a", "assistant:b"]),
        (["user:a", "system:x", "user:b"], ["user:a\n\nb"]),
        (["system:x"], ["user:…"]),
    ],
)
def test_anthropic_wants_turns_by_turns(spoken: list[str], messages: list[str]) -> None:
    turns = tuple(Turn(Role(role), text) for role, text in (turn.split(":") for turn in spoken))
    body = decode(anthropic.encode(replace(ASKED, turns=turns)))
    assert [f"{message['role']}:{message['content']}" for message in body["messages"]] == messages
    assert body["system"] == ("Seja breve.\n\nx" if "system:x" in spoken else "Seja breve.")

"""Writes a request as Anthropic's messages take it."""

from typing import Any

import msgspec
from msgspec.structs import replace

from prosa.adapters.models.anthropic.caching import cached
from prosa.adapters.models.anthropic.errors import PROVIDER
from prosa.adapters.models.anthropic.messages import messages, resumes
from prosa.adapters.models.anthropic.schema import enforceable
from prosa.adapters.models.anthropic.thinking import Plan, planned
from prosa.adapters.models.anthropic.tools import Choice, chosen, declared
from prosa.adapters.models.anthropic.traits import Traits, traits
from prosa.adapters.models.formats import JSON_ALONE
from prosa.adapters.models.turns import prepared
from prosa.domain.content import ThinkingPart
from prosa.domain.models import ChatRequest, Role, Turn

HOTTEST = 1.0
JSON_SCHEMA = f"{JSON_ALONE} It has to fit this JSON Schema: "


def encode(request: ChatRequest, *, caching: bool = False) -> bytes:
    """The JSON body of `POST {base}/v1/messages`, streamed unless the request wants the answer whole.

    A forced tool call rules thinking out, and thinking rules temperature and top_p out; what a model refuses
    is left out or said in its nearest words, so that one setting serves models of all providers. Any JSON
    object (without a schema) can only be asked for in the system prompt.
    """
    model = traits(request.model)
    body, plan = asked(request, model)
    body |= {"max_tokens": request.max_tokens, "stream": not request.whole}
    body |= sampling(request, model, thinks=plan.thinks)
    if request.stop:
        body["stop_sequences"] = request.stop
    return msgspec.json.encode(cached(body) if caching else body)


def counting(request: ChatRequest) -> bytes:
    """The JSON body of `POST {base}/v1/messages/count_tokens`: the input alone."""
    return msgspec.json.encode(asked(request, traits(request.model))[0])


def asked(request: ChatRequest, model: Traits) -> tuple[dict[str, Any], Plan]:
    """The fields that are input, and how the model is to think."""
    request = prepared(request, PROVIDER)
    written = messages(shown(request.turns, model), prefill=model.prefill)
    body: dict[str, Any] = {"model": request.model, "messages": written}
    choice = Choice()
    if tools := declared(request, written, model):
        body["tools"] = tools
        choice = chosen(request, model)
        if choice.field is not None:
            body["tool_choice"] = choice.field
    plan = planned(request, model, forced=choice.forced, resumes=resumes(written))
    if plan.thinking is not None:
        body["thinking"] = plan.thinking
    output, rule = shaped(request, model)
    if plan.effort is not None:
        output["effort"] = plan.effort
    if output:
        body["output_config"] = output
    if system := instructions(request, rule, choice.said):
        body["system"] = system
    return body, plan


def shown(turns: tuple[Turn, ...], model: Traits) -> tuple[Turn, ...]:
    """The turns that are messages. A thought that is bound to what preceded it goes back only while its tools
    are still being called: a conversation's beginning may be left out later, or edited."""
    turns = tuple(turn for turn in turns if turn.role is not Role.SYSTEM)
    if not model.bound:
        return turns
    last = max((place for place, turn in enumerate(turns) if turn.role is Role.USER), default=0)
    return (*(without_thoughts(turn) for turn in turns[:last]), *turns[last:])


def without_thoughts(turn: Turn) -> Turn:
    return replace(turn, parts=tuple(part for part in turn.parts if not isinstance(part, ThinkingPart)))


def instructions(request: ChatRequest, *more: str | None) -> str:
    """The system prompt, with what the conversation's own system turns say and what no field can."""
    spoken = [turn.content for turn in request.turns if turn.role is Role.SYSTEM]
    return "\n\n".join(text for text in (request.system, *spoken, *more) if text)


def shaped(request: ChatRequest, model: Traits) -> tuple[dict[str, Any], str | None]:
    """The field `output_config` that holds the answer to its format, or else the words that ask for it."""
    wanted = request.response_format
    if wanted is None:
        return {}, None
    if wanted.mode == "json_object" or wanted.schema is None:
        return {}, JSON_ALONE
    if not model.schemas:
        return {}, JSON_SCHEMA + msgspec.json.encode(wanted.schema).decode()
    return {"format": {"type": "json_schema", "schema": enforceable(wanted.schema)}}, None


def sampling(request: ChatRequest, model: Traits, *, thinks: bool) -> dict[str, Any]:
    """Temperature and top_p as far as the model takes them; of two where it takes one, the temperature."""
    if thinks or model.sampling == 0:
        return {}
    fields: dict[str, Any] = {}
    if request.temperature is not None:  # others go up to 2, and one setting serves them all
        fields["temperature"] = min(request.temperature, HOTTEST)
    if request.top_p is not None and len(fields) < model.sampling:
        fields["top_p"] = request.top_p
    return fields

"""Seed 003's `summarizeConversation`: what a talk came to, as a text."""

from collections.abc import Mapping, Sequence
from typing import Any

from prosa.direct.asking import form
from prosa.direct.opened import default_models
from prosa.domain.context import Shown
from prosa.domain.errors import ContentRefused, InvalidRequest
from prosa.domain.models import Role
from prosa.services.context.summary import longest, pieces, question, shortened
from prosa.services.models.generate import generate
from prosa.transport.openai.asked import asked_of
from prosa.transport.openai.forms import ChatBody


async def summarize_conversation(
    messages: Sequence[Mapping[str, Any]],
    *,
    provider: str | None = None,
    model: str | None = None,
    summary: str | None = None,
    max_tokens: int | None = None,
) -> str:
    """What was said in `messages` (dicts in OpenAI's form, oldest first; instructions are left out), in the
    language of the talk: facts, wishes, decisions, what is open.

    `provider` and `model` say who writes it; without them, the defaults of the settings do. A `summary` of
    what came before is taken over into the new one, so that a talk can be summed up piece by piece. A talk
    that is longer than the model's window is read in pieces, the newest four. The text has about `max_tokens`
    tokens at most (1,024, or a sixteenth of the window). Nothing is stored. Raises InvalidRequest (which says
    where), ContentRefused where the model writes nothing, ProviderError.

        summary = await summarize_conversation(messages, model="gpt-4.1-mini")
    """
    if max_tokens is not None and max_tokens < 1:
        raise InvalidRequest("max_tokens must be 1 or more.")
    asked = asked_of(form({"messages": messages}, ChatBody))
    said = [turn for turn in asked.turns if turn.role is not Role.SYSTEM]
    if not said:
        raise InvalidRequest("there is nothing to sum up: no message of a user or an assistant.")
    models = await default_models()
    choice = models.catalogue.choose((provider, model))
    context = models.catalogue.window(choice)
    most = max_tokens or longest(context)
    writer = models.catalogue.resolve(choice)
    shown = [Shown(str(place), (turn,)) for place, turn in enumerate(said)]
    notes = summary
    for piece in pieces(shown, context):
        answer = await generate(writer, question(choice.model, notes, piece, most))
        notes = shortened(answer.text, most)
        if not notes:
            raise ContentRefused(choice.provider)
    return notes or ""

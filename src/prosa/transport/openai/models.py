"""`/v1/models`: what can be asked for, as OpenAI lists it."""

from typing import Literal

from msgspec import Struct

from prosa.domain import errors as e
from prosa.services.models.listing import Entry
from prosa.transport.openai.errors import FAILURES
from prosa.transport.operation import Call, Nothing, Operation, Reply

UNKNOWN = 1_686_935_002
"""Seconds since 1970: when OpenAI's own oldest models were made, for those of which nobody tells."""


class ModelObject(Struct, frozen=True):
    """`id` is what to write as the model: "provider/model", or the name of a route or an alias."""

    id: str
    created: int
    owned_by: str
    object: Literal["model"] = "model"


class ModelList(Struct, frozen=True):
    data: list[ModelObject]
    object: Literal["list"] = "list"


async def list_models_of_v1(call: Call[Nothing, Nothing]) -> Reply:
    """Routes and aliases first, then the models of each provider that can answer."""
    return Reply(200, ModelList([_form(entry) for entry in await call.chat.listing.entries()]))


async def get_model_of_v1(call: Call[Nothing, Nothing]) -> Reply:
    """By an id of the list, or by a model's own name where one provider alone has it."""
    wanted = call.path["model"]
    entries = await call.chat.listing.entries()
    found = [entry for entry in entries if entry.id == wanted] or [
        entry for entry in entries if entry.model == wanted
    ]
    if len(found) != 1:
        raise e.NoSuchModel("Prosa", model=wanted)
    return Reply(200, _form(found[0]))


def _form(entry: Entry) -> ModelObject:
    return ModelObject(entry.id, entry.created or UNKNOWN, entry.provider)


OPERATIONS = [
    Operation("GET", "/v1/models", "List models", list_models_of_v1, gives={200: ModelList},
              failures=FAILURES),
    Operation("GET", "/v1/models/{model}", "Get a model", get_model_of_v1, gives={200: ModelObject},
              failures=FAILURES, errors=(e.NoSuchModel,), deep=True),
]  # fmt: skip

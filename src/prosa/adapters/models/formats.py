"""Words for the format of an answer, beside the field that asks for it."""

from typing import Any

from prosa.domain.models import ChatRequest, ResponseFormat

JSON_ALONE = "Answer with one JSON object and nothing else: no other text, no code fence."


def json_rule(request: ChatRequest) -> str | None:
    """What to say to a model that is to write any JSON object, where nobody has said JSON to it yet: without
    a word of it, models that are held to JSON write blanks until their limit. A schema speaks for itself.

    Source: the providers' own warnings, in Mistral's API reference and Ollama's.
    """
    wanted = request.response_format
    if wanted is None or wanted.schema is not None:
        return None
    spoken = (request.system or "", *(turn.content for turn in request.turns))
    return None if any("json" in text.lower() for text in spoken) else JSON_ALONE


def json_schema(wanted: ResponseFormat) -> dict[str, Any]:
    """The field `response_format` of OpenAI's wire and Mistral's that holds an answer to a schema."""
    schema = {
        "name": wanted.name,
        "description": wanted.description,
        "schema": wanted.schema,
        "strict": wanted.strict,
    }
    said = {name: value for name, value in schema.items() if value is not None}
    return {"type": "json_schema", "json_schema": said}

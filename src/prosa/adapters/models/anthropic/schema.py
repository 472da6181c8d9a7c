"""Rewrites a JSON Schema into the part of that language to which Anthropic can hold a model.

What it can't enforce is said to the model in the description instead.

Source: Anthropic's guide to structured outputs, "JSON Schema limitations".
"""

import json
from collections.abc import Mapping
from typing import Any

from prosa.domain.errors import InvalidRequest

COMBINED = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
NAMED = {"$defs", "definitions", "properties"}
KEPT = {"type", "const", "$ref", "description", "title", "required", "default"}
FORMATS = (
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
)  # fmt: skip
FEWEST = (0, 1)
DROPPED = {"$schema", "$id", "$comment", "additionalProperties"}


def enforceable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with objects closed and without the constraints that make Anthropic refuse it.

    Raises `InvalidRequest` where it is nested deeper than anyone can mean.
    """
    try:
        return closed(schema)
    except RecursionError:
        raise InvalidRequest("the JSON Schema is nested too deeply") from None


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    left: dict[str, Any] = {}
    for key, value in schema.items():
        if (kept := rewritten(key, value)) is not None:
            made[kept[0]] = kept[1]
        elif key not in DROPPED:
            left[key] = value
    if made.get("type") == "object" or "properties" in made:
        made.setdefault("properties", {})
        made["additionalProperties"] = False
    if left:
        rules = ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in left.items())
        made["description"] = f"{made['description']} ({rules})" if "description" in made else rules
    return made


def rewritten(key: str, value: Any) -> tuple[str, Any] | None:
    """The keyword as Anthropic takes it; None where it does not."""
    if key in KEPT or (key == "format" and value in FORMATS) or (key == "minItems" and value in FEWEST):
        return key, value
    if key == "enum" and isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return key, value
    if key in COMBINED and isinstance(value, list):
        return COMBINED[key], [inner(part) for part in value]
    if key in NAMED and isinstance(value, dict):
        return key, {name: inner(part) for name, part in value.items()}
    if key == "items" and isinstance(value, dict):
        return key, closed(value)
    return None


def inner(part: Any) -> Any:
    return closed(part) if isinstance(part, dict) else part

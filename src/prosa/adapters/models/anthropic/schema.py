"""Rewrites a JSON Schema into the part of that language to which Anthropic can hold a model.

What it can't enforce is said to the model in the description instead.

Source: Anthropic's guide to structured outputs, "JSON Schema limitations".
"""

import json
from collections.abc import Mapping
from typing import Any

COMBINED = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
NAMED = ("$defs", "definitions", "properties")
KEPT = {"type", "enum", "const", "$ref", "description", "title", "required", "default"}
FORMATS = {
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
}  # fmt: skip
DROPPED = {"$schema", "$id", "$comment", "additionalProperties"}


def enforceable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """`schema` with objects closed and without the constraints that make Anthropic refuse it."""
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
    if key in KEPT or (key == "format" and value in FORMATS) or (key == "minItems" and value in {0, 1}):
        return key, value
    if key in COMBINED and isinstance(value, list):
        return COMBINED[key], [inner(part) for part in value]
    if key in NAMED and isinstance(value, dict):
        return key, {name: inner(part) for name, part in value.items()}
    if key == "items" and isinstance(value, dict):
        return key, inner(value)
    return None


def inner(part: Any) -> Any:
    return enforceable(part) if isinstance(part, dict) else part

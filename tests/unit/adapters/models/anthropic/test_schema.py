"""Schemas in the part of their language to which Anthropic can hold a model."""

from typing import Any

import pytest
from anthropic import transform_schema

from prosa.adapters.models.anthropic.schema import enforceable
from prosa.domain.errors import InvalidRequest

NAME = {"type": "string"}


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"type": "object"}, {"type": "object", "properties": {}, "additionalProperties": False}),
        (
            {"type": "object", "properties": {"a": NAME}, "additionalProperties": {"type": "integer"}},
            {"type": "object", "properties": {"a": NAME}, "additionalProperties": False},
        ),
        ({"oneOf": [NAME, {"type": "null"}]}, {"anyOf": [NAME, {"type": "null"}]}),
        (
            {"type": "integer", "minimum": 1, "maximum": 9, "description": "Um número."},
            {"type": "integer", "description": "Um número. (minimum: 1, maximum: 9)"},
        ),
        ({"type": "string", "format": "uuid"}, {"type": "string", "format": "uuid"}),
        ({"type": "string", "format": "cpf"}, {"type": "string", "description": 'format: "cpf"'}),
        ({"type": "string", "format": ["x"]}, {"type": "string", "description": 'format: ["x"]'}),
        (
            {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 3},
            {
                "type": "array",
                "items": {"type": "object", "properties": {}, "additionalProperties": False},
                "minItems": 1,
                "description": "maxItems: 3",
            },
        ),
        ({"enum": ["a", 1, None], "$comment": "x"}, {"enum": ["a", 1, None]}),
        ({"enum": [{"a": 1}]}, {"description": 'enum: [{"a": 1}]'}),
        ({"type": "object", "properties": {"format": True}}, {"type": "object", "properties": {"format": True},
                                                              "additionalProperties": False}),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"type": "string", "pattern": "x"}}},
         {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string", "description": 'pattern: "x"'}}}),
    ],
)  # fmt: skip
def test_what_is_made_of_a_schema(given: dict[str, Any], made: dict[str, Any]) -> None:
    assert enforceable(given) == made


def test_the_official_client_enforces_the_same() -> None:
    """Apart from the wording of what can't be enforced."""
    given = {
        "type": "object",
        "$defs": {"day": {"type": "string", "format": "date"}},
        "properties": {
            "when": {"$ref": "#/$defs/day"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 2},
            "size": {"oneOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]},
            "kind": {"type": "object", "properties": {"name": {"type": "string", "pattern": "x"}}},
        },
        "required": ["when"],
    }
    assert wordless(enforceable(given)) == wordless(transform_schema(given))


def wordless(schema: Any) -> Any:
    if isinstance(schema, list):
        return [wordless(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: wordless(value) for key, value in schema.items() if key != "description"}


def test_a_bottomless_schema_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"type": "array", "items": deep}
    with pytest.raises(InvalidRequest):
        enforceable(deep)

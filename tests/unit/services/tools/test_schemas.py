"""Schemas that would fetch, hang or swell are refused; those that tools really have are taken."""

from typing import Any

import pytest
from tests.work import within

from prosa.services.tools import schemas
from prosa.services.tools.schemas import UnusableSchema, checker


def chain(length: int, keyword: str = "anyOf", **leaf: Any) -> dict[str, Any]:
    """Definitions that each refer twice to the next: 2 ** length schemas in a page of JSON."""
    defs: dict[str, Any] = {f"d{at}": {keyword: [{"$ref": f"#/$defs/d{at + 1}"}] * 2} for at in range(length)}
    defs[f"d{length}"] = {"type": "object", **leaf}
    return {"$defs": defs, "$ref": "#/$defs/d0"}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


TREE = {
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "value": {"type": "integer"},
                "left": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "right": {"anyOf": [{"$ref": "#/$defs/Node"}, {"type": "null"}]},
                "more": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
        }
    },
    "$ref": "#/$defs/Node",
}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {}},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.org/x"},
        {"properties": {"$ref": {"type": "string"}, "enum": {"enum": ["$dynamicRef"]}}},
        {"properties": {"a": {"pattern": r"^(?!x)\w+$"}, "b": {"default": {"$ref": "http://x"}}}},
        {"properties": {"a": {"$ref": "#/$defs/a~1b%20c"}}, "$defs": {"a/b c": {"type": "string"}}},
        {"allOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}, "else": {}}]},
        {"dependencies": {"a": ["b"]}, "patternProperties": {"^x-": {"type": "string"}}},
        {
            "unevaluatedProperties": False,
            "anyOf": [{"properties": {"a": True}}, {"properties": {"b": False}}],
        },
        chain(5),
        TREE,
        {"properties": {"self": {"$ref": "#"}}},
        deep(20),
    ],
)
def test_schemas_that_tools_have(schema: dict[str, Any]) -> None:
    assert checker(schema).validator.is_valid({})
    assert checker(schema).levels >= 10
    assert checker(schema) is checker(dict(schema))


@pytest.mark.hostile(51)
@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "object"),
        ({"type": "string"}, "object"),
        ({"type": "nonsense"}, "object"),
        ({"properties": 7}, "7"),
        ({"properties": {"a": {"type": "text"}}}, "text"),
        ({"properties": {"a": {"pattern": "("}}}, "regex"),
        ({"properties": {"a": {"pattern": "(a{1000}){1000}"}}}, "regex"),
        ({"properties": {"a": {"minimum": float("nan")}}}, "null"),
        ({"properties": {"a": object()}}, "no JSON"),
        ({"description": "\ud800"}, "no JSON"),
        ({"description": "x" * 70_000}, "longer than"),
        (deep(300), "too deep"),
        ({"$ref": "http://127.0.0.1:1/x"}, "#/"),
        ({"$ref": "file:///etc/passwd"}, "#/"),
        ({"$ref": "other.json"}, "#/"),
        ({"$ref": "#anchor", "$defs": {"a": {"$anchor": "anchor"}}}, "#/"),
        ({"$ref": 7}, "#/"),
        ({"$ref": "#/$defs/none"}, "points to nothing"),
        ({"properties": {"a": {"$id": "http://127.0.0.1/x", "$ref": "#/b"}}}, "#/"),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, "#/"),
        ({"$schema": "http://127.0.0.1:1/x"}, "meta-schema"),
        ({"$ref": "#"}, "refers to itself"),
        ({"allOf": [{"$ref": "#"}]}, "refers to itself"),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
            "to itself",
        ),
        (chain(30), "multiply"),
        (chain(30, "allOf"), "multiply"),
        (chain(30, "oneOf"), "multiply"),
        (chain(500), "references"),
        ({"properties": {"a": chain(12)["$defs"]["d0"]}, "$defs": chain(12)["$defs"]}, "multiply"),
    ],
)
def test_schemas_that_nobody_may_have(schema: dict[str, Any], why: str) -> None:
    with within(0.5), pytest.raises(UnusableSchema, match=why):
        checker(schema)


@pytest.mark.hostile(51)
def test_unions_that_refer_to_themselves_bound_the_depth_of_arguments() -> None:
    """Each level of such arguments doubles the work, so they may have few of them."""
    branch = {"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}}
    found = checker({"anyOf": [branch | {"required": ["and"]}, branch | {"required": ["or"]}]})
    assert 3 <= found.levels <= 10
    value: dict[str, Any] = {}
    for _ in range(found.levels):
        value = {"left": value}
    with within(0.5):
        found.validator.is_valid(value)


@pytest.mark.hostile(51)
def test_a_check_of_the_costliest_schema_is_quick() -> None:
    """As much work as a schema may ask for, at each of thousands of places."""
    item = chain(7, type="integer")
    schema = {"properties": {"a": {"items": {"$ref": "#/$defs/d0"}}}, "$defs": item["$defs"]}
    found = checker(schema)
    with within(1):
        assert not found.validator.is_valid({"a": ["x"] * 5000})


def test_no_cache_grows_without_bound() -> None:
    assert schemas._compiled.cache_info().maxsize == 256

"""What models write as arguments: read where it fits, told what is wrong where it does not, never an exception."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.work import within

from prosa.domain.errors import InvalidArguments
from prosa.domain.models import ToolSpec
from prosa.services.tools.arguments import arguments_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "minLength": 1},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
        "tags": {"type": "array", "items": {"type": "string"}},
        "at": {"type": "object", "properties": {"lat": {"type": "number"}}},
    },
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = ToolSpec("weather", "The weather.", SCHEMA)
ANYTHING = ToolSpec("anything")


def refusal(text: str, spec: ToolSpec = WEATHER) -> str:
    with pytest.raises(InvalidArguments) as caught:
        arguments_of(spec, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"city": "Faro"}', {"city": "Faro"}),
        ('  {"city": "São Paulo", "days": 7}\n', {"city": "São Paulo", "days": 7}),
        (r'{"city": "\ud83c\udf27"}', {"city": "🌧"}),
        ('{"city": "x", "days": 3.0}', {"city": "x", "days": 3.0}),
        ('{"city": "x", "at": {"lat": 1e-400}}', {"city": "x", "at": {"lat": 0.0}}),
    ],
)
def test_arguments_that_fit(text: str, value: dict[str, Any]) -> None:
    assert arguments_of(WEATHER, text) == value


@pytest.mark.parametrize("text", ["", " ", "\n", "{}"])
def test_nothing_is_no_arguments(text: str) -> None:
    assert arguments_of(ANYTHING, text) == {}
    assert "city" in refusal(text)


@pytest.mark.hostile(51)
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "no JSON"),
        ('{"city": "Faro"', "no JSON"),
        ("{'city': 'Faro'}", "no JSON"),
        ("null", "object"),
        ("[]", "object"),
        ('"Faro"', "object"),
        ("7", "object"),
        ('{"city": 7}', "city: 7 is not of type"),
        ('{"city": "x", "days": 0}', "days: 0"),
        ('{"city": "x", "days": 1.5}', "days: 1.5"),
        ('{"city": "x", "tags": ["a", 2]}', "tags[1]: 2"),
        ('{"city": "x", "at": {"lat": "n"}}', "at.lat:"),
        ('{"days": 1}', '"city" is a required property'),
        ('{"city": "x", "country": "y"}', "'country' was unexpected"),
        ('{"city": "x", "city": "y"}', "key 'city' twice"),
        ('{"city": "x", "at": {"lat": 1, "lat": 2}}', "key 'lat' twice"),
        ('{"city": "x", "days": NaN}', "NaN"),
        ('{"city": "x", "at": {"lat": Infinity}}', "Infinity"),
        ('{"city": "x", "at": {"lat": -Infinity}}', "-Infinity"),
        ('{"city": "x", "at": {"lat": 1e400}}', "too large"),
        ('{"city": "x", "days": ' + "1" * 5000 + "}", "too long"),
        (r'{"city": "\ud83c"}', "surrogate"),
        ('{"city": "\ud83c"}', "surrogate"),
        (r'{"\udc00": 1}', "surrogate"),
        ("[" * 100_000, "too deep"),
        ('{"city":' * 100_000, "too deep"),
        ('{"city": "' + "x" * 5_000_000 + '"}', "longer than"),
    ],
)
def test_what_the_model_is_told(text: str, why: str) -> None:
    said = refusal(text)
    assert why in said
    assert "weather" in said
    assert len(said) < 1500


@pytest.mark.hostile(51)
def test_depth_is_bounded_where_the_schema_bounds_nothing() -> None:
    def nested(levels: int) -> str:
        return '{"a":' * levels + "1" + "}" * levels

    assert arguments_of(ANYTHING, nested(20))
    assert "deeper than" in refusal(nested(100), ANYTHING)


@pytest.mark.hostile(51)
def test_many_faults_are_a_short_message() -> None:
    said = refusal(json.dumps({"city": "x", "tags": [1] * 100_000}))
    assert said.count("tags[") == 5


@pytest.mark.hostile(51)
def test_no_pattern_hangs() -> None:
    for pattern in ("^(a+)+$", "^(a|a)*$", "^(?=(a+)+$)", r"^(a+)\1*b$"):
        spec = ToolSpec("t", "", {"properties": {"a": {"type": "string", "pattern": pattern}}})
        with within(1):
            refusal(json.dumps({"a": "a" * 20_000 + "!"}), spec)


def test_a_schema_that_can_not_be_used_is_told_too() -> None:
    assert "schema" in refusal("{}", ToolSpec("t", "", {"$ref": "http://127.0.0.1/x"}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_any_object_comes_through_unchanged(value: dict[str, Any]) -> None:
    assert arguments_of(ANYTHING, json.dumps(value)) == value
    assert arguments_of(ANYTHING, json.dumps(value, ensure_ascii=False)) == value


@given(st.text() | JSON.map(json.dumps))
def test_whatever_a_model_writes_is_read_or_refused(text: str) -> None:
    with suppress(InvalidArguments):
        assert isinstance(arguments_of(WEATHER, text), dict)


@given(st.dictionaries(st.sampled_from(["city", "days", "tags", "at", "other"]), JSON))
def test_what_is_accepted_fits(value: dict[str, Any]) -> None:
    """Judged by hand, without the library."""
    try:
        found = arguments_of(WEATHER, json.dumps(value))
    except InvalidArguments:
        return
    assert found.keys() <= {"city", "days", "tags", "at"}
    assert isinstance(found["city"], str)
    assert found["city"]
    assert found.get("days", 1) in range(1, 8)
    assert not isinstance(found.get("days"), bool)
    assert all(isinstance(tag, str) for tag in found.get("tags", []))

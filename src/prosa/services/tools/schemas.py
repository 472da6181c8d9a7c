"""Which JSON Schemas a tool may have: none that fetches, none that hangs, none of absurd size."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from jsonschema_rs import Validator

LONGEST = 64 * 1024
"""Bytes of a schema as JSON."""
DEEPEST = 64
"""Levels of a schema, and of references that lead to references."""
LEVELS = 32
"""Levels of the arguments that any schema may ask for."""
WORK = 1000
"""Schemas that may be held against one place of the arguments, and the places above it."""
FEWEST_LEVELS = 4
"""A schema whose arguments could have fewer levels than these is of no use."""
PATTERN_SIZE = 1024 * 1024
"""Bytes that a compiled pattern may take."""
BACKTRACKS = 2000
"""Steps back within one text, where a pattern looks around or refers back. Other patterns need none: their
time is linear, whatever the text."""

_HERE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_HERE_BY_NAME = ("dependentSchemas", "dependencies")
_BELOW = (
    "additionalProperties", "unevaluatedProperties", "propertyNames", "items", "prefixItems",
    "additionalItems", "unevaluatedItems", "contains",
)  # fmt: skip
_FOREIGN = ("$dynamicRef", "$recursiveRef")

Schema = dict[str, Any]


class UnusableSchema(ValueError):
    """Its text says why, as the rest of a sentence."""


class Checker:
    """A compiled schema. `levels` is how deep the arguments may be nested, so that no check takes long."""

    def __init__(self, validator: "Validator", levels: int) -> None:
        self.validator = validator
        self.levels = levels


def checker(schema: Schema) -> Checker:
    """The compiled `schema`, from a cache if it was seen before. Raises UnusableSchema."""
    try:
        text = msgspec.json.encode(schema)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        raise UnusableSchema("it is no JSON") from None
    if len(text) > LONGEST:
        raise UnusableSchema(f"it is longer than {LONGEST} bytes")
    return _compiled(text)


@lru_cache(maxsize=256)
def _compiled(text: bytes) -> Checker:
    try:
        schema = msgspec.json.decode(text)
        levels = _Cost(schema).levels() if _depth(schema) <= DEEPEST else 0
    except RecursionError:
        levels = 0
    if not levels:
        raise UnusableSchema("it is nested too deep")
    if schema.get("type", "object") != "object":
        raise UnusableSchema('its type must be "object"')
    return Checker(_validator(schema), levels)


def _validator(schema: Schema) -> "Validator":
    from jsonschema_rs import FancyRegexOptions, RegexOptions, ValidationError, validator_for

    complaint = ""
    for engine in (
        RegexOptions(PATTERN_SIZE, PATTERN_SIZE),
        FancyRegexOptions(BACKTRACKS, PATTERN_SIZE, PATTERN_SIZE),
    ):
        try:
            return validator_for(schema, offline=True, validate_formats=False, pattern_options=engine)
        except (ValidationError, ValueError) as error:
            complaint = str(error).partition("\n")[0][:200]
    raise UnusableSchema(complaint or "it is no JSON Schema")


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= DEEPEST:
        deepest += 1
        level = [below for each in level for below in _values(each)]
    return deepest


def _values(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


class _Cost:
    """How much checking a schema can cost. References let a page of JSON stand for 2³⁰ schemas, and unions
    that refer to themselves double the work with each level of the arguments."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._known: dict[tuple[int, int], int] = {}
        self._open: list[int] = []

    def levels(self) -> int:
        """How deep arguments may be for their check to stay within `WORK`. Raises UnusableSchema."""
        found = next((k - 1 for k in range(1, LEVELS + 1) if self._of(self._root, k) > WORK), LEVELS)
        if found < FEWEST_LEVELS:
            raise UnusableSchema("its references and alternatives multiply to too much")
        return found

    def _of(self, schema: Any, levels: int) -> int:
        """The schemas held against the worst path of arguments with so many levels."""
        if not isinstance(schema, dict):
            return 1
        key = (id(schema), levels)
        if key not in self._known:
            if id(schema) in self._open:
                raise UnusableSchema("it refers to itself without a property between")
            if len(self._open) >= DEEPEST:
                raise UnusableSchema(f"more than {DEEPEST} of its references lead to references")
            self._open.append(id(schema))
            here = sum(self._of(each, levels) for each in self._here(schema))
            self._open.pop()
            twice = 2 if {"unevaluatedProperties", "unevaluatedItems"} & schema.keys() else 1
            self._known[key] = 1 + twice * here + (self._below(schema, levels - 1) if levels > 1 else 0)
        return self._known[key]

    def _below(self, schema: Schema, levels: int) -> int:
        held, self._open = self._open, []
        named = schema.get("properties")
        properties = named.values() if isinstance(named, dict) else ()
        worst = max((self._of(each, levels) for each in properties), default=0)
        patterns = schema.get("patternProperties")
        for each in patterns.values() if isinstance(patterns, dict) else ():
            worst += self._of(each, levels)
        for name in _BELOW:
            below = schema.get(name)
            worst += max((self._of(each, levels) for each in _schemas(below)), default=0)
        self._open = held
        return worst

    def _here(self, schema: Schema) -> Iterator[Any]:
        """The schemas that are held against the same place."""
        if any(name in schema for name in _FOREIGN) or ("$id" in schema and schema is not self._root):
            raise UnusableSchema("only references of the form #/… are allowed in it")
        if "$ref" in schema:
            yield self._target(schema["$ref"])
        for name in _HERE:
            yield from _schemas(schema.get(name))
        for name in _HERE_BY_NAME:
            yield from _values(schema.get(name)) if isinstance(schema.get(name), dict) else ()

    def _target(self, reference: Any) -> Any:
        """What a `$ref` within the schema points to (RFC 6901, in a URI's fragment)."""
        from urllib.parse import unquote

        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            raise UnusableSchema("only references of the form #/… are allowed in it")
        found: Any = self._root
        for step in unquote(reference[1:]).split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            try:
                found = found[int(name)] if isinstance(found, list) else found[name]
            except (KeyError, IndexError, ValueError, TypeError):
                raise UnusableSchema(f"{reference[:100]} points to nothing in it") from None
        return found


def _schemas(value: Any) -> Iterator[Any]:
    """A schema, or a list of them."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value

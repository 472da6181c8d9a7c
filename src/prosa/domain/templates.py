"""Prompt templates: texts with typed places that are filled literally, and never evaluated."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Literal

from msgspec import Struct

from prosa.domain.errors import Conflict, InvalidRequest, NotFound
from prosa.domain.principal import DESK
from prosa.domain.time import Instant

Kind = Literal["text", "multiline", "number", "boolean", "choice", "date"]
Value = str | bool | int | float | None

NAME = r"[^\W\d]\w{0,63}"
"""A variable's name: a letter or an underscore, then letters, digits and underscores of any language."""

_PLACE = re.compile(rf"{{{{\s*({NAME})\s*}}}}")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_TRUE, _FALSE = frozenset({"true", "yes", "sim"}), frozenset({"false", "no", "não", "nao"})

LONGEST_VALUE = 100_000


class TemplateNotFound(NotFound):
    code = "template_not_found"
    en = "There is no template with this id."
    pt = "Não há um modelo de prompt com este id."


class NoClient(Conflict):
    """A template can be shared only with somebody."""

    code = "no_client"
    en = "Your account belongs to no client, so there is nobody to share with. Leave shared out."
    pt = "Sua conta não pertence a um cliente, então não há com quem compartilhar. Retire shared."


class Variable(Struct, frozen=True, omit_defaults=True):
    """A place in a template. `choices` are what a choice may be; `default` stands where nothing is given."""

    name: str
    kind: Kind = "text"
    label: str | None = None
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()


class Template(Struct, frozen=True):
    """`content` has `{{name}}` wherever the value of that variable goes. What a client shares is owned by
    its desk."""

    id: str
    user_id: str
    client_id: str
    name: str
    description: str | None
    content: str
    variables: tuple[Variable, ...]
    created_at: Instant
    updated_at: Instant

    @property
    def shared(self) -> bool:
        return self.user_id.startswith(DESK)


def checked(variables: tuple[Variable, ...]) -> tuple[Variable, ...]:
    """`variables`, if a template can have them. Raises InvalidRequest."""
    names = [variable.name for variable in variables]
    for name in names:
        if names.count(name) > 1:
            raise InvalidRequest(f"variables has {name} twice. Give each its own name.")
    for variable in variables:
        if (variable.kind == "choice") != bool(variable.choices):
            raise InvalidRequest(f"variables: {variable.name} needs choices if, and only if, it is a choice.")
        if variable.default is not None:
            _text(variable, variable.default)
    return variables


def fill(template: Template, values: Mapping[str, Value]) -> str:
    """The template's text with its variables' values in their places.

    Each place is filled once, with the value as it is: braces in a value, and places that name no variable,
    stay what they are. Raises InvalidRequest for a value that is missing, unknown or not of its kind.
    """
    known = {variable.name: variable for variable in template.variables}
    for name in values:
        if name not in known:
            raise InvalidRequest(f"values.{name} is not a variable of this template. Leave it out.")
    texts = {name: _given(variable, values.get(name)) for name, variable in known.items()}
    return _PLACE.sub(lambda place: texts.get(place[1], place[0]), template.content)


def _given(variable: Variable, value: Value) -> str:
    if value is None or value == "":
        if variable.default is not None:
            return variable.default
        if variable.required:
            raise InvalidRequest(f"values.{variable.name} is missing. Give a value for it.")
        return ""
    return _text(variable, value)


def _text(variable: Variable, value: Value) -> str:
    """The value as it stands in the text. Raises InvalidRequest."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if len(text) > LONGEST_VALUE or "\0" in text:
        raise InvalidRequest(
            f"values.{variable.name} must have at most {LONGEST_VALUE} characters, and no NUL."
        )
    complaint = _complaint(variable, text)
    if complaint is not None:
        raise InvalidRequest(f"values.{variable.name} {complaint}.")
    return text


def _complaint(variable: Variable, text: str) -> str | None:
    """What is wrong with a value of this kind."""
    match variable.kind:
        case "number":
            return None if _NUMBER.fullmatch(text) else "must be a number"
        case "boolean":
            return None if text.lower() in _TRUE | _FALSE else "must be true or false"
        case "choice":
            return None if text in variable.choices else f"must be one of: {', '.join(variable.choices)}"
        case "date":
            return None if _is_date(text) else "must be a date such as 2026-11-29"
        case "text":
            return "must be one line" if "\n" in text or "\r" in text else None
        case "multiline":
            return None


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False

"""What a model wrote as a tool's arguments, read and held against its schema before any tool sees it."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any

from prosa.domain.errors import InvalidArguments
from prosa.domain.models import ToolSpec
from prosa.services.tools.schemas import Checker, UnusableSchema, checker

LONGEST = 1024 * 1024
"""Characters of arguments."""
MOST_COMPLAINTS = 5
LONGEST_COMPLAINT = 200

_HALF = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")


class _Unreadable(ValueError):
    """Its text is a sentence for the model."""


def arguments_of(spec: ToolSpec, text: str) -> dict[str, Any]:
    """The arguments in `text`, the JSON that a model wrote for `spec`; nothing at all counts as `{}`.

    Raises InvalidArguments, whose sentence tells the model which field is wrong, and why.
    """
    try:
        arguments = _read(text)
        found = checker(spec.parameters)
        _bound(arguments, found.levels)
    except _Unreadable as error:
        raise InvalidArguments(f"The arguments of {spec.name} can't be used. {error}") from None
    except UnusableSchema as error:
        raise InvalidArguments(f"The schema of {spec.name} can't be used: {error}.") from None
    if complaints := _complaints(found, arguments):
        raise InvalidArguments(f"The arguments of {spec.name} do not fit its schema. {' '.join(complaints)}")
    return arguments


def _read(text: str) -> dict[str, Any]:
    if len(text) > LONGEST:
        raise _Unreadable(f"They are longer than {LONGEST} characters.")
    if not text.strip():
        return {}
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise _Unreadable(f"They are no JSON: {error}.") from None
    except RecursionError:
        raise _Unreadable("They are nested too deep.") from None
    except UnicodeEncodeError:
        raise _Unreadable("They hold half of a surrogate pair.") from None
    except _Unreadable:
        raise
    except ValueError:  # an integer of thousands of digits
        raise _Unreadable("They hold a number that is too long.") from None
    if not isinstance(value, dict):
        raise _Unreadable("They must be a JSON object.")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise _Unreadable(f"They have the key {twice[:100]!r} twice.")
    return found


def _constant(name: str) -> Any:
    raise _Unreadable(f"They hold {name}, which is no JSON.")


def _number(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Unreadable("They hold a number that is too large.")
    return value


def _bound(value: Any, levels: int) -> None:
    """Raises where objects and lists are nested deeper than `levels`, the value itself being the first."""
    layer = [value]
    for _ in range(levels):
        layer = [below for each in layer if isinstance(each, dict | list) for below in _inside(each)]
        if not layer:
            return
    raise _Unreadable(f"They are nested deeper than {levels} levels.")


def _inside(value: dict[str, Any] | list[Any]) -> Sequence[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _complaints(found: Checker, arguments: dict[str, Any]) -> list[str]:
    complaints = []
    for error in found.validator.iter_errors(arguments):
        where = _place(error.instance_path)
        complaints.append(f"{where}{_short(error.message)}.")
        if len(complaints) == MOST_COMPLAINTS:
            break
    return complaints


def _place(path: Sequence[str | int]) -> str:
    if not path:
        return ""
    steps = [f"[{step}]" if isinstance(step, int) else f".{step}" for step in path]
    return _short("".join(steps).removeprefix(".")) + ": "


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_COMPLAINT else text[:LONGEST_COMPLAINT] + "…"

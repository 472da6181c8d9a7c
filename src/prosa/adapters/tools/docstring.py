"""What a docstring says of a function and of its parameters, in Google's, NumPy's or Sphinx's manner."""

import inspect
import re
from collections.abc import Iterator

from msgspec import Struct

_SECTIONS = (
    "args", "arguments", "parameters", "params", "other parameters", "keyword args", "keyword arguments",
    "returns", "return", "yields", "yield", "raises", "raise", "except", "exceptions", "warns", "example",
    "examples", "note", "notes", "see also", "references", "attributes", "todo",
)  # fmt: skip
_OF_PARAMETERS = frozenset(_SECTIONS[:7])

_GOOGLE = re.compile(r"([A-Z][A-Za-z ]{2,20}):$")
_UNDERLINE = re.compile(r"-{3,}$")
_SPHINX = re.compile(r":(?:param|parameter|arg|argument|key|keyword)(?: +[^:]*?)? +\**(\w+) *:\s*(.*)")
_FIELD = re.compile(r":\w+(?: [^:]*)?:")
_ENTRY = re.compile(r"\**(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_NUMPY_ENTRY = re.compile(r"\**(\w+(?:\s*,\s*\**\w+)*)\s*(?::.*)?$")


class Docstring(Struct, frozen=True):
    """`parameters` maps names to what is said of them."""

    text: str
    parameters: dict[str, str]


def read(docstring: str | None) -> Docstring:
    """The text before the sections, and the parameters. What is written in no known manner is all text."""
    text: list[str] = []
    parameters: dict[str, list[str]] = {}
    for section, underlined, lines in _sections(inspect.cleandoc(docstring or "").splitlines()):
        if section == "":
            told, fields = _sphinx(lines)
            text += told
            parameters |= fields
        elif section in _OF_PARAMETERS:
            parameters |= _numpy(lines) if underlined else _google(lines)
    said = {name: " ".join(" ".join(lines).split()) for name, lines in parameters.items()}
    return Docstring("\n".join(text).strip(), {name: text for name, text in said.items() if text})


def _sections(lines: list[str]) -> Iterator[tuple[str, bool, list[str]]]:
    """(title in lower case, whether it is underlined, lines); what comes before the first has no title."""
    title, underlined = "", False
    held: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        below = lines[at + 1] if at + 1 < len(lines) else ""
        google = _GOOGLE.match(line)
        if google and google[1].lower() in _SECTIONS:
            yield title, underlined, held
            title, underlined, held = google[1].lower(), False, []
        elif line.strip().lower() in _SECTIONS and _UNDERLINE.match(below):
            yield title, underlined, held
            title, underlined, held = line.strip().lower(), True, []
            at += 1
        else:
            held.append(line)
        at += 1
    yield title, underlined, held


def _sphinx(lines: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The text without fields, and what these say of parameters; a field goes on while it is indented."""
    text: list[str] = []
    found: dict[str, list[str]] = {}
    field: list[str] | None = None
    for line in lines:
        if parameter := _SPHINX.match(line):
            field = found[parameter[1]] = [parameter[2]]
        elif _FIELD.match(line):
            field = []
        elif field is not None and line[:1].isspace():
            field.append(line)
        else:
            field = None
            text.append(line)
    return text, found


def _google(lines: list[str]) -> dict[str, list[str]]:
    """`name (type): text`, each with what is indented below it."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    found: dict[str, list[str]] = {}
    held: list[str] = []
    for line in lines:
        own = line[indent:]
        entry = _ENTRY.match(own)
        if entry and not own[:1].isspace():
            held = found[entry[1]] = [entry[2]]
        else:
            held.append(own)
    return found


def _numpy(lines: list[str]) -> dict[str, list[str]]:
    """`name : type`, each with its text indented below it."""
    found: dict[str, list[str]] = {}
    held: list[str] = []
    for line in lines:
        entry = _NUMPY_ENTRY.match(line)
        if entry and not line[:1].isspace():
            held = []
            for name in entry[1].split(","):
                found[name.strip().lstrip("*")] = held
        else:
            held.append(line)
    return found

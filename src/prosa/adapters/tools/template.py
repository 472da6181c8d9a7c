"""An address with places in it that a model fills: `https://host/weather/{city}?units={units}`."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from yarl import URL

from prosa.domain.errors import InvalidArguments, MisconfiguredError
from prosa.kit.addresses import public

LONGEST = 8 * 1024
"""Characters of an address: what servers commonly take."""

_SHAPE = re.compile(r"(https?://[^/?#@\s\\{}]+)(/[^?#\s\\]*)?(?:\?([^#\s\\]*))?", re.IGNORECASE)
_PLACE = re.compile(r"\{([\w-]+)\}")
_IN_PATH = "/%:@!$&'()*+,;=~"
_IN_QUERY = _IN_PATH + "?"
_DOTS = frozenset({".", ".."})


class Template:
    """The scheme, the host and the port are the operator's alone. Raises MisconfiguredError, which never
    shows the address."""

    def __init__(self, tool: str, url: str) -> None:
        shape = _SHAPE.fullmatch(url.strip())
        rest = _PLACE.sub("", (shape[2] or "") + (shape[3] or "")) if shape else "{"
        if shape is None or "{" in rest or "}" in rest:
            raise MisconfiguredError(
                f"The url of the tool {tool} must be http(s)://host/…, without a user's name and a fragment, "
                "and with {places} in its path and query alone."
            )
        self._tool = tool
        self._base = shape[1]
        self._segments = (shape[2] or "/").split("/")
        self._query = shape[3] or ""
        if _DOTS & set(self._segments):
            raise MisconfiguredError(f"The url of the tool {tool} may have no . or .. in its path.")
        try:
            self._host = URL(self._base).host or ""
        except ValueError:
            raise MisconfiguredError(f"The url of the tool {tool} has no valid host or port.") from None

    @property
    def places(self) -> frozenset[str]:
        return frozenset(_PLACE.findall("/".join(self._segments) + "?" + self._query))

    @property
    def private(self) -> bool:
        """Whether it names, in plain sight, an address that is not the internet's."""
        host = self._host.rstrip(".").lower()
        numeric = ":" in host or host.replace(".", "").isdigit()
        return host == "localhost" or host.endswith(".localhost") or (numeric and not public(host))

    def fill(self, arguments: Mapping[str, Any], query: Mapping[str, Any]) -> URL:
        """The address with the places filled, and `query` behind it. A value stays in its place: it can't
        begin a new segment, climb out of one, or end the path. Raises InvalidArguments."""
        path = "/".join(self._segment(segment, arguments) for segment in self._segments)
        own = self._filled(self._query, arguments, _IN_QUERY)
        more = urlencode(
            {name: told(value) for name, value in query.items() if value is not None}, doseq=True
        )
        text = (
            self._base + path + ("?" if own or more else "") + "&".join(each for each in (own, more) if each)
        )
        if len(text) > LONGEST:
            raise InvalidArguments(f"The arguments of {self._tool} are too long for an address.")
        return URL(text, encoded=True)

    def _segment(self, segment: str, arguments: Mapping[str, Any]) -> str:
        for name in _PLACE.findall(segment):
            value = told(arguments.get(name))
            # Encoded slashes are no shelter: servers decode them before they look at the path.
            if not isinstance(value, str) or not value or {"/", "\\"} & set(value):
                raise InvalidArguments(f"{name} must be a text that is not empty and has no slash in it.")
        filled = self._filled(segment, arguments, _IN_PATH)
        if _PLACE.search(segment) and filled in _DOTS:
            raise InvalidArguments(f"The arguments of {self._tool} can't be dots alone.")
        return filled

    def _filled(self, text: str, arguments: Mapping[str, Any], safe: str) -> str:
        pieces = _PLACE.split(text)  # text and names in turn
        for at, piece in enumerate(pieces):
            if at % 2 == 0:
                pieces[at] = quote(piece, safe=safe)
            else:
                value = told(arguments.get(piece, ""))
                pieces[at] = quote(value if isinstance(value, str) else ",".join(value), safe="")
        return "".join(pieces)


def told(value: Any) -> str | list[str]:
    """A value as a query has it: lists stay lists, and objects are JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return [each if isinstance(each, str) else _json(each) for each in value]
    return "" if value is None else _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

"""Placeholders: what stands in a text for a value that its reader must not see, and the way back."""

import re
from collections.abc import Collection, Iterable, Mapping

from prosa.kit import pii
from prosa.kit.pii import Kind, Splitter, suspect

_WRITTEN = re.compile(r"\[([A-Z]{1,20})_(\d{1,9})\]")
_BEGUN = re.compile(r"\[[A-Z]{0,20}(?:_\d{0,9})?\Z")
"""At the end of a text: what may become a placeholder."""


class Vault:
    """The values of one request, each under one placeholder: `[EMAIL_1]`. What is written like one in `texts`
    already is nobody's: it stays as it is."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.values: dict[str, str] = {}
        """By placeholder."""
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._written: set[str] = set()
        for text in texts:
            if "[" in text:
                self._written.update(found.group() for found in _WRITTEN.finditer(text))

    def placeholder(self, name: str, value: str) -> str:
        """The same for the same value, whatever it was taken for."""
        found = self._placeholders.get(value)
        while found is None or found in self._written:
            self._counts[name] = number = self._counts.get(name, 0) + 1
            found = f"[{name}_{number}]"
        if value not in self._placeholders:
            self._placeholders[value] = found
            self.values[found] = value
        return found

    def mask(self, text: str, kinds: Collection[Kind] = pii.KINDS) -> str:
        """`text` with a placeholder for each value of these kinds."""
        found = pii.find(text, kinds)
        if not found:
            return text
        pieces: list[str] = []
        place = 0
        for start, end, kind in found:
            pieces += (text[place:start], self.placeholder(kind.upper(), text[start:end]))
            place = end
        return "".join((*pieces, text[place:]))


class Masker:
    """Masks a text that comes in pieces: what comes out, put together, is the whole text masked. It holds
    back the last word, and numbers with spaces in them until they end."""

    def __init__(self, vault: Vault, kinds: Collection[Kind]) -> None:
        self._vault = vault
        self._kinds = kinds
        self._splitter = Splitter()

    def push(self, piece: str) -> str:
        released = self._splitter.push(piece)
        return released if suspect(released) is None else self._vault.mask(released, self._kinds)

    def end(self) -> str:
        return self._vault.mask(self._splitter.end(), self._kinds)


def restored(text: str, values: Mapping[str, str]) -> str:
    """`text` with the values again where their placeholders are."""
    if "[" not in text:
        return text
    return _WRITTEN.sub(lambda found: values.get(found.group(), found.group()), text)


class Restorer:
    """Puts values back into a text that comes in pieces, also where a placeholder is cut in two."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._held = ""

    def push(self, piece: str) -> str:
        if not self._held and "[" not in piece:
            return piece
        text = self._held + piece
        begun = _BEGUN.search(text, text.rfind("["))
        self._held = text[begun.start() :] if begun else ""
        return restored(text[: begun.start()] if begun else text, self._values)

    def end(self) -> str:
        held, self._held = self._held, ""
        return held

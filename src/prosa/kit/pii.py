"""Finds what tells who somebody is, or opens a door: addresses, numbers with check digits, keys of APIs.

The time is linear in the text, whatever it is: what repeats is bounded, or can't begin anew inside itself.
"""

import re
import socket
from collections.abc import Callable, Collection, Iterator
from typing import Literal, NamedTuple, get_args

from prosa.kit.digits import LENGTHS, cnpj, cpf, iban, luhn

Kind = Literal["key", "email", "iban", "cnpj", "cpf", "card", "ip", "phone"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Where two could be meant, the first one is."""


class Found(NamedTuple):
    start: int
    end: int
    kind: Kind


Span = tuple[int, int]

_LATIN = "À-ÖØ-öø-ɏ"
_LOCAL = re.compile(rf"[A-Za-z0-9{_LATIN}._%+-]+")
_HOST = re.compile(rf"[A-Za-z0-9{_LATIN}.-]{{1,255}}")
_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
        (?:sk|prosa|pk|rk)-[A-Za-z0-9_-]{16,}
      | (?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])
      | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{20,}
      | xox[abeoprs]-[A-Za-z0-9-]{10,} | AIza[0-9A-Za-z_-]{35}
      | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
    )""",
    re.VERBOSE,
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?|"
    r"(?<![A-Za-z0-9])[a-z]{2}\d{2}[a-z0-9]{11,30}(?![A-Za-z0-9])",
    re.ASCII,
)
_CNPJ = re.compile(
    r"(?<![A-Za-z0-9])[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}/?[0-9A-Z]{4}-?\d{2}(?![A-Za-z0-9])", re.ASCII
)
_CPF = re.compile(r"(?<!\d)\d{3}[. ]?\d{3}[. ]?\d{3}[- ]?\d{2}(?!\d)", re.ASCII)
_CARD = re.compile(
    r"(?<!\d)(?<!\d\.)(?:\d{13,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{4}([ -])\d{6}\2\d{4,5})"
    r"(?!\d)",
    re.ASCII,
)
_IPV4 = re.compile(r"(?<![A-Za-z0-9.])(?:\d{1,3}\.){3}\d{1,3}(?![A-Za-z0-9]|\.\d)", re.ASCII)
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:]{3,45}(?:\.\d{1,3}){0,3}(?![A-Za-z0-9])", re.ASCII
)
_PHONE = re.compile(
    r"""(?<![A-Za-z0-9.,/-])(?:
        \+\d{1,15}(?:[ .-]\d{1,6}|[ ]?\(\d{1,5}\)[ .-]?\d{1,5}){0,6}
      | \(0?\d{2,3}\)[ ]?\d{3,5}[ .-]?\d{4}
      | \d{3}[ .-]\d{3}[ .-]\d{4}
      | \d{2}[ ]9?\d{4}-\d{4}
      | 9\d{4}-\d{4}
      | [1-9]{2}9\d{8}
    )(?![A-Za-z0-9]|[.,/-]\d)""",
    re.VERBOSE | re.ASCII,
)
_FEWEST_PHONE = 8
_FIRST_CARD = "23456"
_LONGEST_CARD, _BEHIND = 19, 4
_GROUPS = 4
_DIGIT = re.compile(r"[0-9]")
_JOINED = re.compile(r"[A-Za-z0-9]")
suspect = re.compile(r"[0-9@:_-]|A(?:KI|SI|Iz)|eyJ").search
"""Where it finds nothing, `find` does not, either: a quick look at what is mostly prose."""


def find(text: str, kinds: Collection[Kind] = KINDS) -> list[Found]:
    """What there is of these kinds, in its order, none over another."""
    if suspect(text) is None:
        return []
    found: list[Found] = []
    taken = bytearray(len(text))
    for kind in KINDS:
        if kind not in kinds:
            continue
        for start, end in _FINDERS[kind](text):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                found.append(Found(start, end, kind))
    found.sort()
    return found


def redacted(text: str) -> str:
    """`text` with the kind of each value in its place: `[EMAIL]`. There is no way back."""
    pieces: list[str] = []
    place = 0
    for start, end, kind in find(text):
        pieces += (text[place:start], f"[{kind.upper()}]")
        place = end
    return "".join((*pieces, text[place:])) if pieces else text


def _emails(text: str) -> Iterator[Span]:
    """From each @ on: backwards as far as a name goes, forwards as far as a host does."""
    if "@" not in text:
        return
    for local in _LOCAL.finditer(text):
        at = local.end()
        if text[at : at + 1] != "@":
            continue
        host = _HOST.match(text, at + 1)
        if host is None:
            continue
        labels = host.group().split(".")
        while len(labels) > 1 and not (len(labels[-1]) > 1 and labels[-1].isalpha()):
            labels.pop()
        if len(labels) > 1 and all(labels):
            yield local.start(), at + 1 + len(".".join(labels))


def _keys(text: str) -> Iterator[Span]:
    return (found.span() for found in _KEY.finditer(text))


def _ibans(text: str) -> Iterator[Span]:
    return _searched(_IBAN, text, _iban_end)


def _iban_end(text: str, found: re.Match[str]) -> int:
    length = LENGTHS.get(text[found.start() : found.start() + 2].upper(), 0)
    end, seen = found.start(), 0
    while seen < length and end < found.end():
        seen += text[end] != " "
        end += 1
    whole = text[found.start() : end].replace(" ", "").upper()
    return end if seen == length and _JOINED.match(text, end) is None and iban(whole) else 0


def _card_end(_: str, found: re.Match[str]) -> int:
    """A card's number, or one with what is on its back behind it."""
    digits = found.group().translate(_BARE)
    if digits[0] not in _FIRST_CARD:
        return 0
    if luhn(digits):
        return found.end()
    return (
        found.end() - _BEHIND if found.group(1) and len(digits) == _LONGEST_CARD and luhn(digits[:16]) else 0
    )


def _searched(
    pattern: re.Pattern[str], text: str, end_of: Callable[[str, re.Match[str]], int]
) -> Iterator[Span]:
    """Candidates, which `end_of` judges: where one ends, or 0. After one that is none the search goes on
    inside of it."""
    place = 0
    while (found := pattern.search(text, place)) is not None:
        if end := end_of(text, found):
            yield found.start(), end
        place = end or found.start() + 1


def _numbers(pattern: re.Pattern[str], right: Callable[[str], bool]) -> Callable[[str], Iterator[Span]]:
    def end_of(_: str, found: re.Match[str]) -> int:
        return found.end() if right(found.group().translate(_BARE)) else 0

    return lambda text: _searched(pattern, text, end_of)


_BARE = {ord(each): None for each in " .-/()+"}


def _phone(digits: str) -> bool:
    return len(digits) >= _FEWEST_PHONE


def _addresses(text: str) -> Iterator[Span]:
    for found in _IPV4.finditer(text):
        if all(int(each) < 256 for each in found.group().split(".")):  # noqa: PLR2004 - a byte
            yield found.span()
    if ":" not in text:
        return
    for found in _IPV6.finditer(text):
        address = found.group()
        if address.endswith(":") and not address.endswith("::"):
            address = address[:-1]
        if address.count(":") >= _GROUPS or _DIGIT.search(address):
            try:
                socket.inet_pton(socket.AF_INET6, address)
            except OSError:
                continue
            yield found.start(), found.start() + len(address)


_FINDERS: dict[Kind, Callable[[str], Iterator[Span]]] = {
    "key": _keys,
    "email": _emails,
    "iban": _ibans,
    "cnpj": _numbers(_CNPJ, cnpj),
    "cpf": _numbers(_CPF, cpf),
    "card": lambda text: _searched(_CARD, text, _card_end),
    "ip": _addresses,
    "phone": _numbers(_PHONE, _phone),
}

_SIGNS = (0xD7, 0xF7)
"""Times and divided by, among the letters."""
_IN_ASCII = "etaoinsrhdlucmfywgpbvkxqjzETAOINSRHDLUCMFYWGPBVKXQJZ0123456789._%+-@:/()"
_INSIDE = _IN_ASCII + "".join(chr(each) for each in range(0xC0, 0x250) if each not in _SIGNS)
"""Characters that may stand inside of something that is to be found; but for these it has single spaces,
between a digit (or a bracket that closes) and a digit, a capital or a bracket that opens, and between a
capital and a digit."""
_CAPITALS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = frozenset("0123456789")
_ENDING = _DIGITS | {")"}
_GOING_ON = _DIGITS | _CAPITALS | {"("}
_BEFORE_A_SPACE = _ENDING | _CAPITALS
_SHORT = 256


def _joins(before: str, after: str) -> bool:
    """Whether a space between these may be inside. After "" anything may come."""
    if before in _ENDING:
        return after == "" or after in _GOING_ON
    return before in _CAPITALS and (after == "" or after in _DIGITS)


class Splitter:
    """Cuts a text that comes in pieces where nothing that is to be found can lie across: what `find` finds in
    what was released, one after the other, is what it finds in the whole."""

    def __init__(self) -> None:
        self._held = ""
        self._more: list[str] = []
        """What is held beside it, where that is long: so that nothing is copied with each piece."""

    def push(self, piece: str) -> str:
        """What can be released now, may be nothing."""
        end = len(piece.rstrip(_IN_ASCII if piece.isascii() else _INSIDE))
        if not end:
            self._hold(piece)
            return ""
        if piece[end - 1] == " " and (piece[end - 2] if end > 1 else self._last) in _BEFORE_A_SPACE:
            end = self._cut(piece, end)
            if not end:
                self._hold(piece)
                return ""
        released = self._held + piece[:end]
        if self._more:
            released = "".join((self._held, *self._more, piece[:end]))
            self._more = []
        self._held = piece[end:]
        return released

    def end(self) -> str:
        """All that is left."""
        left = "".join((self._held, *self._more))
        self._held, self._more = "", []
        return left

    @property
    def _last(self) -> str:
        """The last character that is held."""
        return (self._more[-1] if self._more else self._held)[-1:] or "\n"

    def _hold(self, piece: str) -> None:
        if len(self._held) < _SHORT:
            self._held += piece
        else:
            self._more.append(piece)

    def _cut(self, piece: str, end: int) -> int:
        """The last place up to `end` behind which nothing of what stands before it can go on; or 0."""
        inside = _IN_ASCII if piece.isascii() else _INSIDE
        while end and piece[end - 1] == " ":
            before = piece[end - 2] if end > 1 else self._last
            if not _joins(before, piece[end : end + 1]):
                break
            end = len(piece[: end - 1].rstrip(inside))
        return end

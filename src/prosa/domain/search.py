"""A search over messages: what is looked for, what is found, and where it stands in a text."""

import re
import unicodedata
from collections import defaultdict
from functools import cache

from msgspec import Struct

from prosa.domain.models import Role
from prosa.domain.time import Instant
from prosa.kit.text import folded

FINDABLE = 100_000
"""Characters of a message that can be found."""

LOOKED_AT = 20_000
"""Characters of a message that its piece is taken from, if there is a hit in them."""

BEFORE, LONG = 60, 240
"""Characters of a piece before its first hit, and altogether."""

MARKED = 16
"""Phrases that are marked in a text at most, and words of each."""

Spot = tuple[int, str]
"""Where something stands in what is found: only the store that said so knows how to read it."""

_ASKED = re.compile(r'"([^"]*)"?|([^\s"]+)')
_WORD = re.compile(r"[^\W_]+")


class Phrase(Struct, frozen=True):
    """Words that stand side by side; with an `open_end` the last one may go on."""

    text: str
    open_end: bool = False


class Sought(Struct, frozen=True):
    """Messages with all of the phrases, in whatever case and with whatever accents; what is None does not
    matter. `since` and `until` bound when they were made."""

    phrases: tuple[Phrase, ...]
    conversation_id: str | None = None
    role: Role | None = None
    since: Instant | None = None
    until: Instant | None = None


class Found(Struct, frozen=True):
    """A message with the beginning of its text; `cut` says that there is more."""

    conversation_id: str
    title: str | None
    message_id: str
    role: Role
    created_at: Instant
    text: str
    cut: bool
    place: Spot


class Piece(Struct, frozen=True):
    """A part of a text, and whether it is what was looked for."""

    text: str
    hit: bool = False


def phrases_of(asked: str) -> tuple[Phrase, ...]:
    """Every word of `asked`, the last one as a beginning, and phrases in quotes as they are. Nothing else in
    it is a sign; what holds no letter and no digit is passed over."""
    found = [
        Phrase(quoted or word, open_end=bool(word))
        for quoted, word in _ASKED.findall(asked.replace("\0", " "))
        if _WORD.search(quoted or word)
    ]
    return (*(Phrase(each.text) for each in found[:-1]), *found[-1:])


class Hits:
    """Shows where phrases stand in texts. An accent, a case and what parts words make no difference. It never
    goes back over what it has read: no text takes longer than its length."""

    def __init__(self, phrases: tuple[Phrase, ...]) -> None:
        self._pattern = re.compile(
            r"(?<![^\W_])(?:" + "|".join(map(_pattern_of, phrases[:MARKED])) + ")", re.IGNORECASE
        )

    def pieces(self, text: str) -> list[Piece] | None:
        """A line of `text` around the first hit; None where there is no hit."""
        first = self._pattern.search(text)
        if first is None:
            return None
        start = _word_start(text, max(0, first.start() - BEFORE), first.start())
        end = min(len(text), start + LONG)
        found, at = [], start
        for hit in self._pattern.finditer(text, first.start(), max(end, first.end())):
            found += [Piece(text[at : hit.start()]), Piece(hit[0], hit=True)]
            at = hit.end()
        found.append(Piece(text[at:end]))
        return _tidied(found, cut_before=start > 0, cut_after=max(at, end) < len(text))


def beginning(text: str) -> list[Piece]:
    """A line of the beginning of `text`, for one in which no hit is seen."""
    return _tidied([Piece(text[:LONG])], cut_before=False, cut_after=len(text) > LONG)


def _word_start(text: str, earliest: int, latest: int) -> int:
    """The first place between the two where a word begins."""
    gap = None if earliest == 0 else re.compile(r"\s").search(text, earliest, latest)
    return earliest if gap is None else gap.end()


def _tidied(pieces: list[Piece], *, cut_before: bool, cut_after: bool) -> list[Piece]:
    """On one line, with dots where something is left out, without empty pieces."""
    found = [Piece(re.sub(r"\s+", " ", each.text), each.hit) for each in pieces]
    found = [Piece("…"), *found] if cut_before else found
    found = [*found, Piece("…")] if cut_after else found
    joined: list[Piece] = []
    for each in found:
        if joined and joined[-1].hit is each.hit is False:
            joined[-1] = Piece(joined[-1].text + each.text)
        elif each.text:
            joined.append(each)
    return joined


def _pattern_of(phrase: Phrase) -> str:
    words = ["".join(map(_any_accent, word)) for word in _WORD.findall(folded(phrase.text))[:MARKED]]
    return r"[\W_]++".join(words) + (r"[^\W_]*" if phrase.open_end else r"(?![^\W_])")


def _any_accent(letter: str) -> str:
    return f"[{re.escape(letter)}{_accented().get(letter, '')}][\u0300-\u036f]*+"


@cache
def _accented() -> dict[str, str]:
    """The letters that are one and the same without their accents."""
    found: dict[str, str] = defaultdict(str)
    for each in map(chr, range(0xC0, 0x2000)):
        plain = folded(each) if unicodedata.decomposition(each) else each
        if len(plain) == 1 and plain != each:
            found[plain] += each
    return dict(found)

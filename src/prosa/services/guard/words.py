"""Lists of words and phrases, found whatever their case and accents, also in a text that comes in pieces."""

import re
import unicodedata
from collections.abc import Iterable

from msgspec import Struct

from prosa.kit.pii import Span

_WIDTHLESS = "\u0300-\u036f\u00ad\u200b-\u200d\u2060\ufeff"
_WORD = re.compile(rf"[\w{_WIDTHLESS}]+")
_words = _WORD.findall
_UNSEEN = re.compile(f"[{_WIDTHLESS}]")
GAP = 8
"""Characters between two words of a phrase, at most."""


class _Folds(dict[int, str]):
    """One character for each, so that places stay what they are."""

    def __missing__(self, code: int) -> str:
        plain = unicodedata.normalize("NFKD", chr(code))
        plain = "".join(each for each in plain if not unicodedata.combining(each)).lower()
        self[code] = folded = plain if len(plain) == 1 else chr(code)
        return folded


_FOLDS = _Folds()


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else text.translate(_FOLDS)


class Scanned(Struct, frozen=True):
    """What was found, and up to where the text is decided, whatever follows it."""

    hits: list[Span]
    settled: int


class Words:
    """`entries` are words or phrases. A word counts as a whole: "art" is not in "party"."""

    def __init__(self, entries: Iterable[str]) -> None:
        """Raises ValueError for an entry without a word."""
        self._entries: dict[str, list[tuple[str, ...]]] = {}
        self.longest = 0
        for entry in entries:
            words = tuple(map(_key, _WORD.findall(_folded(entry))))
            if not words:
                raise ValueError(f"there is no word in {entry!r}")
            self.longest = max(self.longest, len(entry))
            self._entries.setdefault(words[0], []).append(words)
        for known in self._entries.values():
            known.sort(key=len, reverse=True)

    def find(self, text: str) -> list[Span]:
        return self.scan(text, 0, final=True).hits

    def without(self, text: str) -> int | None:
        """A quick look at plain text in which no entry begins: up to where it is decided; None where it takes
        more."""
        if not text.isascii():
            return None
        lowered, entries = text.lower(), self._entries
        words = lowered.split()
        for word in words:
            if word in entries or not word.isalpha():
                words = _words(lowered)
                if not entries.keys().isdisjoint(words):
                    return None
                break
        if not words or not lowered.endswith(words[-1]):
            return len(text)
        return len(text) - len(words[-1]) if len(words[-1]) <= self.longest else None

    def scan(self, text: str, start: int, *, final: bool) -> Scanned:
        """From `start` on. Unless it is `final`, more may follow: the last word may go on, and so may a
        phrase."""
        folded = _folded(text)
        words = [(found.start(), found.end(), found.group()) for found in _WORD.finditer(folded, start)]
        if not folded.isascii():
            words = [(start, end, _key(word)) for start, end, word in words]
        whole = len(words) - (not final and bool(words) and words[-1][1] == len(text))
        hits: list[Span] = []
        place = 0
        while place < whole:
            known = self._entries.get(words[place][2])
            if known is not None:
                length = self._longest(known, words, place, whole, None if final else len(text))
                if length is None:
                    return Scanned(hits, words[place][0])
                if length:
                    hits.append((words[place][0], words[place + length - 1][1]))
                    place += length
                    continue
            place += 1
        return Scanned(hits, words[whole][0] if whole < len(words) else len(text))

    @staticmethod
    def _longest(
        known: list[tuple[str, ...]],
        words: list[tuple[int, int, str]],
        place: int,
        whole: int,
        end: int | None,
    ) -> int | None:
        """How many words of the longest entry that begins at `place`; 0 where none does, None where what
        comes after `end` decides."""
        for entry in known:
            for at, wanted in enumerate(entry):
                here = place + at
                if at and here < len(words) and words[here][0] - words[here - 1][1] > GAP:
                    break
                if here >= whole:
                    unsaid = "" if here >= len(words) else words[here][2]
                    open_ = end is not None and (unsaid or end - words[here - 1][1] <= GAP)
                    if open_ and wanted.startswith(unsaid):
                        return None
                    break
                if words[here][2] != wanted:
                    break
            else:
                return len(entry)
        return 0


def _key(word: str) -> str:
    return word if word.isascii() else _UNSEEN.sub("", word)


class WordStream:
    """Text in pieces: each comes out with what was found in it, once it is decided. `met` says that something
    was found."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._held = ""
        self._inside = False
        """Of a word that is longer than any entry, whose beginning was released."""
        self.met = False

    def push(self, piece: str) -> tuple[str, list[Span]]:
        text = self._held + piece
        if not self._inside and (length := self._words.without(text)) is not None:
            self._held = text[length:]
            return text[:length], []
        return self._take(text, final=False)

    def end(self) -> tuple[str, list[Span]]:
        return self._take(self._held, final=True)

    def before_hit(self) -> str:
        """What is held before what was found: nothing, for what was found comes out at once."""
        return ""

    def let_go(self) -> str:
        """All that is left, as it is."""
        left, self._held = self._held, ""
        return left

    def _take(self, text: str, *, final: bool) -> tuple[str, list[Span]]:
        start = 0
        if self._inside and (going_on := _WORD.match(text)):
            start = going_on.end()
            if start == len(text):
                self._held = ""
                return text, []
        self._inside = False
        scanned = self._words.scan(text, start, final=final)
        self.met = self.met or bool(scanned.hits)
        settled = scanned.settled
        if len(text) - settled > self._words.longest + GAP and _WORD.fullmatch(text, settled):
            settled, self._inside = len(text), True
        self._held = text[settled:]
        return text[:settled], scanned.hits

"""What a search asks for, and the line that shows where it is."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.work import within

from prosa.domain.search import BEFORE, LONG, Hits, Phrase, Piece, beginning, phrases_of
from prosa.kit.text import folded


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("olá mun", [("olá", False), ("mun", True)]),
        ('"bom dia" ana', [("bom dia", False), ("ana", True)]),
        ('ana "bom dia"', [("ana", False), ("bom dia", False)]),
        ('"bom di', [("bom di", False)]),
        ("a-b c/d", [("a-b", False), ("c/d", True)]),
        ("OR NOT (x)", [("OR", False), ("NOT", False), ("(x)", True)]),
        ('*** "--" _ 🙂', []),
        ("  ", []),
        ('""', []),
    ],
)
@pytest.mark.hostile(27)
def test_words_and_phrases(asked: str, found: list[tuple[str, bool]]) -> None:
    assert phrases_of(asked) == tuple(Phrase(text, open_end) for text, open_end in found)


def shown(asked: str, text: str) -> str | None:
    pieces = Hits(phrases_of(asked)).pieces(text)
    return None if pieces is None else "".join(f"[{each.text}]" if each.hit else each.text for each in pieces)


@pytest.mark.parametrize(
    ("asked", "text", "line"),
    [
        ("FERIAS", "As férias!", "As [férias]!"),
        ("feri", "As férias\n em\tMarço", "As [férias] em Março"),
        ("férias", "As ferias", "As [ferias]"),
        ("ação", "reação e ação", "reação e [ação]"),
        ("cafe", "um cafe\u0301zinho", "um [cafe\u0301zinho]"),
        ('"cafe"', "um cafézinho, um café", "um cafézinho, um [café]"),
        ('"bom dia"', "Bom-dia, bom dia. bomdia", "[Bom-dia], [bom dia]. bomdia"),
        ("a b", "b a ba", "[b] [a] [ba]"),
        ("(.*)[x]+", "(.*)[x]+ é só texto", "(.*)[[x]]+ é só texto"),
        ("мир", "Привет, МИР", "Привет, [МИР]"),
        ("nada", "outra coisa", None),
    ],
)
def test_hits_are_marked(asked: str, text: str, line: str | None) -> None:
    assert shown(asked, text) == line


def test_a_long_text_is_cut_around_the_first_hit() -> None:
    text = "antes " * 100 + "agulha" + " depois" * 100
    line = shown("agulha", text) or ""
    assert line.startswith("…antes ")
    assert line.endswith("…")
    assert "[agulha]" in line
    assert line.index("[") <= BEFORE + 1
    assert len(line) <= LONG + 4
    assert beginning("x " * 500)[-1].text.endswith("…")


@given(st.text(max_size=400), st.text(max_size=30))
def test_pieces_are_the_text_and_no_more(text: str, asked: str) -> None:
    phrases = phrases_of(asked)
    pieces = Hits(phrases).pieces(text) if phrases else None
    if pieces is None:
        pieces = beginning(text)
    assert all(each.text for each in pieces)
    line = "".join(each.text for each in pieces).removeprefix("…").removesuffix("…")
    assert line.strip() in re.sub(r"\s+", " ", text) + "…"
    assert all(not (a.hit is b.hit is False) for a, b in pairwise(pieces))


words = st.text(st.sampled_from("abcàéîõüçñøßжйИΩ"), min_size=1, max_size=6)


@given(st.lists(words, min_size=1, max_size=8), st.data())
def test_a_word_of_the_text_is_found_however_it_is_written(said: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(said))
    spelt = data.draw(
        st.sampled_from([word, word.upper() if len(word.upper()) == len(word) else word, folded(word)])
    )
    pieces = Hits((Phrase(spelt),)).pieces(" ".join(said))
    assert pieces is not None
    hits = [each.text for each in pieces if each.hit]
    assert word in hits
    assert {folded(each) for each in hits} == {folded(word)}


@pytest.mark.hostile(27)
@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("a-b", "a" + "\u0301" * 100_000 + " a b"),
        ("a-b", "a" + "-" * 100_000 + "c a b"),
        (" ".join("abcdefghijklmnopqrstuvwxy"), "z " * 50_000 + "a b c"),
        ('"' + "a " * 90 + 'b"', "a " * 50_000 + "b"),
    ],
)
def test_no_text_takes_long(asked: str, text: str) -> None:
    hits = Hits(phrases_of(asked))
    with within(1):
        assert hits.pieces(text)


def test_an_empty_text_has_no_pieces() -> None:
    assert beginning("") == []
    assert Hits((Phrase("a"),)).pieces("") is None
    assert Piece("x") == Piece("x", hit=False)

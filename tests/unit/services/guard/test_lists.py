"""Words and patterns: found in whole texts and in pieces alike, and never for longer than they may take."""

import time
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.guard.test_placeholders import cut

from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import Flagged
from prosa.domain.moderation import AnswerBlocked, ModerationUnavailable
from prosa.services.guard.patterns import Patterns, PatternStream, TooSlow
from prosa.services.guard.placeholders import Vault
from prosa.services.guard.rules import Rule, RuleStage, replaced
from prosa.services.guard.screen import Channel
from prosa.services.guard.tables import CheckTable
from prosa.services.guard.words import Words, WordStream

LIST = ("bomba", "segredo industrial", "segredo de estado maior", "art", "são", "a b a b")
WORDS = Words(LIST)
SLOW = r"(?:x+x+)+y"


def test_a_hiccup_of_the_machine_is_no_slow_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns, tries = Patterns([r"\d+"], 1.0), iter([TooSlow])
    find = patterns.find

    def late(*given: Any) -> Any:
        for error in tries:
            raise error
        return find(*given)

    monkeypatch.setattr(patterns, "find", late)
    assert PatternStream(patterns, 1).push("a" * 70 + "1")[0]


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in WORDS.find(text)]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("Uma BOMBA!", ["BOMBA"]),
        ("a bômba", ["bômba"]),
        ("bo\u0301mba, b\u200bomba", ["bo\u0301mba", "b\u200bomba"]),
        ("bombas, party, art_", []),
        ("Segredo\n  industrial e segredo", ["Segredo\n  industrial"]),
        ("segredo de estado menor", []),
        ("segredo de estado-maior", ["segredo de estado-maior"]),
        ("sao, São, SÃO", ["sao", "São", "SÃO"]),
        ("a a b a b a b", ["a b a b"]),
        ("segredo" + " " * 9 + "industrial", []),
    ],
)
def test_words(text: str, hits: list[str]) -> None:
    assert found(text) == hits


WORDY = st.lists(
    st.sampled_from(
        [*LIST, "segredo", "de", "estado", "a", "b", "bombas", "x" * 30, " ", "\n", ", ", "é", "\u0301"]
    ),
    max_size=14,
).map("".join)


@given(WORDY, st.randoms(use_true_random=False))
def test_words_in_pieces(text: str, chance: Random) -> None:
    stream = WordStream(WORDS)
    said, hits = "", []
    for released, spans in [*map(stream.push, cut(text, chance)), stream.end()]:
        hits += [(len(said) + start, len(said) + end) for start, end in spans]
        said += released
    assert said == text
    assert hits == WORDS.find(text)


def test_no_more_is_held_back_than_may_become_one() -> None:
    stream = WordStream(WORDS)
    pieces = ("The", " secret", " segredo", " indus", "try ", "x" * 200, "bomba", " y ")
    assert [stream.push(piece)[0] for piece in pieces] == [
        "", "The ", "secret ", "", "segredo industry ", "x" * 200, "bomba", " y "
    ]  # fmt: skip
    assert not stream.met


PATTERNS = Patterns([r"\bproj-[0-9]{2,4}\b", r"(?<=id )[a-z]+", r"[0-9]{3}"], 1)


@given(
    st.lists(st.sampled_from(["proj-", "12", "3", "id ", "abc", " ", "-", "\n", "é"]), max_size=40).map(
        "".join
    ),
    st.randoms(use_true_random=False),
)
def test_patterns_in_pieces(text: str, chance: Random) -> None:
    """What is longer than the window is no promise: so it is no longer here."""
    stream = PatternStream(PATTERNS, len(text) or 1)
    said, hits = "", []
    for released, spans in [*map(stream.push, cut(text, chance)), stream.end()]:
        hits += [(len(said) + start, len(said) + end) for start, end in spans]
        said += released
    assert said == text
    assert hits == PATTERNS.find(text)
    assert stream.met == bool(hits)


@given(st.lists(st.sampled_from(["proj-", "123", "abc", " ", "x" * 20]), max_size=60).map("".join))
def test_nothing_of_a_match_comes_out_before_it_is_met(text: str) -> None:
    stream, said = PatternStream(PATTERNS, 12), ""
    hits = PATTERNS.find(text)
    for piece in cut(text, Random(7)):
        released, _ = stream.push(piece)
        if stream.met:
            break
        said += released
    assert not hits or len(said) <= hits[0][0]


@pytest.mark.hostile(30)
def test_a_pattern_that_takes_too_long_is_given_up() -> None:
    begun = time.monotonic()
    with pytest.raises(TooSlow):
        Patterns([SLOW], 0.05).find("x" * 10_000)
    assert time.monotonic() - begun < 2


@pytest.mark.hostile(30)
def test_what_was_not_checked_does_not_pass() -> None:
    rule = Rule("slow", CheckTable(patterns=(SLOW,), timeout=0.01))
    with pytest.raises(ModerationUnavailable):
        rule.find("x" * 10_000)
    with pytest.raises(ModerationUnavailable):
        stage(rule).push("x" * 10_000)


def test_unless_the_operator_lets_it() -> None:
    rule = Rule("slow", CheckTable(patterns=(SLOW,), timeout=0.01, fail="open"))
    assert rule.find("x" * 10_000) == []
    passing = stage(rule)
    assert passing.push("x" * 10_000) + passing.end() == "x" * 10_000


def stage(rule: Rule, notes: list[Flagged] | None = None) -> RuleStage:
    notes = [] if notes is None else notes
    (made,) = rule.stages(Vault(), notes.append)
    return made


def test_what_a_rule_does() -> None:
    notes: list[Flagged] = []
    flagging = stage(Rule("House", CheckTable(words=LIST, action="flag")), notes)
    assert flagging.push("a bomba, a bomba ") + flagging.end() == "a bomba, a bomba "
    assert notes == [Flagged("House", "output")]
    masking = stage(Rule("House 2", CheckTable(words=LIST, action="mask")))
    assert masking.push("a bomba, outra bom") + masking.push("ba e arte") + masking.end() == (
        "a [HOUSE_1], outra [HOUSE_1] e arte"
    )
    notes.clear()
    blocking = stage(Rule("x", CheckTable(words=LIST)), notes)
    assert blocking.push("um segredo ") == "um "
    with pytest.raises(AnswerBlocked):
        blocking.push("industrial!")
    assert (blocking.left, notes) == ("", [Flagged("x", "output", ("blocked",))])


@pytest.mark.parametrize(
    "table",
    [CheckTable(patterns=("(",)), CheckTable(patterns=("a*",)), CheckTable(words=("...",))],
)
def test_what_makes_no_sense_is_refused_at_the_start(table: CheckTable) -> None:
    with pytest.raises(MisconfiguredError, match=r"\[moderation.house\]"):
        Rule("house", table)


@pytest.mark.hostile(30)
@pytest.mark.parametrize("bit", ["a b a b ", "segredo ", "x", "segredo de estado ", "\u0301", "é"])
def test_words_take_linear_time(bit: str) -> None:
    text = (bit * 100_000)[:100_000]
    begun = time.thread_time()
    WORDS.find(text)
    assert time.thread_time() - begun <= 0.2


def test_replaced() -> None:
    assert replaced("abcdef", [(1, 2), (4, 6)], str.upper) == "aBcdEF"


WRITTEN = Rule("x", CheckTable(patterns=(r"PRJ-[0-9]{4}", "secret [a-z]+"), window=30))


@given(st.lists(st.sampled_from(["PRJ-", "1234", "secret ", "abc", " ", "x" * 20]), max_size=40).map("".join))
def test_all_that_comes_before_what_is_blocked_may_be_shown(text: str) -> None:
    hits = WRITTEN.find(text)
    for pieces in ([text], cut(text, Random(3))):
        channel, said = Channel([stage(WRITTEN), stage(Rule("w", CheckTable(words=("nothing",))))]), ""
        try:
            for piece in pieces:
                said += channel.push(piece)
            said += channel.end()
        except AnswerBlocked:
            assert hits
            said += channel.cleared or ""
            assert text[: hits[0][0]].startswith(said)
            if len(pieces) == 1:
                assert said == text[: hits[0][0]]
        else:
            assert (said, hits) == (text, [])

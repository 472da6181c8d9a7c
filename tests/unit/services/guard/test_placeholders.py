"""Placeholders: the same for the same value, and the way back, wherever a text is cut."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.kit.test_pii import PIECES

from prosa.kit.pii import KINDS
from prosa.services.guard.placeholders import Masker, Restorer, Vault, restored

TEXTS = st.lists(PIECES | st.sampled_from(["[EMAIL_1]", "[EMAIL_", "[", "_1]", "[CARD_2]"]), max_size=12).map(
    "".join
)


def cut(text: str, chance: Random) -> list[str]:
    pieces = []
    while text:
        size = chance.randint(1, 9)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


def test_the_same_value_has_the_same_placeholder() -> None:
    vault = Vault()
    assert vault.mask("a@b.io, c@d.io and a@b.io") == "[EMAIL_1], [EMAIL_2] and [EMAIL_1]"
    assert vault.mask("10.0.0.1 is c@d.io") == "[IP_1] is [EMAIL_2]"
    assert vault.values == {"[EMAIL_1]": "a@b.io", "[EMAIL_2]": "c@d.io", "[IP_1]": "10.0.0.1"}


def test_what_is_written_like_one_is_nobodys() -> None:
    vault = Vault(["He wrote [EMAIL_1]."])
    assert vault.mask("[EMAIL_1]: a@b.io") == "[EMAIL_1]: [EMAIL_2]"
    assert restored("[EMAIL_1] [EMAIL_2]", vault.values) == "[EMAIL_1] a@b.io"


@given(TEXTS)
def test_there_and_back(text: str) -> None:
    vault = Vault([text])
    assert restored(vault.mask(text), vault.values) == text


@given(TEXTS, st.randoms(use_true_random=False))
def test_masked_piece_by_piece_it_is_the_whole_masked(text: str, chance: Random) -> None:
    masker = Masker(Vault([text]), KINDS)
    said = "".join([*map(masker.push, cut(text, chance)), masker.end()])
    assert said == Vault([text]).mask(text)


@given(TEXTS, st.randoms(use_true_random=False))
def test_restored_piece_by_piece_it_is_the_whole_restored(text: str, chance: Random) -> None:
    values = {"[EMAIL_1]": "a@b.io", "[CARD_2]": "4111"}
    restorer = Restorer(values)
    assert "".join([*map(restorer.push, cut(text, chance)), restorer.end()]) == restored(text, values)


def test_what_can_be_no_placeholder_is_not_held_back() -> None:
    restorer = Restorer({"[EMAIL_1]": "a@b.io"})
    assert [restorer.push(piece) for piece in ("see [1]", " or [EM", "AIL_", "1", "] x [", "no")] == [
        "see [1]", " or ", "", "", "a@b.io x ", "[no"
    ]  # fmt: skip

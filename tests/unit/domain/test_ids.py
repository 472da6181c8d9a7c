"""Ids: they grow, they say what they are, and the foreign names map one to one."""

import threading
import time
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.domain import ids
from prosa.domain.ids import Prefix, between, from_foreign, new_id, parse_id, to_foreign

PREFIXES = [Prefix.CONVERSATION, Prefix.MESSAGE, Prefix.RUN, Prefix.STEP]


def test_version_variant_and_time() -> None:
    before = time.time_ns() // 1_000_000
    made = UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    # The counter may have run ahead of the clock by a millisecond if this process made very many.
    assert before <= made.int >> 80 <= after + 1


def test_ids_grow_strictly_as_text_and_as_numbers() -> None:
    made = [new_id() for _ in range(50_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_grow_when_the_clock_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000_000_000_000_000)
    assert first < new_id() < new_id()


def test_threads_never_get_the_same() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(new_id() for _ in range(2_000)))
        for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(mine == sorted(mine) for mine in made)
    assert len({each for mine in made for each in mine}) == 16_000


@given(st.uuids(), st.sampled_from(PREFIXES))
def test_the_foreign_name_is_a_bijection(identity: UUID, prefix: str) -> None:
    name = to_foreign(prefix, str(identity))
    assert name == prefix + identity.hex
    assert from_foreign(prefix, name) == str(identity)
    for other in PREFIXES:
        assert other == prefix or from_foreign(other, name) is None


@given(
    st.text(max_size=60) | st.from_regex(r"\A(thread_|msg_|run_)?[0-9a-fA-F-]{30,38}\Z"),
    st.sampled_from(PREFIXES),
)
def test_whatever_is_taken_is_given_back_the_same(text: str, prefix: str) -> None:
    found = from_foreign(prefix, text)
    assert found is None or to_foreign(prefix, found) == text


@pytest.mark.parametrize(
    "text",
    ["", "thread_", "thread_abc", "thread_" + "g" * 32, "thread_" + "A" * 32, "thread_" + "a" * 31,
     "thread_" + "a" * 33, "thread_0190-" + "a" * 27, "thread_" + "\uff11" * 32, " thread_" + "a" * 32,
     "msg_" + "a" * 32, f"thread_{{{'a' * 30}}}"],
)  # fmt: skip
def test_foreign_strings_are_refused(text: str) -> None:
    assert from_foreign(Prefix.CONVERSATION, text) is None


def test_the_usual_forms_of_a_uuid_are_understood() -> None:
    identity = uuid4()
    forms = (str(identity), identity.hex, str(identity).upper(), identity.hex.upper())
    assert {parse_id(form) for form in forms} == {str(identity)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * 36,
        "0" * 35,
        "0" * 37,
        "\uff11" * 32,
        "\0" * 32,
        "0x" + "0" * 30,
        "+" + "0" * 31,
        "1_" * 16,
        "{" + "0" * 30 + "}",
        "urn:" + "0" * 32,
        "-" * 4 + "0" * 32,
    ],
)
def test_what_is_no_uuid(text: str) -> None:
    assert parse_id(text) is None


@given(st.text(max_size=40))
def test_no_text_is_too_odd_to_ask_about(text: str) -> None:
    found = parse_id(text)
    assert found is None or parse_id(found) == found


def test_an_id_between_two() -> None:
    ids = [new_id() for _ in range(200)]
    for lower, upper in pairwise(ids):
        middle = between(lower, upper)
        assert lower < middle < upper
        assert parse_id(middle) == middle
        assert UUID(middle).version == 7
    assert len({between(ids[0], ids[-1]) for _ in range(1_000)}) == 1_000
    later = between(ids[1], ids[0])  # no such order: then a new one
    assert later > ids[-1]

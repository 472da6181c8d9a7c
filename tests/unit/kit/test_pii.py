"""What tells who somebody is, found in texts of any kind, in linear time, wherever they are cut."""

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.kit import digits
from prosa.kit.pii import KINDS, Kind, Splitter, find

FOUND: list[tuple[Kind, str]] = [
    ("email", "josé.silva+x@mail.exemplo.com.br"),
    ("email", "a@b.io"),
    ("phone", "+55 11 91234-5678"),
    ("phone", "(11) 91234-5678"),
    ("phone", "+1 (415) 555-2671"),
    ("phone", "415-555-2671"),
    ("phone", "11 3456-7890"),
    ("phone", "11987654321"),
    ("card", "4111 1111 1111 1111"),
    ("card", "4111111111111111"),
    ("card", "3782-822463-10005"),
    ("iban", "DE89 3704 0044 0532 0130 00"),
    ("iban", "gb82west12345698765432"),
    ("iban", "NO9386011117947"),
    ("ip", "192.168.0.1"),
    ("ip", "2001:db8::ff00:42:8329"),
    ("ip", "fe80::1"),
    ("cpf", "529.982.247-25"),
    ("cpf", "52998224725"),
    ("cnpj", "11.222.333/0001-81"),
    ("cnpj", "12.ABC.345/01DE-35"),
    ("key", "sk-proj-abcdefghijklmnop1234"),
    ("key", "prosa-0123456789abcdefghij"),
    ("key", "AKIAIOSFODNN7EXAMPLE"),
    ("key", "ghp_" + "a1B2" * 9),
    ("key", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-_"),
]
NOT_FOUND = [
    "2020-2024", "12:34:56", "v1.2.3.4", "1.1.1.1.1", "0.4111111111111111", "4111 1111 1111 1112",
    "DE88 3704 0044 0532 0130 00", "529.982.247-26", "111.111.111-11", "12.ABC.345/01DE-36", "a@b", "@all",
    "std::vector", "aa:bb:cc:dd:ee:ff", "300.1.1.1", "sk-short", "R$ 1.234,56", "2026-11-29T12:00:00", "::",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value"), FOUND)
@pytest.mark.parametrize("around", ["{}", "Oi, {}, sim.", "({})", "x={}\n", "é:\t{};", "你{}好"])
def test_it_is_found(kind: Kind, value: str, around: str) -> None:
    text = around.format(value)
    assert [(each.kind, text[each.start : each.end]) for each in find(text)] == [(kind, value)]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_it_is_left_alone(text: str) -> None:
    assert find(text) == []


def test_what_is_not_asked_for_is_not_looked_for() -> None:
    assert find("a@b.io and 10.0.0.1", ["ip"]) == [(11, 19, "ip")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1234 4111 1111 1111 1111", ["4111 1111 1111 1111"]),
        ("4111 1111 1111 1111 123", ["4111 1111 1111 1111"]),
        (
            "ES91 2100 0418 4502 0005 1332 ES91 2100 0418 4502 0005 1332",
            ["ES91 2100 0418 4502 0005 1332"] * 2,
        ),
        ("a@b.io,c@d.io", ["a@b.io", "c@d.io"]),
        ("mailto:a@b.io?x", ["a@b.io"]),
        ("a@b.example.123.", ["a@b.example"]),
        ("a@b.example.123.com.", ["a@b.example.123.com"]),
    ],
)
def test_neighbours_do_not_hide_it(text: str, values: list[str]) -> None:
    assert [text[each.start : each.end] for each in find(text)] == values


PIECES = st.sampled_from(
    [
        *(value for _, value in FOUND),
        *NOT_FOUND,
        *"aZ0 1@.:-(+)\n é你",
        " 12",
        "A1 ",
        "DE",
        "4111 ",
        "sk-",
        "  ",
    ]
)


@given(st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=80), st.randoms(use_true_random=False))
def test_what_is_found_piece_by_piece_is_what_is_found_in_the_whole(text: str, chance: Random) -> None:
    splitter, released = Splitter(), []
    place = 0
    while place < len(text):
        end = place + chance.randint(1, 9)
        released.append(splitter.push(text[place:end]))
        place = end
    released.append(splitter.end())
    assert "".join(released) == text
    found: list[tuple[int, int, Kind]] = []
    place = 0
    for piece in released:
        found += [(place + start, place + end, kind) for start, end, kind in find(piece)]
        place += len(piece)
    assert found == find(text)


def test_prose_is_held_back_for_a_word() -> None:
    splitter = Splitter()
    assert [splitter.push(piece) for piece in ("Once", " upon", " a", " time,", " 12", " May")] == [
        "", "Once ", "upon ", "a time,", " ", ""
    ]  # fmt: skip
    assert splitter.end() == "12 May"


HOSTILE = [
    "1.1.1.", "123-45-", "a.a.a.@", "(((((", "1111 ", "DE11 ", "1 ", "eyJ", "eyJaaaaaaaa.", "sk-", "::", ":1",
    "a@a.", "+1 ", "(11) ", "AA11", "A1 ", "ab@cd.ef ", "529.982.247-25 ", "4111111111111111 ", "\0", "9",
    "+1111111111111111111111111111111111111X", "(11)1111111X", "1-1", "+1-1", "+1 (1)1",
]  # fmt: skip


LIMIT = 0.1
"""Seconds."""


@pytest.mark.hostile(30)
@pytest.mark.parametrize("bit", HOSTILE)
def test_time_is_linear(bit: str) -> None:
    """100 KB in at most 100 ms of CPU, in one of three tries."""
    text = (bit * (100_000 // len(bit) + 1))[:100_000]
    for _ in range(3):
        begun = time.thread_time()
        find(text)
        if (taken := time.thread_time() - begun) <= LIMIT:
            break
    assert taken <= LIMIT


@pytest.mark.hostile(30)
@pytest.mark.parametrize("bit", ["1.1.1.", "(((((", "1 ", "A1 "])
def test_time_is_linear_piece_by_piece(bit: str) -> None:
    text = (bit * (100_000 // len(bit) + 1))[:100_000]
    splitter, begun = Splitter(), time.thread_time()
    for place in range(0, len(text), 4):
        splitter.push(text[place : place + 4])
    assert find(splitter.end()) is not None
    assert time.thread_time() - begun <= 0.3


def weighed(values: list[int], weights: range) -> str:
    """Module 11, as the ministry describes it: from the right, two to nine and again."""
    rest = sum(value * weights[place % len(weights)] for place, value in enumerate(reversed(values))) % 11
    return str(0 if rest in (0, 1) else 11 - rest)


@given(st.lists(st.integers(0, 9), min_size=9, max_size=9), st.integers(0, 99))
def test_cpf(body: list[int], wrong: int) -> None:
    first = weighed(body, range(2, 12))
    right = first + weighed([*body, int(first)], range(2, 12))
    said = "".join(map(str, body))
    assert digits.cpf(said + right) == (len({*said, *right}) > 1)
    assert digits.cpf(f"{said}{wrong:02}") == (f"{wrong:02}" == right and len({*said, *right}) > 1)


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12), st.integers(0, 99))
def test_cnpj(body: str, wrong: int) -> None:
    values = [ord(each) - 48 for each in body]
    first = weighed(values, range(2, 10))
    right = first + weighed([*values, int(first)], range(2, 10))
    assert digits.cnpj(body + right) == (len({*body, *right}) > 1)
    assert digits.cnpj(f"{body}{wrong:02}") == (f"{wrong:02}" == right and len({*body, *right}) > 1)


@given(st.text("0123456789", min_size=12, max_size=18), st.integers(0, 9))
def test_luhn(body: str, last: int) -> None:
    total = 0
    for place, each in enumerate(reversed(body)):
        twice = int(each) * 2
        total += int(each) if place % 2 else twice // 10 + twice % 10
    assert digits.luhn(f"{body}{last}") == ((total + last) % 10 == 0)


@given(st.sampled_from(sorted(digits.LENGTHS)), st.data())
def test_iban(country: str, data: st.DataObject) -> None:
    length = digits.LENGTHS[country] - 4
    body = data.draw(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=length, max_size=length))
    rest = 0
    for each in f"{body}{country}00":
        for digit in str(int(each, 36)):
            rest = (rest * 10 + int(digit)) % 97
    check = f"{98 - rest:02}"
    assert digits.iban(country + check + body)
    assert not digits.iban(country + f"{(int(check) + 1) % 97:02}" + body)
    assert not digits.iban(country + check + body + "0")


def test_every_kind_has_an_example() -> None:
    assert {kind for kind, _ in FOUND} == {*KINDS}

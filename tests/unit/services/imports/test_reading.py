"""Files that are too large, too deep, damaged, or made to do harm: bounded, and said so."""

import contextlib
import io
import json
import re
import struct
import tracemalloc
import zipfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.services.imports.samples import zipped

from prosa.domain.content import ToolResult
from prosa.domain.imports import BrokenFile, RefusedArchive, UnknownFile
from prosa.services.imports import archive, digits, reading
from prosa.services.imports.archive import contents
from prosa.services.imports.digits import Digits
from prosa.services.imports.escapes import Escapes
from prosa.services.imports.reading import Entry, Flaw, entries
from prosa.services.imports.spoken import Spoken


def read(data: bytes) -> list[Entry | Flaw]:
    return list(entries(io.BytesIO(data)))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def mended(value: Any) -> Any:
    match value:
        case str():
            whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            return whole.replace("\0", "\ufffd")
        case list():
            return [mended(each) for each in value]
        case dict():
            return {mended(name): mended(each) for name, each in value.items()}
    return value


@given(st.lists(VALUES, max_size=5))
def test_values_of_a_list_come_as_they_are(values: list[Any]) -> None:
    assert [each.value for each in read(json.dumps(values).encode())] == [mended(each) for each in values]


@given(st.dictionaries(st.text(), VALUES, max_size=4), st.lists(VALUES, max_size=3))
def test_an_object_comes_without_its_list(whole: dict[str, Any], values: list[Any]) -> None:
    found = read(json.dumps(whole | {"conversations": values}).encode())
    rest = {mended(name): mended(each) for name, each in whole.items() if name != "conversations"}
    assert [each.value for each in found if each.place == "conversations"] == [
        mended(each) for each in values
    ]
    assert found[-1] == Entry(".", rest)


def test_texts_that_no_database_keeps() -> None:
    (found,) = read(rb'["a\u0000\ud800b\udc00 \ud83d\ude00", 7]')[:1]
    assert "\0" not in found.value
    found.value.encode()
    assert found.value.endswith("\U0001f600")


@given(
    st.text(alphabet=st.sampled_from(["\\", "a", "\ud83d", "\ude00", "\U0001f600", "\u00e9"])),
    st.integers(1, 9),
)
def test_halves_of_characters_wherever_the_bytes_are_cut(text: str, size: int) -> None:
    raw = json.dumps(text).encode()
    escapes = Escapes()
    pieces = [escapes.feed(raw[at : at + size]) for at in range(0, len(raw), size)]
    whole = b"".join([*pieces, escapes.rest()])
    assert json.loads(whole) == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_numbers_that_are_none(number: str) -> None:
    assert [each.value for each in read(f"[{number}, 1]".encode())] == [None, 1]


@pytest.mark.parametrize(
    "data", [b"[1, nul]", b'[1, {"a": ]', b'[1, "\xff"]', b"[1, ", b"[1] x", b"[1, 2}", b'[1, "\t"]']
)
def test_what_is_no_json(data: bytes) -> None:
    found: list[Any] = []
    with pytest.raises(BrokenFile) as broken:
        found.extend(entries(io.BytesIO(data)))
    assert [each.value for each in found][:1] == [1]
    assert broken.value.details["bytes"] <= len(data)


@pytest.mark.parametrize("what", ["text", "values", "depth"])
def test_a_value_that_is_too_large_is_passed_over(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TEXT", 10_000)
    monkeypatch.setattr(reading, "MOST_VALUES", 1_000)
    large = {"text": '"' + "x" * 9_000 + '", "' + "y" * 9_000 + '"', "values": "1" + ",[2]" * 2_000,
             "depth": "[" * 200 + "]" * 200}[what]  # fmt: skip
    data = f'[{{"a": 1}}, {{"id": "big", "messages": [{large}, {{"x": [1]}}]}}, {{"uuid": "u", "m": [{large}]}}, {{"b": 2}}]'
    first, one, two, last = read(data.encode())
    assert (first, last) == (Entry("", {"a": 1}), Entry("", {"b": 2}))
    assert isinstance(one, Flaw)
    assert isinstance(two, Flaw)
    assert (one.told, two.told) == ("big", "u")


def test_depth_takes_no_memory() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BrokenFile):
            read(b"[" * 500_000)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def opened(data: bytes) -> list[bytes]:
    return [each.read() for each in contents(io.BytesIO(data))]


GOOD = zipped({"conversations.json": b'[{"id": 1}]' * 100, "a.txt": b"x"})


def test_a_zip() -> None:
    assert opened(GOOD) == [b'[{"id": 1}]' * 100]
    assert opened(b"[1]") == [b"[1]"]
    with pytest.raises(UnknownFile):
        opened(zipped({"x/conversations.json.exe": b"", "my-conversations.json": b"", "other.json": b"[]"}))


@pytest.mark.hostile(34)
def test_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MOST_TIMES", 2)
    with pytest.raises(RefusedArchive, match="unpack to more"):
        opened(zipped({"conversations.json": b" " * 2_100_000}))
    monkeypatch.setattr(archive, "MOST_UNPACKED", 1_000)
    with pytest.raises(RefusedArchive, match="unpack to more"):
        opened(GOOD)


@pytest.mark.hostile(34)
def test_a_zip_that_lies_about_its_size() -> None:
    """By the directory it unpacks to ten bytes: more of it is never read."""
    data = bytearray(zipped({"conversations.json": b"[" + b" " * 1_000_000 + b"]"}))
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    with pytest.raises(RefusedArchive, match="damaged"):
        opened(bytes(data))


@pytest.mark.hostile(34)
@pytest.mark.parametrize("lists", [2**31, 2**32 - 1])
def test_a_directory_without_end(lists: int) -> None:
    data = bytearray(GOOD)
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, lists)
    with pytest.raises(RefusedArchive):
        opened(bytes(data))


@pytest.mark.hostile(34)
def test_two_records_of_one_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One reader follows the place that is told, another takes the record before it: neither may be misled."""
    small = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, 47, 0)
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("a", small)
        made.writestr("conversations.json", b"[]")
    data = held.getvalue()
    end, told = data.rfind(b"PK\x05\x06"), data.find(b"PK\x06\x06")
    size, begin = struct.unpack_from("<II", data, end + 12)
    large = struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, size, begin)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, told, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", *[0xFFFF] * 4, *[0xFFFFFFFF] * 2, 0)
    monkeypatch.setattr(archive, "MOST_DIRECTORY", size - 1)
    with pytest.raises(RefusedArchive, match="too many files"):
        opened(data[:end] + large + locator + last)


def test_many_files_beside_it() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr("conversations.json", b"[1]")
        for number in range(70_000):  # which takes a directory of the larger kind
            made.writestr(f"{number}", b"")
    assert opened(held.getvalue()) == [b"[1]"]


@pytest.mark.parametrize("cut", [5, 30, 60, -1, -10, -30])
def test_a_zip_that_breaks_off(cut: int) -> None:
    with pytest.raises(RefusedArchive):
        opened(GOOD[:cut])


@given(st.integers(4, len(GOOD) - 1), st.integers(1, 255))
def test_a_zip_with_a_wrong_byte(place: int, change: int) -> None:
    data = bytearray(GOOD)
    data[place] ^= change
    with contextlib.suppress(RefusedArchive, UnknownFile):
        opened(bytes(data))


def test_an_encrypted_zip() -> None:
    data = bytearray(GOOD)
    for mark, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.find(mark) + at] |= 1
    with pytest.raises(RefusedArchive, match="encrypted"):
        opened(bytes(data))


@pytest.mark.hostile(24)
@pytest.mark.parametrize("before", [0, 1, 63_000, 66_000, 140_000])
def test_a_number_without_end(before: int) -> None:
    """Past its first piece, such a number took the process down."""
    for number in (b"1" * 5_000, b"-" + b"7" * 300_000, b"1e" + b"9" * 40):
        with pytest.raises(BrokenFile):
            read(b"[" + b" " * before + number + b"]")
    text = b'"' + b"\\\\" * 3 + b"1" * 200_000 + b'\\""'
    assert len(read(b"[" + b" " * before + text + b", " + b"1" * 3_999 + b"]")) == 2


@given(
    st.lists(st.sampled_from([b"1", b"77", b'"', b"\\\\", b'\\"', b",", b" 1"]), max_size=30),
    st.integers(1, 5),
)
def test_digits_are_counted_outside_of_texts_alone(pieces: list[bytes], size: int) -> None:
    whole = b"".join(pieces)
    outside = re.sub(rb'"(?:\\.|[^"\\])*("|$)', b'""', whole)
    if b"\\" in outside:  # no JSON
        return
    seen = Digits()
    cuts = [b"".join(pieces[at : at + size]) for at in range(0, len(pieces), size)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digits, "MOST", 3)
        found = any(seen.endless(each) for each in cuts)
    assert found == bool(re.search(rb"\d{4}", outside))


def test_what_is_held_of_a_file_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_AT_A_TIME", 200_000)
    assert len(read(b'["' + b"x" * 100_000 + b'", 1]')) == 2
    with pytest.raises(BrokenFile):
        read(b'["' + b"x" * 400_000 + b'"]')
    monkeypatch.setattr(reading, "MOST_VALUES", 1_000)
    lists = ",".join(f'"{name}": [{"1," * 400}1]' for name in range(9))
    found = read(f'{{{lists}, "conversations": [{{"a": 1}}]}}'.encode())
    assert sum(isinstance(each, Flaw) for each in found) == 7
    assert Entry("conversations", {"a": 1}) in found
    assert len(found[-1].value) == 2  # type: ignore[union-attr]


def test_many_small_pieces_are_put_together_once() -> None:
    """One by one, a message of 8 MB took minutes, in which nothing else was served."""
    spoken, many = Spoken(), 100_000
    for _ in range(many):
        spoken.say("x" * 60)
    for number in range(many):
        spoken.call(str(number), "", {})
    for number in range(many):
        spoken.result(str(number), "", "y" * 60)
    for _ in range(many):
        spoken.result("?", "", "z")
    content, parts = spoken.content()
    assert content == "\n\n".join(["x" * 60] * many)
    assert len(parts) == 1 + 2 * many
    assert parts[-1] == ToolResult(str(many - 1), "\n".join(["y" * 60, *["z"] * many]), "tool")

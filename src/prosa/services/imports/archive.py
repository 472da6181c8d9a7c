"""The file that holds the conversations: what was sent, or what lies in the zip that was."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from prosa.domain.imports import RefusedArchive, UnknownFile
from prosa.services.imports.reading import Readable

MOST_UNPACKED = 4 * 1024 * 1024 * 1024
"""Bytes of conversations that a zip may hold."""
MOST_DIRECTORY = 8 * 1024 * 1024
"""Bytes of its list of files, which takes ten times as much in memory."""
MOST_TIMES = 200
"""How many times larger than in the zip its content may be: JSON comes to ten, a bomb to a thousand."""

_NAME = re.compile(r"(?:.*/)?conversations(?:[-_]?\d{1,6})?\.json")
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_TAIL = 65_536 + 22
_ENCRYPTED = 0x1
_DAMAGE = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)


def contents(file: IO[bytes]) -> Iterator[Readable]:
    """`file` itself, or each part of the conversations in its zip. Raises RefusedArchive, UnknownFile."""
    start = file.read(4)
    file.seek(0)
    if start != b"PK\x03\x04":
        yield file
        return
    if _directory(file) > MOST_DIRECTORY:
        raise RefusedArchive("it lists too many files.")
    try:
        with zipfile.ZipFile(file) as archive:
            for member in _wanted(archive):
                with archive.open(member) as opened:
                    yield _Bounded(opened, member.file_size)
    except _DAMAGE as error:
        raise RefusedArchive("it is damaged.") from error


def _wanted(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    found = sorted(
        (member for member in archive.infolist() if _NAME.fullmatch(member.filename)),
        key=lambda member: member.filename,
    )
    if not found:
        raise UnknownFile
    if any(member.flag_bits & _ENCRYPTED for member in found):
        raise RefusedArchive("it is encrypted.")
    size, packed = sum(each.file_size for each in found), sum(each.compress_size for each in found)
    if size > MOST_UNPACKED or size > MOST_TIMES * max(packed, 1_000_000):
        raise RefusedArchive("it would unpack to more than anybody needs.")
    return found


def _directory(file: IO[bytes]) -> int:
    """The length of the list of files: the largest of those that the records at the end tell, for which one
    counts is up to the reader. Raises RefusedArchive."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _TAIL - 76))
    tail = file.read()
    file.seek(0)
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:  # noqa: PLR2004 - the length of that record
        raise RefusedArchive("it breaks off.")
    told: int = struct.unpack_from("<I", tail, at + 12)[0]
    if at < 20 or not tail[at - 20 :].startswith(_LOCATOR_64):  # noqa: PLR2004
        return told
    file.seek(struct.unpack_from("<Q", tail, at - 12)[0])
    named = file.read(56)
    file.seek(0)
    if len(named) < 56 or not named.startswith(_END_64):  # noqa: PLR2004
        raise RefusedArchive("it breaks off.")
    before = tail[max(0, at - 76) : at - 20]
    records = [each for each in (named, before) if each.startswith(_END_64) and len(each) == 56]  # noqa: PLR2004
    sizes: list[int] = [struct.unpack_from("<Q", each, 40)[0] for each in records]
    return max(sizes)


class _Bounded:
    """A file in a zip that ends where the zip says that it ends, whatever comes."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._file.read(min(size, self._left) if size >= 0 else self._left)
        except _DAMAGE as error:
            raise RefusedArchive("it is damaged.") from error
        self._left -= len(data)
        return data

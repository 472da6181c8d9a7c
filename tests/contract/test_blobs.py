"""Blobs in a folder: whole or not at all, readable by nobody else, and swept without harm."""

import os
import stat
import threading
from pathlib import Path

import pytest

from prosa.adapters.blobs.folder import Folder
from prosa.domain.errors import MisconfiguredError
from prosa.domain.files import FileNotFound, FilesUnavailable
from prosa.domain.ids import new_id
from prosa.domain.time import SECOND, Instant, now
from prosa.ports.files import Blobs

SOON = Instant(now() + 3_600 * SECOND)
LONG_AGO = Instant(now() - 3_600 * SECOND)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    made = Folder(tmp_path / "files", "prosa.db")
    made.prepare()
    return made


def put(blobs: Blobs, data: bytes = b"abc") -> str:
    identity = new_id()
    draft = blobs.begin()
    draft.write(data)
    draft.keep(identity)
    return identity


def everything(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "database")


def read(blobs: Blobs, identity: str) -> bytes:
    with blobs.open(identity) as file:
        return file.read()


def test_what_was_kept(blobs: Blobs, tmp_path: Path) -> None:
    one, other = put(blobs, b"one" * 100_000), put(blobs, b"")
    assert (read(blobs, one), read(blobs, other)) == (b"one" * 100_000, b"")
    assert everything(tmp_path) == sorted(tmp_path / "files" / each[-2:] / each for each in (one, other))
    with pytest.raises(FileNotFound):
        blobs.open(new_id())


@pytest.mark.hostile(33)
def test_nobody_else_may_read(blobs: Blobs, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        put(blobs)
        draft = blobs.begin()
    finally:
        os.umask(before)
    for path in (tmp_path / "files").rglob("*"):
        wanted = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == wanted, path
    draft.discard()


def test_what_is_being_written_can_be_read(blobs: Blobs) -> None:
    draft = blobs.begin()
    draft.write(b"abc")
    draft.file.seek(1)
    assert draft.file.read() == b"bc"
    draft.write(b"d")
    identity = new_id()
    draft.keep(identity)
    assert read(blobs, identity) == b"abcd"
    draft.discard()
    assert read(blobs, identity) == b"abcd"


def test_nothing_stays_of_what_is_discarded(blobs: Blobs, tmp_path: Path) -> None:
    draft = blobs.begin()
    draft.write(b"abc")
    draft.discard()
    draft.discard()
    with pytest.raises(FilesUnavailable):
        draft.write(b"d")
    with pytest.raises(FilesUnavailable):
        draft.keep(new_id())
    assert everything(tmp_path) == []


def test_discarding_while_another_thread_writes(blobs: Blobs, tmp_path: Path) -> None:
    draft = blobs.begin()
    failed = threading.Event()

    def write() -> None:
        try:
            while True:
                draft.write(b"x" * 65_536)
        except FilesUnavailable:
            failed.set()

    thread = threading.Thread(target=write)
    thread.start()
    draft.discard()
    thread.join(10)
    assert failed.is_set()
    assert everything(tmp_path) == []


def test_removing(blobs: Blobs, tmp_path: Path) -> None:
    one, other = put(blobs), put(blobs)
    blobs.remove([one, new_id(), one])
    assert everything(tmp_path) == [tmp_path / "files" / other[-2:] / other]


@pytest.mark.hostile(40)
def test_what_a_sweep_is_told(blobs: Blobs, tmp_path: Path) -> None:
    made = {put(blobs) for _ in range(300)}
    (tmp_path / "files" / "ab").mkdir(exist_ok=True)
    for odd in ("ab/notes.txt", "ab/" + new_id()[:-2] + "cd", "mine.txt"):
        (tmp_path / "files" / odd).write_text("not ours")
    assert {each for ids in blobs.kept(SOON) for each in ids} == made
    assert list(blobs.kept(LONG_AGO)) == []


@pytest.mark.hostile(40)
def test_what_was_begun_and_forgotten(blobs: Blobs, tmp_path: Path) -> None:
    draft = blobs.begin()
    draft.write(b"abc")
    draft.file.close()
    kept = put(blobs)
    blobs.clear(LONG_AGO)
    assert len(everything(tmp_path)) == 2
    blobs.clear(SOON)
    assert everything(tmp_path) == [tmp_path / "files" / kept[-2:] / kept]


def test_another_databases_folder_is_left_alone(blobs: Blobs, tmp_path: Path) -> None:
    kept = put(blobs)
    other = Folder(tmp_path / "files", "another.db")
    other.prepare()
    assert "delete" in (other.complaint() or "")
    assert list(other.kept(SOON)) == []
    assert read(other, kept) == b"abc"
    (tmp_path / "files" / "database").unlink()
    assert list(other.kept(SOON)) == [[kept]]


def test_a_folder_that_can_not_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(MisconfiguredError, match="PROSA_FILES_DIR"):
            Folder(path).prepare()
        assert "PROSA_FILES_DIR" in (Folder(path).complaint() or "")
    with pytest.raises(FilesUnavailable):
        Folder(tmp_path / "file").begin()
    assert Folder(tmp_path / "new" / "er").complaint() is None
    assert not (tmp_path / "new").exists()


@pytest.mark.hostile(40)
def test_a_full_disk(blobs: Blobs, tmp_path: Path) -> None:
    full = blobs.begin()
    full.file.close()
    with Path("/dev/full").open("r+b", buffering=0) as device:
        full.file = device  # type: ignore[misc]
        with pytest.raises(FilesUnavailable):
            full.write(b"x")
    full.discard()
    assert everything(tmp_path) == []

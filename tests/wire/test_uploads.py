"""What is taken, what is refused, and what is left of an upload that broke off: nothing."""

import asyncio
import errno
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.pictures import PDF, gif, jpeg, png, webp
from tests.wire.house import NOBODY, House, furnished, refused
from tests.wire.uploads import blobs, pieces, until, upload
from tests.work import never_stalling

from prosa.domain import files as f
from prosa.domain.errors import StoreUnavailable
from prosa.domain.principal import LOCAL, Principal
from prosa.services.files.files import MOST_UPLOADS
from prosa.transport.pace import timely


@pytest.mark.parametrize(
    ("name", "data", "media_type", "kind"),
    [
        ("x.png", gif(), "image/gif", "image"), ("x", jpeg(), "image/jpeg", "image"), ("x.txt", webp(), "image/webp", "image"),
        ("x.doc", PDF, "application/pdf", "document"), ("x.md", b"# T\xc3\xadtulo", "text/markdown", "document"),
        ("X.CSV", b"a,b\n1,2\n", "text/csv", "document"), ("x.json", b"{}", "application/json", "document"),
        ("x.py", b"print()", "text/plain", "document"), ("x", "\ufeffolá".encode(), "text/plain", "document"),
    ],
)  # fmt: skip
async def test_what_is_in_it_decides(
    local: House, name: str, data: bytes, media_type: str, kind: str
) -> None:
    made = await upload(local, data, name)
    assert (made["name"], made["mediaType"], made["kind"], made["size"]) == (
        name,
        media_type,
        kind,
        len(data),
    )


@pytest.mark.hostile(34)
@pytest.mark.hostile(36)
@pytest.mark.parametrize(
    ("name", "data", "status", "code"),
    [
        ("x.png", b"", 422, "empty_file"), ("x.docx", b"PK\x03\x04" + b"\0" * 100, 415, "unsupported_file"),
        ("x.exe", b"MZ\x90\0" + b"\xff" * 60, 415, "unsupported_file"), ("x.txt", b"words\0", 415, "unsupported_file"),
        ("x.txt", "palavras é".encode("latin-1"), 415, "unsupported_file"), ("x.txt", "olá".encode("utf-16"), 415, "unsupported_file"),
        ("x.txt", b"a" * 70_000 + b"\xc3", 415, "unsupported_file"), ("x.png", png(50_000, 50_000), 422, "image_too_large"),
        ("x.gif", gif(65_535, 2), 422, "image_too_large"), ("x.webp", webp(b"VP8X", 9_000, 9_000), 422, "image_too_large"),
        ("x.png", png()[:20], 422, "invalid_file"), ("x.jpg", b"\xff\xd8\xff" + b"\0" * 60, 422, "invalid_file"),
        ("x.txt", b"a" * (2 * f.MEGABYTE + 1), 413, "file_too_large"), ("x.svg", b"\x1f\x8b\x08" + b"\xff" * 60, 415, "unsupported_file"),
        ("x.png", png(after=b"\0" * 20 * f.MEGABYTE), 413, "file_too_large"),
    ],
)  # fmt: skip
async def test_what_is_not_taken(local: House, name: str, data: bytes, status: int, code: str) -> None:
    answer = await local.post("/api/files", files={"file": (name, data, "image/png")})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert blobs(local) == []


async def test_the_operators_limits(tmp_path: Path) -> None:
    async with furnished(tmp_path, max_file_bytes=100, max_files_bytes_per_user=150) as house:
        await upload(house, b"a" * 100, "a.txt")
        assert (await upload(house, b"a" * 101, "a.txt", status=413))["code"] == "file_too_large"
        full = await upload(house, b"a" * 51, "a.txt", status=413)
        assert (full["code"], full["used"], full["limit"]) == ("files_full", 100, 150)
        last = await upload(house, b"a" * 50, "a.txt")
        assert (await upload(house, b"a", "a.txt", status=413))["code"] == "files_full"
        assert len(blobs(house)) == 2
        await house.call("DELETE", f"/api/files/{last['id']}")
        await upload(house, b"a" * 50, "a.txt")


@pytest.mark.hostile(40)
async def test_the_quota_is_exact(tmp_path: Path) -> None:
    async with furnished(tmp_path, max_files_bytes_per_user=350) as house:
        answers = await asyncio.gather(
            *(house.post("/api/files", files={"file": ("a.txt", b"a" * 100)}) for _ in range(12))
        )
        assert sorted(answer.status_code for answer in answers) == [201] * 3 + [413] * 9
        assert len(blobs(house)) == 3
        assert await house.chat.store.of(LOCAL).files.used() == 300


def form(*parts: bytes, end: bytes = b"--b--\r\n") -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end


FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwords'
OTHER = b'Content-Disposition: form-data; name="x"\r\n\r\ny'


@pytest.mark.hostile(38)
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (form(FILE, FILE), ""), (form(FILE, OTHER), ""), (form(OTHER), ""), (form(OTHER, FILE), ""), (form(), ""), (b"", ""),
        (form(FILE, end=b""), ""), (form(FILE)[:-20], ""), (b"words", ""), (form(*[FILE] * 10_000), ""),
        (form(b"X: " + b"y" * 10_000_000 + b"\r\n" + FILE), ""), (form(b"X: y\r\n" * 1_000_000 + FILE), ""),
        (form(b"Content-Disposition: form-data; name=file\r\n\r\nx"), ""), (form(b"\r\nwords"), ""), (form(b"X\r\n\r\nwords"), ""),
        (form(FILE), "multipart/form-data"), (form(FILE), "multipart/form-data; boundary="), (form(FILE), "multipart/form-data; boundary=c"),
        (form(FILE), "multipart/form-data; boundary=" + "b" * 300), (form(FILE), 'multipart/form-data; boundary="b'),
        (form(FILE.replace(b"form-data", b"attachment")), ""),
    ],
    ids=lambda value: f"{len(value)}-{value[-30:]!r}",
)  # fmt: skip
async def test_forms_that_are_none(local: House, body: bytes, kind: str) -> None:
    headers = {"Content-Type": kind or "multipart/form-data; boundary=b"}
    async with never_stalling():
        answer = await local.post("/api/files", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert blobs(local) == []


@pytest.mark.hostile(38)
@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "text/plain",
        "multipart/mixed; boundary=b",
        "multipart/form-data\xff",
        "x" * 9_000,
    ],
)
async def test_types_that_are_no_form(local: House, kind: str) -> None:
    answer = await local.post(
        "/api/files", content=form(FILE), headers={"Content-Type": kind.encode("latin-1")}
    )
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_form_in_the_smallest_pieces(local: House, size: int) -> None:
    body = form(FILE.replace(b"words", b"words\r\n--b" * 9))
    sent = pieces(*(body[place : place + size] for place in range(0, len(body), size)))
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = await local.post("/api/files", content=sent, headers=headers)
    assert answer.status_code == 400  # a boundary inside the file ends it
    body = form(FILE.replace(b"words", b"words\r\n-b\r\n--" * 9))
    sent = pieces(*(body[place : place + size] for place in range(0, len(body), size)))
    answer = await local.post("/api/files", content=sent, headers=headers)
    assert answer.status_code == 201
    assert (await local.get(f"/api/files/{answer.json()['id']}/content")).content == b"words\r\n-b\r\n--" * 9


@pytest.mark.hostile(38)
async def test_a_byte_a_second(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "__defaults__", (0.3, 4_096))

    async def drip() -> AsyncIterator[bytes]:
        for each in form(FILE):
            yield bytes([each])
            await asyncio.sleep(0.02)

    headers = {"Content-Type": "multipart/form-data; boundary=b", "Transfer-Encoding": "chunked"}
    async with local.listening():
        answer = await local.post("/api/files", content=drip(), headers=headers)
    refused(answer, 408, f.UploadTooSlow())
    assert blobs(local) == []


@pytest.mark.hostile(38)
@pytest.mark.hostile(40)
async def test_a_connection_that_is_cut(local: House) -> None:
    body = form(FILE.replace(b"words", b"words" * 100_000))
    async with local.listening() as url:
        for length in (100, len(body) // 2, len(body) - 10):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            head = f"POST /api/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
            writer.write(
                head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + body[:length]
            )
            await writer.drain()
            await until(lambda length=length: length == 100 or bool(blobs(local)))  # it is being written
            writer.transport.abort()
            del reader
            await until(lambda: not (blobs(local) or local.chat.files._uploading))
    assert await local.chat.store.of(LOCAL).files.used() == 0


@pytest.mark.hostile(66)
async def test_too_many_at_once(local: House) -> None:
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"words"
        await gate.wait()

    going = [asyncio.create_task(local.chat.files.add(LOCAL, "a.txt", slow())) for _ in range(MOST_UPLOADS)]
    await until(lambda: len(blobs(local)) == MOST_UPLOADS)
    assert (await upload(local, status=429))["code"] == "too_many_uploads"
    await local.chat.files.add(Principal("bia"), "a.txt", pieces(b"words"))
    gate.set()
    await asyncio.gather(*going)
    await upload(local)


@pytest.mark.hostile(40)
async def test_a_disk_that_is_full(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("prosa.adapters.blobs.folder.os.fsync", full)
    answer = await local.post("/api/files", files={"file": ("a.png", png())})
    refused(answer, 503, f.FilesUnavailable())
    assert int(answer.headers["retry-after"]) > 0
    monkeypatch.undo()
    assert blobs(local) == []
    assert await local.chat.store.of(LOCAL).files.used() == 0
    await upload(local)


@pytest.mark.hostile(40)
async def test_what_the_sweep_takes(local: House) -> None:
    one = await local.conversation()
    sent, fresh, unsent = [(await upload(local))["id"] for _ in range(3)]
    await local.send(one, attachments=[sent])
    orphan = blobs(local)[0].parent.parent / "ff" / (NOBODY[:-2] + "ff")
    orphan.parent.mkdir(exist_ok=True)
    orphan.write_bytes(b"nobody's")
    half = orphan.parent.parent / "incoming" / "half"
    half.write_bytes(b"half")
    await local.chat.files.sweep()
    assert {path.name for path in blobs(local)} == {
        sent,
        fresh,
        unsent,
        orphan.name,
        "half",
    }  # they are young
    for path in blobs(local):
        os.utime(path, (time.time() - 3_600, time.time() - 3_600))
    database = sqlite3.connect(orphan.parent.parent.parent / "prosa.db")
    with database:
        database.execute(
            "UPDATE files SET created_at = created_at - ? WHERE id IN (?, ?)", (86_400_000_001, unsent, sent)
        )
    database.close()
    for _ in range(2):
        await local.chat.files.sweep()
        assert {path.name for path in blobs(local)} == {sent, fresh}
    assert await local.chat.store.of(LOCAL).files.used() == 2 * len(png())


async def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("no folder")
    async with furnished(tmp_path, files_dir=tmp_path / "taken") as house:
        refused(await house.post("/api/files", files={"file": ("a.png", png())}), 503, f.FilesUnavailable())
        assert (await house.send(await house.conversation()))[-1]["status"] == "completed"


@pytest.mark.hostile(40)
async def test_a_database_that_is_away(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its row was written nobody knows: the bytes stay until the sweep can tell."""

    async def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr("prosa.adapters.store.repositories.files.Files.add", away)
    answer = await local.post("/api/files", files={"file": ("a.png", png())})
    refused(answer, 503, StoreUnavailable())
    assert len(blobs(local)) == 1
    for path in blobs(local):
        os.utime(path, (time.time() - 3_600, time.time() - 3_600))
    await local.chat.files.sweep()
    assert blobs(local) == []


async def test_no_more_is_read_at_once_than_a_model_takes(
    local: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An imported message may say that each file of its owner has no byte."""
    ids = [(await upload(local, b"12345678", "a.txt"))["id"] for _ in range(3)]
    monkeypatch.setattr("prosa.services.files.files.MOST_SHOWN", 20)
    assert len(await local.chat.files.read(LOCAL.user_id, ids)) == 2

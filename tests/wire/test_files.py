"""Files by the API: taken in, sent with messages, handed out, and gone with what they hang on."""

import asyncio
import errno
import os
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
import pytest
from msgspec.structs import replace
from tests.pictures import PDF, gif, jpeg, png, webp
from tests.wire.house import LIMIT, NOBODY, House, furnished, refused
from tests.wire.test_hostile_input import never_stalling

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain import files as f
from prosa.domain.content import DocumentPart, ImagePart, TextPart
from prosa.domain.models import Role, Turn
from prosa.domain.principal import LOCAL, Principal
from prosa.services.files.files import MOST_UPLOADS
from prosa.services.messages import stored_message
from prosa.services.tickets import Following, Question
from prosa.transport.pace import timely


async def upload(
    house: House,
    data: bytes | None = None,
    name: str = "a.png",
    *,
    user: str | None = None,
    status: int = 201,
) -> dict[str, Any]:
    answer = await house.post(
        "/api/files", user=user, files={"file": (name, png() if data is None else data, "x/y")}
    )
    assert answer.status_code == status, answer.text
    return answer.json()


def blobs(house: House) -> list[Path]:
    """All files that are in the folder."""
    folder = (
        Path(house.settings.database_url.get_secret_value().removeprefix("sqlite:///")).parent / "prosa-files"
    )
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "database")


async def until(true: Callable[[], bool]) -> None:
    """Threads write and remove files, and nobody tells when."""
    async with asyncio.timeout(LIMIT):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_picture_from_upload_to_model(local: House) -> None:
    data = png(640, 480)
    made = await upload(local, data, "férias.png")
    assert made == {
        "id": made["id"], "name": "férias.png", "mediaType": "image/png", "kind": "image", "size": len(data), "width": 640,
        "height": 480, "conversationId": None, "createdAt": made["createdAt"],
    }  # fmt: skip
    one = await local.conversation()
    happened = await local.send(one, "What is this?", attachments=[made["id"]])
    assert happened[-1]["status"] == "completed"
    turn = local.calls[-1].request.turns[-1]
    assert turn.content == "What is this?"
    assert turn.parts == (
        ImagePart("image/png", data, name="férias.png", file=made["id"], size=len(data)), TextPart("What is this?"),
    )  # fmt: skip
    question = (await local.get(f"/api/conversations/{one}/messages")).json()["items"][0]
    assert question["content"] == "What is this?"
    assert question["parts"] == [
        {"type": "media", "mediaType": "image/png", "url": None, "name": "férias.png", "fileId": made["id"], "size": len(data)},
        {"type": "text", "text": "What is this?"},
    ]  # fmt: skip
    assert (await local.get(f"/api/files/{made['id']}")).json() == {**made, "conversationId": one}
    assert (await local.get(f"/api/files/{made['id']}/content")).content == data


async def test_a_message_of_a_picture_alone(local: House) -> None:
    made = await upload(local)
    one = await local.conversation()
    for fields in ({}, {"content": ""}):
        attached = [made["id"].upper(), made["id"]]
        body = {"conversationId": one, "attachments": attached, **fields}
        assert (await local.post("/api/chat/send", body)).status_code == 200
        assert local.calls[-1].request.turns[-1].content == ""
        assert len(local.calls[-1].request.turns[-1].parts) == 1
    assert (await local.get(f"/api/conversations/{one}")).json()["title"] == "a.png"
    for wrong in ({}, {"content": ""}, {"content": "", "attachments": []}, {"attachments": None}):
        answer = await local.post("/api/chat/send", {"conversationId": one, **wrong})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), wrong
    many = [NOBODY] * (f.MOST_ATTACHMENTS + 1)
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": "x", "attachments": many})
    assert answer.status_code == 400


async def test_at_the_other_doors(local: House) -> None:
    made = await upload(local)
    body = {"messages": [{"role": "user", "content": "And this?"}], "attachments": [made["id"]]}
    answer = await local.post("/api/chat", body)
    assert answer.text == "You said: And this?"
    assert [type(part) for part in local.calls[-1].request.turns[-1].parts] == [ImagePart, TextPart]
    other = await upload(local, b"Words.", "a.txt")
    for words in ("Read.", ""):
        body = {"sessionId": "s", "userMessageContent": words, "attachments": [other["id"]]}
        answer = await local.post("/api/chat/process", body)
        assert answer.status_code == 200
        document = local.calls[-1].request.turns[-1].parts[0]
        assert document == DocumentPart("text/plain", b"Words.", name="a.txt", file=other["id"], size=6)
    body = {"sessionId": "s", "userMessageContent": ""}
    assert (await local.post("/api/chat/process", body)).status_code == 400


async def test_files_of_earlier_messages_are_sent_again(local: House) -> None:
    one = await local.conversation()
    made = await upload(local)
    first = await local.send(one, "Look.", attachments=[made["id"]])
    await local.send(one, "And now?")
    assert [len(turn.parts) for turn in local.calls[-1].request.turns] == [2, 0, 0]
    await local.send(one, None, regenerate=first[0]["messageId"])
    assert len(local.calls[-1].request.turns[-1].parts) == 2
    await local.send(one, "Look again.", parentId=None, attachments=[made["id"]])
    assert len(local.calls[-1].request.turns[-1].parts) == 2
    answer = await local.post(
        "/api/chat/send",
        {"conversationId": one, "regenerate": first[0]["messageId"], "attachments": [made["id"]]},
    )
    assert answer.status_code == 400


async def test_the_same_key_with_the_same_file(local: House) -> None:
    one, made = await local.conversation(), await upload(local)
    body = {"conversationId": one, "content": "x", "attachments": [made["id"]], "clientMessageId": "k"}
    answers = [await local.post("/api/chat/send", body) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert len(local.calls) == 1
    other = await local.post("/api/chat/send", {**body, "attachments": [(await upload(local))["id"]]})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_file_of_another_conversation(local: House) -> None:
    made = await upload(local)
    await local.send(await local.conversation(), attachments=[made["id"]])
    body = {"conversationId": await local.conversation(), "content": "x", "attachments": [made["id"]]}
    refused(await local.post("/api/chat/send", body), 409, f.FileInUse())


@pytest.mark.hostile(13)
async def test_a_foreign_file(guarded: House) -> None:
    secret = b"segredo da ana"
    foreign = await upload(guarded, secret, "a.txt", user="ana")
    one = await guarded.conversation("bia")
    for path, body in (
        ("/api/chat/send", {"conversationId": one, "content": "x"}),
        ("/api/chat", {"conversationId": one, "content": "x"}),
        ("/api/chat", {"messages": [{"role": "user", "content": "x"}]}),
        ("/api/chat/process", {"sessionId": one, "userMessageContent": "x"}),
    ):
        for wrong in (foreign["id"], NOBODY):
            answer = await guarded.post(path, {**body, "attachments": [wrong]}, user="bia")
            refused(answer, 404, f.FileNotFound())
    for path in ("", "/content"):
        refused(await guarded.get(f"/api/files/{foreign['id']}{path}", user="bia"), 404, f.FileNotFound())
    refused(await guarded.call("DELETE", f"/api/files/{foreign['id']}", user="bia"), 404, f.FileNotFound())
    assert guarded.calls == []
    assert (await guarded.get(f"/api/conversations/{one}/messages", user="bia")).json()["items"] == []


async def test_a_file_for_a_ticket(guarded: House) -> None:
    """Its conversation belongs to all users of a client, and so does what is sent in it."""
    ana, bia = Principal("ana", "acme"), Principal("bia", "acme")
    found = await guarded.chat.tickets.ask(ana, "T-1", Question("Words."))
    assert isinstance(found, Following)
    while await found.reader.read():
        pass
    where = found.run.conversation_id

    async def call(method: str, path: str, user: str, client: str, **more: Any) -> httpx2.Response:
        token = guarded.token(user, client_id=client)
        async with guarded.client() as asked:
            return await asked.request(method, path, headers={"Authorization": f"Bearer {token}"}, **more)

    sent = {"files": {"file": ("a.png", png())}}
    made = (await call("POST", f"/api/files?conversationId={where}", "ana", "acme", **sent)).json()
    own = (await call("POST", "/api/files", "ana", "acme", **sent)).json()
    for user, client, status in (("bia", "acme", 200), ("bia", "evil", 404), ("ana", "", 404)):
        answer = await call("GET", f"/api/files/{made['id']}/content", user, client)
        assert answer.status_code == status
        answer = await call("GET", f"/api/files/{own['id']}", user, client)
        assert answer.status_code == (200 if user == "ana" else 404)
        answer = await call("POST", f"/api/files?conversationId={where}", user, client, **sent)
        assert answer.status_code == (201 if status == 200 else 404)
    body = {"conversationId": where, "content": "And this?", "attachments": [made["id"]]}
    assert (await call("POST", "/api/chat/send", "bia", "acme", json=body)).status_code == 200
    part = guarded.calls[-1].request.turns[-1].parts[0]
    assert isinstance(part, ImagePart)
    assert part.data == png()
    assert (await guarded.chat.store.of(bia.desk).files.get(made["id"])).conversation_id == where
    answer = await call("POST", "/api/chat/send", "ana", "acme", json={**body, "attachments": [own["id"]]})
    refused(answer, 404, f.FileNotFound())


@pytest.mark.hostile(13)
async def test_a_reference_that_somebody_smuggled_in(guarded: House) -> None:
    """However a foreign id got into a message, an import for one: its bytes go nowhere."""
    foreign = await upload(guarded, b"segredo da ana", "a.txt", user="ana")
    own = await upload(guarded, b"palavras de bia", "b.txt", user="bia")
    bia = Principal("bia")
    chat = await guarded.chat.conversations.get(bia, await guarded.conversation("bia"))
    parts = (
        DocumentPart("text/plain", name="a.txt", file=foreign["id"], size=foreign["size"]),
        DocumentPart("text/plain", name="b.txt", file=own["id"], size=1),
    )  # fmt: skip
    message = replace(stored_message(bia, chat.id, Turn(Role.USER, "x")), parts=parts)
    await guarded.chat.store.of(bia).messages.append(message, at_head=True)
    await guarded.send(chat.id, "x", user="bia")
    told = guarded.calls[-1].request.turns[0].parts
    assert told == (
        TextPart("[The file a.txt is not there any more.]"), TextPart("[The file b.txt is not there any more.]"),
    )  # fmt: skip


async def test_files_go_with_what_they_hang_on(local: House) -> None:
    one = await local.conversation()
    shared, lone, unsent = [(await upload(local))["id"] for _ in range(3)]
    first = await local.send(one, attachments=[shared, lone])
    await local.send(one, parentId=None, attachments=[shared])
    refused(await local.call("DELETE", f"/api/files/{shared}"), 409, f.FileSent())
    await local.call("DELETE", f"/api/conversations/{one}/messages/{first[0]['userMessageId']}")
    assert {path.name for path in blobs(local)} == {shared, unsent}
    assert (await local.call("DELETE", f"/api/conversations/{one}/messages")).status_code == 204
    assert {path.name for path in blobs(local)} == {unsent}
    last = (await upload(local))["id"]
    await local.send(one, attachments=[last])
    await local.call("DELETE", f"/api/conversations/{one}")
    assert {path.name for path in blobs(local)} == {unsent}
    refused(await local.get(f"/api/files/{last}"), 404, f.FileNotFound())
    assert (await local.call("DELETE", f"/api/files/{unsent}")).status_code == 204
    assert blobs(local) == []


async def test_bytes_that_are_gone(local: House) -> None:
    one, made = await local.conversation(), await upload(local)
    await local.send(one, attachments=[made["id"]])
    blobs(local)[0].unlink()
    refused(await local.get(f"/api/files/{made['id']}/content"), 404, f.FileNotFound())
    assert (await local.send(one, "And?"))[-1]["status"] == "completed"
    assert local.calls[-1].request.turns[0].parts[0] == TextPart("[The file a.png is not there any more.]")


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


@pytest.mark.hostile(36)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("x.png", b"<!doctype html><script>alert(1)</script>"), ("x.html", b"<html><script>alert(1)</script>"),
        ("x.xhtml", b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>"), ("x.js", b"alert(1)"),
    ],
)  # fmt: skip
async def test_what_could_run_is_text(local: House, name: str, data: bytes) -> None:
    made = await upload(local, data, name)
    answer = await local.get(f"/api/files/{made['id']}/content")
    assert answer.content == data
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "private, no-cache"


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


@pytest.mark.hostile(33)
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x", "x"), ("C:\\x", "x"), ("..\\..\\x.txt", "x.txt"), ("/etc/passwd", "passwd"), ("a\0.png", "a.png"), ("CON", "CON"),
        ("\u202egnp.exe", "gnp.exe"), ('"\r\nX: y', '" X: y'), ("..", "file"), ("", "file"), ("/", "file"), ("\u2028a\u200b", "a"),
        ("é" * 4_096 + ".png", "é" * 196 + ".png"), ("a" * 4_096, "a" * 200), ("férias 🏖️ .png", "férias 🏖️ .png"),
        ("{{7*7}}.txt", "{{7*7}}.txt"), ("<img onerror=x>.png", "<img onerror=x>.png"), ("\u200d", "file"), ("a\ud800b", "ab"),
    ],
)  # fmt: skip
async def test_names_are_labels(local: House, given: str, kept: str) -> None:
    made = await local.chat.files.add(LOCAL, given, pieces(b"words"))
    assert made.name == kept
    assert f.label(kept) == kept
    answer = await local.get(f"/api/files/{made.id}/content")
    shown = answer.headers["content-disposition"]
    plain, _, encoded = shown.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert re.fullmatch(r"[A-Za-z0-9 ._-]+", plain)
    assert unquote(encoded) == kept
    assert not set(encoded) & set("\"';\\ \r\n")
    assert [path.name for path in blobs(local)] == [made.id]


async def pieces(*data: bytes) -> AsyncIterator[bytes]:
    for each in data:
        yield each


async def test_ranges_and_what_is_known_already(local: House) -> None:
    data = bytes(range(256)) * 1_000
    made = await upload(local, png(after=data))
    whole = await local.get(f"/api/files/{made['id']}/content")
    size = len(whole.content)
    for asked, status, part in (
        ("bytes=0-", 206, slice(0, None)), ("bytes=5-9", 206, slice(5, 10)), ("bytes=-7", 206, slice(-7, None)),
        ("bytes=200000-900000000", 206, slice(200_000, None)), (f"bytes=-{size + 5}", 206, slice(0, None)),
        (f"bytes={size}-", 416, None), ("bytes=9-5", 416, None), ("bytes=-0", 416, None), ("bytes=x", 200, slice(None)),
        ("items=0-1", 200, slice(None)), ("bytes=0-1,3-4", 200, slice(None)), ("bytes=0-" + "9" * 400, 200, slice(None)),
    ):  # fmt: skip
        answer = await local.get(f"/api/files/{made['id']}/content", headers={"Range": asked})
        assert answer.status_code == status, asked
        assert answer.content == (b"" if part is None else whole.content[part]), asked
        if status == 206:
            start, stop, _ = part.indices(size)
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    headers = {"If-None-Match": whole.headers["etag"]}
    known = await local.get(f"/api/files/{made['id']}/content", headers=headers)
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.hostile(39)
async def test_ten_thousand_ranges(local: House) -> None:
    made = await upload(local)
    asked = "bytes=" + ",".join(f"{place}-{place}" for place in range(10_000))
    began = time.process_time()
    answer = await local.get(f"/api/files/{made['id']}/content", headers={"Range": asked})
    assert time.process_time() - began < 0.05
    assert (answer.status_code, answer.content) == (200, png())


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
            await asyncio.sleep(0.05)

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


async def test_models_that_take_none(local: House) -> None:
    one = await local.conversation()
    picture, document, text = (
        await upload(local), await upload(local, PDF, "a.pdf"), await upload(local, b"Words.", "a.txt"),
    )  # fmt: skip
    ask = {"conversationId": one, "content": "x", "provider": "local", "model": "smollm2-135m"}
    answer = await local.post("/api/chat/send", {**ask, "attachments": [picture["id"]]})
    refused(answer, 422, f.ModelTakesNoImages("smollm2-135m", "a.png"))
    answer = await local.post("/api/chat/send", {**ask, "attachments": [text["id"], document["id"]]})
    refused(answer, 422, f.ModelTakesNoDocuments("smollm2-135m", "a.pdf"))
    assert (await local.get(f"/api/conversations/{one}/messages")).json()["items"] == []
    assert (await local.get(f"/api/files/{text['id']}")).json()["conversationId"] is None
    assert (await local.post("/api/chat/send", {**ask, "attachments": [text["id"]]})).status_code == 200
    # What was shown to another model before is told of.
    await local.send(one, attachments=[picture["id"]])
    await local.send(one, "And now?", provider="local", model="smollm2-135m")
    model = local.chat.catalogue.offers["local"].model
    assert isinstance(model, FakeModel)
    turns = model.calls[-1].request.turns
    assert TextPart("[Here was the file a.png, which you can't read.]") in [
        part for turn in turns for part in turn.parts
    ]


async def test_money_counts_files(tmp_path: Path) -> None:
    async with furnished(tmp_path, max_tokens_per_day=20_000) as house:
        one = await house.conversation()
        text = await upload(house, b"a" * 30_000, "a.txt")
        answer = await house.post(
            "/api/chat/send", {"conversationId": one, "content": "x", "attachments": [text["id"]]}
        )
        assert (answer.status_code, answer.json()["code"]) == (429, "token_limit_reached")
        picture = await upload(house)
        assert (await house.send(one, attachments=[picture["id"]], maxTokens=100))[-1][
            "status"
        ] == "completed"

"""Conversations as files, out of the API and into it."""

import asyncio
import errno
import io
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from tests.unit.services.imports.samples import CHATGPT, CLAUDE, page, thread, thread_message, zipped
from tests.unit.services.imports.samples import raw as as_raw
from tests.wire.house import NOBODY, House, refused
from tests.work import never_stalling

from prosa.domain import errors as e
from prosa.domain import files as f
from prosa.domain.imports import NewerFile, UnknownFile
from prosa.domain.principal import LOCAL
from prosa.services.export.page import Html
from prosa.services.imports.importer import MOST_AT_ONCE
from prosa.transport.pace import timely


async def bring(
    house: House, raw: bytes, user: str | None = None, source: str = "auto", **headers: str
) -> list[dict[str, Any]]:
    """The lines that an import answers with."""
    answer = await send(house, raw, user, source, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.content.splitlines()]


async def send(
    house: House, raw: bytes, user: str | None = None, source: str = "auto", **headers: str
) -> httpx2.Response:
    headers = {"Content-Type": "application/octet-stream"} | headers
    async with house.client(user) as client:
        return await client.post(f"/api/import?source={source}", content=raw, headers=headers)


async def test_out_and_in_again(guarded: House) -> None:
    one = await guarded.conversation("ana", title="Férias em Lisboa / 2026", metadata={"a": 1})
    await guarded.send(one, "Olá!", user="ana")
    await guarded.send(one, "E agora?", user="ana")
    two = await guarded.conversation("ana")
    answer = await guarded.get("/api/export", user="ana")
    assert answer.headers["x-total-conversations"] == "2"
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"prosa-conversations.json\"; filename*=UTF-8''prosa-conversations.json"
    )
    document = answer.json()
    assert (document["format"], document["version"]) == ("prosa", 1)
    assert [each["id"] for each in document["conversations"]] == [one, two]
    said = document["conversations"][0]["messages"]
    assert [each["role"] for each in said] == ["user", "assistant", "user", "assistant"]
    assert document["conversations"][0]["headId"] == said[-1]["id"]
    *progress, done = await bring(guarded, answer.content, "ana")
    assert progress == [{"type": "progress", "conversations": 2, "messages": 4}]
    assert done == {"type": "done", "imported": 0, "skipped": 2, "messages": 0, "failed": []}
    assert (await bring(guarded, answer.content, "bia"))[-1]["imported"] == 2
    copy = (await guarded.get("/api/export", user="bia")).json()["conversations"]
    assert [each["title"] for each in copy] == ["Férias em Lisboa / 2026", None]
    assert copy[0]["id"] != one
    assert [each["content"] for each in copy[0]["messages"]] == [each["content"] for each in said]
    for each in (one, two):
        await guarded.call("DELETE", f"/api/conversations/{each}", user="ana")
    assert (await bring(guarded, answer.content, "ana"))[-1]["imported"] == 2
    assert (await guarded.get("/api/export", user="ana")).content == answer.content
    events = await guarded.send(copy[0]["id"], "weiter", user="bia")
    assert events[-1]["status"] == "completed"


async def test_one_conversation(guarded: House) -> None:
    one = await guarded.conversation("ana", title='Férias "em" ../Lisboa\r\nX: y \u202e')
    await guarded.conversation("ana")
    answer = await guarded.get(f"/api/conversations/{one}/export", user="ana")
    assert answer.headers["content-disposition"] == (
        'attachment; filename="prosa-Ferias-em-Lisboa-X-y.json"; '
        "filename*=UTF-8''prosa-F%C3%A9rias-em-Lisboa-X-y.json"
    )
    assert [each["id"] for each in answer.json()["conversations"]] == [one]
    for path in (one, NOBODY):
        refused(
            await guarded.get(f"/api/conversations/{path}/export", user="bia"), 404, e.ConversationNotFound()
        )


async def test_what_is_no_export(local: House) -> None:
    for raw in (b"", b"x", b"{}", b"[]", b"null", b"[[]]", b"7", b'"x"', b"[" * 100_000, b"\xff\xfe", b'{"conversations": [{}]}',
                b'{"format": "prosa", "version": 1, "conversations": []}'):  # fmt: skip
        refused(await send(local, raw), 400, UnknownFile())
    newer = b'{"format": "prosa", "version": 2, "conversations": [{"id": "x", "messages": []}]}'
    refused(await send(local, newer), 400, NewerFile(2))
    refused(await send(local, b"x", **{"Content-Type": "text/plain"}), 415, e.UnsupportedMediaType())


@pytest.mark.parametrize("cut", [1, 30, 400, -3, -1])
async def test_a_file_that_breaks_off(local: House, cut: int) -> None:
    for _ in range(3):
        await local.send(await local.conversation(), "Olá!")
    whole = (await local.get("/api/export")).content
    for each in json.loads(whole)["conversations"]:
        await local.call("DELETE", f"/api/conversations/{each['id']}")
    rest = whole[:cut]
    lines = rest.count(b"]}")
    if lines == 0:
        refused(await send(local, rest), 400, UnknownFile())
        return
    done = (await bring(local, rest))[-1]
    assert done["imported"] == min(lines, 3)
    if cut < -1:
        assert done["failed"][0]["id"] is None
        assert str(len(rest)) in done["failed"][0]["reason"]


async def test_a_bad_conversation_among_good_ones(local: House) -> None:
    one = await local.conversation()
    await local.send(one, "Olá!")
    document = (await local.get("/api/export")).json()
    good = document["conversations"][0]
    await local.call("DELETE", f"/api/conversations/{one}")
    bad = [
        {**good, "id": "1", "status": "strange"},
        {**good, "id": "2", "messages": [{**good["messages"][0], "role": "admin"}]},
        {**good, "id": "3", "title": 7},
        {**good, "id": "4", "metadata": {"a": "x" * 20_000}},
        {**good, "id": "5", "messages": [{**good["messages"][0], "content": "x" * 4_000_001}]},
        {**good, "id": "6", "messages": [{**good["messages"][0], "parts": [{"type": "strange"}]}]},
        {**good, "id": "7", "messages": [{**good["messages"][1], "feedback": {"rating": 6}}]},
    ]
    document["conversations"] = [*bad[:3], good, *bad[3:]]
    done = (await bring(local, json.dumps(document).encode()))[-1]
    assert (done["imported"], [each["id"] for each in done["failed"]]) == (1, list("1234567"))
    assert done["failed"][0]["reason"] == "Not as it should be: status."
    portuguese = (await bring(local, json.dumps(document).encode(), **{"Accept-Language": "pt"}))[-1]
    assert portuguese["failed"][0]["reason"] == "Não está como deveria: status."


@pytest.mark.parametrize(
    ("raw", "source"),
    [(as_raw([CHATGPT]), "chatgpt"), (zipped({"conversations.json": as_raw([CLAUDE])}), "claude")],
)
async def test_from_elsewhere(guarded: House, raw: bytes, source: str) -> None:
    done = (await bring(guarded, raw, "ana"))[-1]
    assert (done["imported"], done["failed"]) == (1, [])
    (one,) = (await guarded.get("/api/conversations", user="ana")).json()["items"]
    assert one["metadata"] == {"importedFrom": source}
    shown = (await guarded.get(f"/api/conversations/{one['id']}/messages", user="ana")).json()["items"]
    assert [each["role"] for each in shown] == ["user", "assistant", "user", "assistant"][: len(shown)]
    assert shown[-1]["id"] == one["headId"]
    again = (await bring(guarded, raw, "ana", source))[-1]
    assert (again["imported"], again["skipped"], again["messages"]) == (0, 1, 0)
    assert (await bring(guarded, raw, "bia"))[-1]["messages"] == done["messages"]
    # Its answers, with calls and results in them, are understood by models.
    head = shown[1]["id"]
    events = await guarded.send(one["id"], "And now?", user="ana", parentId=head)
    assert events[-1]["status"] == "completed"
    told = guarded.calls[-1].request.turns
    assert told[-1].content == "And now?"
    other = "openai"
    refused(await send(guarded, raw, "ana", other), 400, UnknownFile())


async def test_threads_are_found_by_their_old_names(guarded: House) -> None:
    messages = [thread_message("msg_1", "user", "Hi"), thread_message("msg_2", "assistant", "Hello.")]
    lines = b"\n".join(map(as_raw, [thread(), page(*reversed(messages))]))
    assert (await bring(guarded, lines, "ana"))[-1]["messages"] == 2
    answer = await guarded.post("/api/conversations", {"externalId": "thread_abc"}, user="ana")
    assert answer.status_code == 200
    document = (await guarded.get(f"/api/conversations/{answer.json()['id']}/export", user="ana")).json()
    (one,) = document["conversations"]
    assert (one["externalId"], one["metadata"], one["createdAt"]) == (
        "thread_abc",
        {"case": "7"},
        "2023-11-14T22:13:20.000000Z",
    )
    assert [each["externalId"] for each in one["messages"]] == ["msg_1", "msg_2"]


@pytest.mark.parametrize("form", ["markdown", "html", "csv"])
async def test_other_formats(guarded: House, form: str) -> None:
    one = await guarded.conversation("ana", title="<b>")
    await guarded.send(one, "first", user="ana")
    await guarded.send(one, "=other", user="ana", parentId=None)
    await guarded.conversation("bia", title="hers")
    for path in (f"/api/conversations/{one}/export", "/api/export"):
        answer = await guarded.get(path, params={"format": form}, user="ana")
        kinds = {"markdown": "text/markdown", "html": "text/html", "csv": "text/csv"}
        assert answer.headers["content-type"].split(";")[0] == kinds[form]
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["x-total-conversations"] == "1"
        assert "=other" in answer.text
        assert ("first" in answer.text) == (form == "csv")
        assert "hers" not in answer.text


async def test_a_reader_who_leaves_ends_the_export(listening: House) -> None:
    one = await listening.conversation()
    for _ in range(3):
        await listening.post(f"/api/conversations/{one}/messages", {"role": "user", "content": "x" * 400_000})
    async with listening.client() as client, client.stream("GET", "/api/export") as response:
        async for _ in response.aiter_bytes():
            break
    assert (await listening.get("/health")).status_code == 200


async def test_the_loop_goes_on_while_a_large_file_is_read(local: House) -> None:
    messages = [
        {"id": str(n), "parentId": str(n - 1), "role": "user", "content": "x" * 200} for n in range(20_000)
    ]
    document = {"format": "prosa", "version": 1, "conversations": [{"id": "c", "messages": messages}] + [
        {"id": str(n), "messages": messages[n : n + 2]} for n in range(300)]}  # fmt: skip
    raw = json.dumps(document).encode()
    async with never_stalling():
        done = (await bring(local, raw))[-1]
    assert (done["imported"], done["messages"], done["failed"]) == (301, 20_600, [])


async def test_nothing_is_taken_over_that_a_file_may_not_say(local: House) -> None:
    """Ids that providers keep files by, addresses that they would fetch, and bytes that nobody looked at."""
    parts = [
        {"type": "document", "reference": "file-of-another", "name": "a.pdf"},
        {"type": "image", "url": "http://127.0.0.1/x"},
        {"type": "image", "data": "AAAA", "mediaType": "image/png"},
        {"type": "document", "file": "01900000-0000-7000-8000-000000000001", "name": "../b\u202e.pdf", "size": -1,
         "reference": "file-1", "url": "http://127.0.0.1/"},
    ]  # fmt: skip
    message = {"id": "m", "role": "user", "content": "x", "parts": parts}
    document = {"format": "prosa", "version": 1, "conversations": [{"id": "c", "messages": [message]}]}
    assert (await bring(local, json.dumps(document).encode()))[-1]["imported"] == 1
    (one,) = (await local.get("/api/export")).json()["conversations"]
    assert one["messages"][0]["parts"] == [
        {"type": "text", "text": "[a.pdf]"},
        {"type": "text", "text": "[file]"},
        {"type": "text", "text": "[file]"},
        {"type": "document", "file": "01900000-0000-7000-8000-000000000001", "name": "b.pdf"},
    ]
    assert (await local.send(one["id"], "And?"))[-1]["status"] == "completed"


@pytest.mark.hostile(58)
async def test_who_does_not_read_keeps_nobodys_place(local: House) -> None:
    conversations = [
        {"id": str(n), "messages": [{"id": "m", "role": "user", "content": "x"}]} for n in range(120)
    ]
    document = json.dumps({"format": "prosa", "version": 1, "conversations": conversations}).encode()
    stuck = [local.chat.imports.run(LOCAL, io.BytesIO(document)) for _ in range(MOST_AT_ONCE)]
    for each in stuck:
        await anext(each)
    async with asyncio.timeout(10):
        assert (await bring(local, document))[-1]["type"] == "done"
    for each in stuck:
        await each.aclose()


@pytest.mark.hostile(38)
async def test_a_file_that_hardly_comes(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timely, "__defaults__", (0.3, 4_096))

    async def drip() -> AsyncIterator[bytes]:
        for each in b"[" + b" " * 100 + b"]":
            yield bytes([each])
            await asyncio.sleep(0.02)

    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    async with local.listening():
        answer = await local.post("/api/import", content=drip(), headers=headers)
    refused(answer, 408, f.UploadTooSlow())


@pytest.mark.hostile(40)
async def test_a_disk_that_is_full(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("prosa.transport.native.imports.tempfile.TemporaryFile", Full)
    refused(await send(local, b"[]"), 503, f.FilesUnavailable())


async def test_the_loop_goes_on_while_messages_are_written(
    local: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await local.conversation()
    await local.post(f"/api/conversations/{one}/messages", {"role": "user", "content": "```\n" * 10})
    message, threads = Html.message, set()

    def watched(*given: Any) -> bytes:
        threads.add(threading.get_ident())
        return message(*given)

    monkeypatch.setattr(Html, "message", watched)
    answer = await local.get(f"/api/conversations/{one}/export?format=html")
    assert answer.text.count("<pre") == 5
    assert threads
    assert threading.get_ident() not in threads

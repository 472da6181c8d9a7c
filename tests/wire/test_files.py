"""Files by the API: sent with messages, to models that take them, and gone with what they hang on."""

import os
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from msgspec.structs import replace
from tests.pictures import PDF, png
from tests.wire.house import NOBODY, House, furnished, refused
from tests.wire.uploads import blobs, upload

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain import files as f
from prosa.domain.content import DocumentPart, ImagePart, TextPart
from prosa.domain.errors import StoreUnavailable
from prosa.domain.models import Role, Turn
from prosa.domain.principal import Principal
from prosa.services.messages import stored_message
from prosa.services.tickets import Following, Question


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


@pytest.mark.hostile(40)
async def test_a_database_that_goes_away_after_a_deletion(
    local: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was deleted is deleted; its bytes are the sweep's."""
    one, made = await local.conversation(), await upload(local)
    await local.send(one, attachments=[made["id"]])

    async def away(*_: object) -> None:
        raise StoreUnavailable

    monkeypatch.setattr("prosa.adapters.store.repositories.files.Files.many", away)
    assert (await local.call("DELETE", f"/api/conversations/{one}")).status_code == 204
    assert [path.name for path in blobs(local)] == [made["id"]]
    os.utime(blobs(local)[0], (time.time() - 3_600, time.time() - 3_600))
    await local.chat.files.sweep()
    assert blobs(local) == []


async def test_bytes_that_are_gone(local: House) -> None:
    one, made = await local.conversation(), await upload(local)
    await local.send(one, attachments=[made["id"]])
    blobs(local)[0].unlink()
    refused(await local.get(f"/api/files/{made['id']}/content"), 404, f.FileNotFound())
    assert (await local.send(one, "And?"))[-1]["status"] == "completed"
    assert local.calls[-1].request.turns[0].parts[0] == TextPart("[The file a.png is not there any more.]")


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

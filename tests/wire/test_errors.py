"""What a failure looks like from outside: status, code and sentence in the reader's language."""

from pathlib import Path

import pytest
from tests.wire.house import NOBODY, House, furnished, refused

from prosa.domain import errors as e


async def test_the_seeds_sentences(local: House) -> None:
    portuguese = {"Accept-Language": "pt-BR,pt;q=0.9"}
    answer = await local.post("/api/chat/send", {}, headers=portuguese)
    assert answer.status_code == 400
    assert answer.json()["message"] == "Dados inválidos"
    missing = {"conversationId": NOBODY, "content": "x"}
    refused(
        await local.post("/api/chat/send", missing, headers=portuguese), 404, e.ConversationNotFound(), "pt"
    )
    assert e.ConversationNotFound().sentence("pt") == "Conversa não encontrada"
    one = await local.conversation()
    await local.call("PATCH", f"/api/conversations/{one}", {"status": "closed"})
    closed = await local.post("/api/chat/send", {"conversationId": one, "content": "x"}, headers=portuguese)
    assert (closed.status_code, closed.json()["message"]) == (409, "Conversa encerrada")


async def test_the_settings_language_counts_where_nothing_is_said(tmp_path: Path) -> None:
    async with furnished(tmp_path, language="pt") as house:
        path = f"/api/conversations/{NOBODY}"
        refused(await house.get(path), 404, e.ConversationNotFound(), "pt")
        refused(await house.get(path, headers={"Accept-Language": "en"}), 404, e.ConversationNotFound(), "en")
        assert (await house.get("/api/session")).json()["language"] == "pt"


async def test_a_refused_body_says_where_and_why(local: House) -> None:
    one = await local.conversation()
    answer = await local.post("/api/chat/send", {"conversationId": one, "content": 7})
    refused(answer, 400, e.InvalidRequest("Expected `str`, got `int` - at `$.content`."))


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api", "/api/chat/", "/api/conversations/", "/api/conversations//messages", "/v2/models"],
)
async def test_an_address_without_anything(local: House, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        refused(await local.call(method, path), 404, e.NoSuchRoute())


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", "/api/chat/send", "POST"),
        ("HEAD", "/api/chat/send", "POST"),
        ("PUT", "/api/conversations", "GET, POST"),
        ("POST", f"/api/conversations/{NOBODY}", "DELETE, GET, PATCH"),
        ("TRACE", "/health", "GET"),
        ("DELETE", "/api/chat/runs/x/stop", "POST"),
        ("POST", "/openapi.json", "GET, HEAD"),
        ("OPTIONS", "/api/session", "DELETE, GET, POST"),
        ("POST", "/docs", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_taken(local: House, method: str, path: str, allow: str) -> None:
    answer = await local.call(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)
    if method != "HEAD":
        refused(answer, 405, e.MethodNotAllowed())


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/xml", "json", "application/json2"]
)
async def test_another_media_type(local: House, kind: str) -> None:
    for path in ("/api/conversations", "/api/chat/send", "/api/chat/process"):
        answer = await local.post(path, content=b"{}", headers={"Content-Type": kind})
        refused(answer, 415, e.UnsupportedMediaType())


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"]
)
async def test_json_by_any_of_its_names(local: House, kind: str) -> None:
    assert (
        await local.post("/api/conversations", content=b"{}", headers={"Content-Type": kind})
    ).status_code == 201


async def test_what_breaks_inside_tells_nothing_of_itself(
    local: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret-detail /home/somebody/key")

    monkeypatch.setattr(local.chat.conversations, "page", broken)
    answer = await local.get("/api/conversations")
    refused(answer, 500, e.ProsaError())
    assert (await local.get("/health")).status_code == 200


async def test_a_database_that_is_away(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> None:
        raise e.StoreUnavailable

    monkeypatch.setattr(local.chat.store, "ping", away)
    answer = await local.get("/ready")
    refused(answer, 503, e.StoreUnavailable())
    assert answer.headers["retry-after"] == "2"


async def test_the_end_is_near(local: House) -> None:
    one = await local.conversation()
    await local.chat.engine.drain(0)
    for answer in (
        await local.post("/api/chat/send", {"conversationId": one, "content": "x"}),
        await local.post("/api/chat/process", {"sessionId": one, "userMessageContent": "x"}),
        await local.post("/api/chat", {"conversationId": one, "content": "x"}),
        await local.get("/ready"),
    ):
        refused(answer, 503, e.ShuttingDown())
        assert answer.headers["retry-after"] == "2"
    assert (await local.get(f"/api/conversations/{one}")).status_code == 200
    assert (await local.get("/health")).status_code == 200


async def test_an_unknown_protocol_is_turned_away(local: House) -> None:
    sent = []

    async def send(message: dict) -> None:
        sent.append(message)

    await local.app({"type": "websocket", "path": "/", "headers": []}, None, send)
    assert sent == [{"type": "websocket.close", "code": 4403}]

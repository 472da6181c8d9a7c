"""Each answer has the id of its request; one line tells of each request, and nothing that stood in it."""

from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.wire.house import House

from prosa.domain.models import Finish, FinishReason
from prosa.transport.websocket import Handshake


def requests(logs: list[Any]) -> list[Any]:
    return [line for line in logs if line["event"] == "request"]


@pytest.mark.parametrize(
    "given", ["abc-123", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "A" * 128]
)
async def test_the_callers_own_id(local: House, given: str) -> None:
    for path in ("/health", "/nowhere", "/api/conversations/x", "/"):
        assert (await local.get(path, headers={"x-request-id": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "A" * 129, "é".encode().decode("latin-1"), "<script>"])
async def test_an_id_that_can_stand_in_no_line(local: House, given: str) -> None:
    headers = {b"x-request-id": given.encode("latin-1")}
    ids = {(await local.get("/health", headers=headers)).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(len(each) == 36 for each in ids)


async def test_a_line_names_the_route_and_nothing_that_stood_in_the_request(local: House) -> None:
    one = await local.conversation()
    with capture_logs() as logs:
        await local.get(f"/api/conversations/{one}?token=secret")
        await local.get("/api/nowhere/secret")
        await local.call("PUT", "/api/search")
        await local.get("/secret.css")
    told = [(line["method"], line["route"], line["status"]) for line in requests(logs)]
    assert told == [
        ("GET", "/api/conversations/{conversationId}", 200),
        ("GET", "/{path}", 404),
        ("PUT", "/api/search", 405),
        ("GET", "/{path}", 404),
    ]
    assert "secret" not in str(logs)
    assert all(line["ms"] >= 0 for line in requests(logs))


async def test_probes_are_no_news(local: House) -> None:
    with capture_logs() as logs:
        await local.get("/health")
        await local.get("/metrics")
    assert requests(logs) == []


async def test_one_line_for_a_whole_stream(local: House) -> None:
    one = await local.conversation()
    local.script = [*("palavra secreta " for _ in range(200)), Finish(FinishReason.STOP)]
    with capture_logs() as logs:
        await local.send(one, "segredo")
    assert [line["route"] for line in requests(logs)] == ["/api/chat/send"]
    assert "segredo" not in str(logs)
    assert "secreta" not in str(logs)


async def test_a_request_that_breaks(local: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ValueError("a word of somebody's")

    monkeypatch.setattr(local.chat.conversations, "page", broken)
    with capture_logs() as logs:
        answer = await local.get("/api/conversations", headers={"x-request-id": "r-9"})
    assert (answer.status_code, answer.headers["x-request-id"]) == (500, "r-9")
    assert [line["event"] for line in logs] == ["request_broke", "request"]
    assert logs[0]["route"] == "/api/conversations"


@pytest.mark.parametrize(("messages", "code"), [
    ([{"type": "websocket.accept", "headers": [(b"a", b"b")]}], 101),
    ([{"type": "websocket.accept"}, {"type": "websocket.send", "text": "x"}, {"type": "websocket.close", "code": 4403}], 4403),
    ([{"type": "http.response.start", "status": 403, "headers": []}, {"type": "http.response.body", "body": b""}], 403),
])  # fmt: skip
async def test_a_socket_has_an_id_and_an_end(messages: list[Any], code: int) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    told = (b"x-request-id", b"r-1")
    handshake = Handshake({"extensions": {"websocket.http.response": {}}}, send, told)
    for message in messages:
        await handshake(message)
    assert sent[0]["headers"][-1] == told
    assert not any("headers" in message for message in sent[1:])
    assert handshake.code == code
    assert len(sent) == len(messages)

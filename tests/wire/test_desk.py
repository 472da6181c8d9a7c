"""Whose tickets are: all users of a client share theirs, and nobody else hears of them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.wire.house import NOBODY, SECRET, House, furnished, said
from tests.wire.sockets import line

from prosa.domain.models import Usage, UsageReport

PATH = "/api/websocket/chat/"
BODY = "A impressora não liga."
ENDS = ("done", "error")


@pytest.fixture
async def desk(guarded: House) -> AsyncIterator[House]:
    async with guarded.listening():
        yield guarded


class Caller:
    """A user, of a client or of none."""

    def __init__(self, house: House, user: str, client: str = "") -> None:
        self.house = house
        self.user = user
        self.claims = {"client_id": client} if client else {}

    def line(self, ticket: str = "1", path: str = PATH) -> Any:
        return line(self.house, path + ticket, self.user, claims=self.claims)

    async def ask(self, body: str = BODY, ticket: str = "1") -> list[dict[str, Any]]:
        async with self.line(ticket) as one:
            await one.say(ticketBody=body)
            return await one.until(*ENDS)

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        token = self.house.token(self.user, **self.claims)
        async with self.house.client(Authorization=f"Bearer {token}") as client:
            return await client.request(method, path, json=body, **more)

    async def get(self, path: str, **more: Any) -> Any:
        return (await self.call("GET", path, **more)).json()


async def test_all_of_a_client_share_their_tickets(desk: House) -> None:
    ana, bia = Caller(desk, "ana", "acme"), Caller(desk, "bia", "acme")
    others = Caller(desk, "caio", "outra"), Caller(desk, "duda"), Caller(desk, "ana")
    assert said(await ana.ask("da acme")) == "You said: da acme"
    assert (await bia.ask())[0]["response"] == "You said: da acme"
    for number, other in enumerate(others):
        assert (await other.get("/api/tickets"))["items"] == []
        assert (await other.call("GET", "/api/tickets/1")).status_code == 404
        assert (await other.call("DELETE", "/api/tickets/1/answer")).status_code == 404
        assert said(await other.ask(f"de outro {number}")) == f"You said: de outro {number}"
    assert [each["id"] for each in (await bia.get("/api/tickets"))["items"]] == ["1"]
    assert (await ana.get("/api/tickets/1"))["body"] == "da acme"
    assert len(desk.calls) == 4


async def test_two_of_a_client_at_once_are_one_run(desk: House) -> None:
    gate = asyncio.Event()
    desk.script = ["um", gate, "dois"]
    ana, bia = Caller(desk, "ana", "acme"), Caller(desk, "bia", "acme")
    async with ana.line() as one, bia.line() as two:
        for each in (one, two):
            await each.say(ticketBody=BODY)
            assert (await each.hear())["content"] == "um"
        gate.set()
        for each in (one, two):
            assert (await each.hear())["content"] == "dois"
            assert (await each.hear())["type"] == "done"
        await two.say(message="E?")
        assert said(await two.until(*ENDS)) == "umdois"
    assert len(desk.calls) == 2


async def test_its_conversation_is_reached_by_native_routes(desk: House) -> None:
    ana, bia = Caller(desk, "ana", "acme"), Caller(desk, "bia", "acme")
    await ana.ask()
    ticket = await ana.get("/api/tickets/1")
    conversation, run = f"/api/conversations/{ticket['conversationId']}", ticket["runId"]
    found = await bia.get(conversation)
    assert (found["ticketId"], found["clientId"], found["title"]) == ("1", "acme", BODY)
    messages = (await bia.get(f"{conversation}/messages"))["items"]
    assert [each["userId"] for each in messages] == [None, None]
    assert (await bia.get(f"/api/chat/runs/{run}"))["status"] == "completed"
    answer = await bia.call(
        "POST", "/api/chat/send", {"conversationId": ticket["conversationId"], "content": "E?"}
    )
    assert (answer.status_code, '"status":"completed"' in answer.text) == (200, True)
    assert (await ana.call("PATCH", conversation, {"title": "Impressora"})).json()["title"] == "Impressora"
    assert "prosa:desk" not in json.dumps([found, messages, await bia.get("/api/tickets")])
    for caller in (ana, bia):
        assert (await caller.get("/api/conversations"))["items"] == []
    for other in (Caller(desk, "caio", "outra"), Caller(desk, "duda"), Caller(desk, "ana")):
        for path in (conversation, f"{conversation}/messages", f"/api/chat/runs/{run}"):
            theirs = await other.call("GET", path)
            never = await other.call(
                "GET", path.replace(ticket["conversationId"], NOBODY).replace(run, NOBODY)
            )
            assert (theirs.status_code, theirs.content) == (404, never.content)
        assert (await other.call("DELETE", conversation)).status_code == 404
    assert (await bia.call("DELETE", conversation)).status_code == 204
    assert (await ana.call("GET", "/api/tickets/1")).status_code == 404


async def test_without_a_client_a_ticket_is_its_users(desk: House) -> None:
    ana = Caller(desk, "ana")
    await ana.ask()
    ticket = await ana.get("/api/tickets/1")
    messages = (await ana.get(f"/api/conversations/{ticket['conversationId']}/messages"))["items"]
    assert [each["userId"] for each in messages] == ["ana", None]
    assert (await ana.get("/api/conversations"))["items"] == []
    bia = Caller(desk, "bia")
    assert (await bia.call("GET", f"/api/conversations/{ticket['conversationId']}")).status_code == 404


def alike(frames: list[dict[str, Any]], *names: str) -> str:
    """What was heard, but for the ids in it."""
    heard = json.dumps(
        [{key: value for key, value in each.items() if key not in ("runId", "seq")} for each in frames]
    )
    for name in names:
        heard = heard.replace(name, "…")
    return heard


@pytest.mark.hostile(11)
@pytest.mark.hostile(14)
async def test_what_is_anothers_sounds_like_what_never_was(desk: House) -> None:
    """Each verb of a ticket's socket, with another's ticket and another's run."""
    gate = asyncio.Event()
    ana, bia = Caller(desk, "ana", "acme"), Caller(desk, "bia", "outra")
    desk.script = ["segredo ", gate, "da ana"]
    async with ana.line("da-ana") as hers:
        await hers.say(ticketBody="segredo da ana")
        run = (await hers.hear())["runId"]
        verbs: list[dict[str, Any]] = [
            {"resume": run, "after": 0}, {"stop": True}, {"history": True}, {"message": "x"},
        ]  # fmt: skip
        for verb in verbs:
            heard = []
            for ticket, named in (("da-ana", run), ("nunca", NOBODY)):
                async with bia.line(ticket) as one:
                    await one.say(**verb | ({"resume": named} if "resume" in verb else {}))
                    heard.append(alike([await one.hear()], ticket))
            assert heard[0] == heard[1], verb
            assert "segredo" not in heard[0]
        gate.set()
        assert (await hers.until(*ENDS))[-1]["type"] == "done"
    desk.script = ["outra"]
    heard = [alike(await bia.ask("x", ticket), ticket) for ticket in ("da-ana", "nunca")]
    assert heard[0] == heard[1]
    assert (await ana.ask(ticket="da-ana"))[0]["response"] == "segredo da ana"
    assert len(desk.calls) == 3


@pytest.mark.hostile(9)
async def test_a_token_that_expires_in_mid_answer_costs_the_desk_nothing(desk: House) -> None:
    gate = asyncio.Event()
    desk.script = ["um", gate, "dois"]
    bia = Caller(desk, "bia", "acme")
    claims = {"client_id": "acme", "exp": time.time() + 3}
    async with line(desk, PATH + "1", "ana", claims=claims) as one, bia.line() as two:
        for each in (one, two):
            await each.say(ticketBody=BODY)
            assert (await each.hear())["content"] == "um"
        heard, code = await one.end()
        assert (heard[-1]["code"], code) == ("not_authenticated", 4401)
        gate.set()
        assert said(await two.until(*ENDS)) == "dois"
    assert (await bia.ask())[0]["response"] == "umdois"


async def test_limits_are_the_desks(tmp_path: Path) -> None:
    """Its users share them; what is refused leaves no ticket, and costs none of them his own."""
    async with (
        furnished(tmp_path, jwt_secret=SECRET, max_tokens_per_day=3_000, max_output_tokens=1_000) as house,
        house.listening(),
    ):
        house.script = ["palavra " * 500, UsageReport(Usage(prompt_tokens=10, completion_tokens=2_990))]
        ana, bia = Caller(house, "ana", "acme"), Caller(house, "bia", "acme")
        assert (await ana.ask(ticket="1"))[-1]["type"] == "done"
        heard = await bia.ask(ticket="2")
        assert [each["type"] for each in heard] == ["error"]
        assert heard[0]["code"] == "token_limit_reached"
        assert (await bia.ask(ticket="1"))[0]["type"] == "cached"
        assert [each["id"] for each in (await bia.get("/api/tickets"))["items"]] == ["1"]
        assert (await Caller(house, "bia").ask(ticket="2"))[-1]["type"] == "done"

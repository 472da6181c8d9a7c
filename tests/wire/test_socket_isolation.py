"""The verbs of all sockets: what is another user's looks like what never existed, and stays as it was."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import pytest
from tests.wire.house import NOBODY, SECRET, House, furnished
from tests.wire.sockets import Line, line

from prosa.transport.app import SOCKETS
from prosa.transport.native.socket import Verb
from prosa.transport.tickets.forms import Message

CONVERSATIONS = "/api/websocket/conversations/{conversationId}"
TICKETS = "/api/websocket/chat/{ticketId:path}"

ANA = {"client_id": "acme"}
BIA = {"client_id": "globex"}
SECRETS = ("segredo-da-ana", "resposta-da-ana")


class Theirs(NamedTuple):
    """What somebody else has, or nobody."""

    conversation: str
    message: str
    run: str
    ticket: str


NOTHING = Theirs(NOBODY, NOBODY, NOBODY, "never")

VERBS: dict[str, list[dict[str, Any]]] = {
    "send": [
        {"content": "x", "parentId": "message"},
        {"regenerate": "message"},
        {"content": "x", "attachments": ["message"]},
    ],
    "stop": [{"runId": "run"}],
    "follow": [{"runId": "run"}, {"runId": "run", "after": 1}],
    "show": [{"headId": "message"}],
    "outputs": [{"runId": "run", "outputs": [{"id": "x", "output": "x"}]}],
    "approval": [{"runId": "run", "id": "x", "approve": True}],
}
"""What each verb of a conversation's socket can name."""

ASKED: dict[str, dict[str, Any]] = {
    "ticketBody": {"ticketBody": "x"},
    "message": {"message": "x"},
    "history": {"history": True},
    "resume": {"resume": "run"},
    "stop": {"stop": True},
}
"""The same of a ticket's; the other fields of a message say how."""
HOW = {"refresh", "after", "provider", "model", "clientMessageId", "limit", "cursor"}


def test_every_door_and_every_verb_is_here() -> None:
    assert {door.path for door in SOCKETS} == {CONVERSATIONS, TICKETS}
    assert {verb.__struct_config__.tag for verb in get_args(Verb)} == VERBS.keys()
    assert set(Message.__struct_encode_fields__) == ASKED.keys() | HOW


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with furnished(tmp_path, jwt_secret=SECRET) as made, made.listening():
        made.script = [SECRETS[1]]
        yield made


async def furnish(house: House) -> Theirs:
    """A conversation of Ana's, and a ticket of her client's."""
    one = await house.conversation("ana", title=SECRETS[0])
    start = (await house.send(one, SECRETS[0], user="ana"))[0]
    async with line(house, "/api/websocket/chat/t-1", "ana", claims=ANA) as opened:
        await opened.say(ticketBody=SECRETS[0])
        await opened.until("done")
    return Theirs(one, start["messageId"], start["runId"], "t-1")


def filled(verb: dict[str, Any], theirs: Theirs) -> dict[str, Any]:
    def fill(value: Any) -> Any:
        if isinstance(value, list):
            return [fill(each) for each in value]
        return getattr(theirs, value) if value in ("message", "run") else value

    return {name: fill(value) for name, value in verb.items()}


async def answer(opened: Line) -> dict[str, Any]:
    while (told := await opened.hear()).get("type") in ("conversation", "run"):
        pass
    return told


async def state(house: House, theirs: Theirs) -> list[Any]:
    paths = (
        f"/api/conversations/{theirs.conversation}",
        f"/api/conversations/{theirs.conversation}/messages",
    )
    return [(await house.get(path, user="ana")).json() for path in paths]


@pytest.mark.hostile(11)
@pytest.mark.hostile(14)
async def test_a_conversation_of_another_user(house: House) -> None:
    theirs = await furnish(house)
    before = await state(house, theirs)
    ends = []
    for name in (theirs.conversation, NOBODY, "nope"):
        for claims in (BIA, ANA):  # to be of her client is not to be her
            async with line(house, CONVERSATIONS.format(conversationId=name), "bia", claims=claims) as opened:
                await opened.say(type="send", content="x")
                ends.append(await opened.end())
    assert all(end == ends[0] for end in ends)
    (told,), code = ends[0]
    assert (told["code"], code) == ("conversation_not_found", 4404)
    assert await state(house, theirs) == before


@pytest.mark.hostile(11)
@pytest.mark.hostile(12)
@pytest.mark.hostile(14)
@pytest.mark.parametrize("kind", VERBS)
async def test_what_another_user_has_in_ones_own_conversation(house: House, kind: str) -> None:
    theirs = await furnish(house)
    before, calls = await state(house, theirs), len(house.calls)
    own = await house.conversation("bia")
    async with line(house, CONVERSATIONS.format(conversationId=own), "bia") as opened:
        assert (await opened.hear())["conversation"]["id"] == own
        for verb in VERBS[kind]:
            heard = []
            for ids in (theirs, NOTHING):
                await opened.say(type=kind, **filled(verb, ids))
                heard.append(await answer(opened))
            assert heard[0] == heard[1]
            assert heard[0]["type"] == "error"
            assert heard[0]["code"].endswith("_not_found")
    assert await state(house, theirs) == before
    assert len(house.calls) == calls


@pytest.mark.hostile(11)
@pytest.mark.hostile(14)
@pytest.mark.parametrize("kind", ASKED)
async def test_a_ticket_of_another_client(house: House, kind: str) -> None:
    """Each client has tickets of its own, whatever they are called."""
    theirs = await furnish(house)
    ticket = (await house.get("/api/tickets", headers=bearer(house, "ana", ANA))).json()
    house.script = ["para a bia"]
    heard = []
    for ids in (theirs, NOTHING):
        path = f"/api/websocket/chat/{ids.ticket}"
        async with line(house, path, "bia", claims=BIA) as opened:
            await opened.say(**filled(ASKED[kind], ids))
            if kind == "ticketBody":
                told = await opened.until("done")
                heard.append([message.get("content") for message in told])
                continue
            await opened.say(type="ping")
            heard.append(await opened.until("pong"))
    assert heard[0] == heard[1]
    assert not any(secret in str(heard) for secret in SECRETS)
    assert (await house.get("/api/tickets", headers=bearer(house, "ana", ANA))).json() == ticket


async def test_the_conversation_of_a_ticket_is_all_its_clients(house: House) -> None:
    await furnish(house)
    (ticket,) = (await house.get("/api/tickets", headers=bearer(house, "ana", ANA))).json()["items"]
    path = CONVERSATIONS.format(conversationId=ticket["conversationId"])
    async with line(house, path, "ana", claims=ANA) as left, line(house, path, "rui", claims=ANA) as right:
        for opened in (left, right):
            assert (await opened.hear())["conversation"]["id"] == ticket["conversationId"]
        await right.say(type="send", content="e agora?")
        for opened in (left, right):
            assert (await opened.until("done"))[-1]["status"] == "completed"
    async with line(house, path, "bia", claims=BIA) as opened:
        assert (await opened.end())[1] == 4404


def bearer(house: House, user: str, claims: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {house.token(user, **claims)}"}

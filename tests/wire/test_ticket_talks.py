"""Tickets after their first answer: questions further on, history, resuming, bad messages, and REST beside."""

import asyncio
import json
from typing import Any

import pytest
from tests.wire.desk import BODY, ENDS, PATH, ask, asked, begun, text, ticket
from tests.wire.house import NOBODY, House
from tests.wire.sockets import line

from prosa.domain.errors import ProviderNotConfigured, ProviderOverloaded
from prosa.domain.models import Reset
from prosa.domain.principal import LOCAL
from prosa.services.tickets import Following, Question
from prosa.transport.tickets import stream


@pytest.fixture
async def desk(listening: House) -> House:
    return listening


async def test_questions_further_on(desk: House) -> None:
    await asked(desk, "1", "primeira")
    async with line(desk, PATH + "1") as one, line(desk, PATH + "1") as other:
        await ask(other)
        await one.say(message="E o cabo?")
        frames = await one.until(*ENDS)
        assert text(frames) == "You said: E o cabo?"
        assert [turn.content for turn in desk.calls[-1].request.turns] == [
            "primeira", "You said: primeira", "E o cabo?",
        ]  # fmt: skip
        # The answer of the ticket is what it was, and others are not told of what they did not ask.
        assert (await ask(other))[0]["response"] == "You said: primeira"
        await one.say(history=True)
        history = await one.hear()
    assert history["type"] == "history"
    assert [each["content"] for each in history["messages"]] == [
        "primeira", "You said: primeira", "E o cabo?", "You said: E o cabo?",
    ]  # fmt: skip
    assert history["messages"][-1]["runId"] == frames[-1]["runId"]


async def test_a_question_before_the_answer(desk: House) -> None:
    async with line(desk, PATH + "1") as one:
        await one.say(message="E?")
        assert (await one.hear())["code"] == "ticket_not_found"
        await one.say(stop=True)
        assert (await one.hear())["code"] == "ticket_not_found"
        await one.say(history=True)
        assert await one.hear() == {"type": "history", "messages": [], "nextCursor": None}
        gate = asyncio.Event()
        desk.script = ["um", gate]
        await begun(desk, one)
        await one.say(message="E?")
        assert (await one.hear())["code"] == "run_in_progress"
        gate.set()


async def test_history_page_by_page(desk: House) -> None:
    async with line(desk, PATH + "1") as one:
        await ask(one, "0")
        for number in range(1, 4):
            await one.say(message=str(number))
            await one.until(*ENDS)
        pages, cursor = [], None
        while True:
            await one.say(history=True, limit=3, **({} if cursor is None else {"cursor": cursor}))
            heard = await one.hear()
            pages.append([each["content"] for each in heard["messages"]])
            cursor = heard["nextCursor"]
            if cursor is None:
                break
        await one.say(history=True, cursor="x")
        assert (await one.hear())["code"] == "invalid_request"
    said = [words for number in range(4) for words in (str(number), f"You said: {number}")]
    assert [words for page in reversed(pages) for words in page] == said
    assert [len(page) for page in pages] == [3, 3, 2]


@pytest.mark.hostile(54)
async def test_resuming_anywhere_gives_the_rest(desk: House) -> None:
    script: list[Any] = []
    for number in range(40):
        script += [f"palavra {number} ", 0.002]
    desk.script = script
    frames = await asked(desk, "1")
    run, last = frames[0]["runId"], frames[-1]["seq"]
    whole = text(frames)
    async with line(desk, PATH + "1") as one:
        for place in range(len(frames)):
            await one.say(resume=run, after=frames[place]["seq"])
            rest = await one.until(*ENDS)
            assert text(frames[: place + 1]) + text(rest) == whole
            assert rest[-1]["type"] == "done"
        await one.say(resume=run.upper(), after=0)
        rest = await one.until(*ENDS)
        assert (text(rest), rest[-1]["seq"]) == (whole, last)
        await one.say(resume=run, after=-5)
        assert text(await one.until(*ENDS)) == whole
        await one.say(resume=run, after=10**12)
        assert await one.until(*ENDS) == [{"type": "done", "runId": run}]


async def test_a_socket_that_is_cut_loses_nothing(desk: House) -> None:
    """Each reads a little and is gone; the next goes on after what was read."""
    script: list[Any] = []
    for number in range(150):
        script += [f"palavra {number} ", 0.004]
    desk.script = script
    run, after, heard, cuts = None, 0, "", 0
    over = False
    while not over:
        async with line(desk, PATH + "1") as one:
            await one.say(**({"ticketBody": BODY} if run is None else {"resume": run, "after": after}))
            for _ in range(3):
                frame = await one.hear()
                run, after = frame["runId"], frame["seq"]
                over = frame["type"] == "done"
                if over:
                    break
                heard += frame["content"]
            one.connection.transport.abort()
            cuts += 1
    assert heard == "".join(step for step in script if isinstance(step, str))
    assert cuts > 5
    assert len(desk.calls) == 1


@pytest.mark.hostile(12)
async def test_only_runs_of_the_ticket_are_resumed(desk: House) -> None:
    other = (await asked(desk, "2"))[0]["runId"]
    async with line(desk, PATH + "1") as one:
        for run in (other, NOBODY):
            await one.say(resume=run, after=0)
            assert (await one.hear())["code"] == "run_not_found"
        await ask(one)
        for run in (other, NOBODY):
            await one.say(resume=run, after=0)
            assert (await one.hear())["code"] == "run_not_found"


async def test_another_model(desk: House) -> None:
    async with line(desk, PATH + "1") as one:
        await ask(one, provider="fake", model="outro")
        assert desk.calls[-1].request.model == "outro"
        await one.say(message="E?", model="terceiro")
        await one.until(*ENDS)
        assert desk.calls[-1].request.model == "terceiro"
        assert (await ask(one, refresh=True, provider="nenhum"))[-1]["code"] == "no_such_provider"
    assert (await ticket(desk))["model"] == "outro"


async def test_ollama_without_its_address(desk: House) -> None:
    async with line(desk, PATH + "1", headers={"Accept-Language": "pt"}) as one:
        heard = await ask(one, provider="ollama")
    assert heard == [
        {"type": "error", "code": ProviderNotConfigured.code, "message": "OLLAMA_SERVER não configurado",
         "retryable": False},
    ]  # fmt: skip
    assert (await desk.get("/api/tickets/1")).status_code == 404  # and nothing is left of it


BAD: list[dict[str, Any]] = [
    {}, {"ticketBody": None}, {"ticketBody": 7}, {"ticketBody": ""}, {"ticketBody": "x" * 400_001},
    {"ticketBody": "a\0b"}, {"ticketBody": "x", "refresh": "yes"}, {"ticketBody": "x", "message": "y"},
    {"message": ""}, {"message": []}, {"history": False}, {"history": True, "limit": 0}, {"stop": 1},
    {"resume": "x"}, {"resume": NOBODY, "after": "1"}, {"resume": None}, {"type": "subscribe"},
    {"ticketBody": "x", "clientMessageId": ""}, {"ticketBody": "x", "model": ["a"]},
]  # fmt: skip


@pytest.mark.hostile(24)
@pytest.mark.parametrize("bad", BAD, ids=range(len(BAD)))
async def test_a_bad_message_gets_an_error_that_says_why(desk: House, bad: dict[str, Any]) -> None:
    async with line(desk, PATH + "1") as one:
        await one.say(**bad)
        heard = await one.hear()
        assert (heard["type"], heard["code"]) == ("error", "invalid_request")
        assert heard["detail"] in heard["message"]
        assert (await ask(one))[-1]["type"] == "done"


async def test_odd_text_arrives_as_it_is(desk: House) -> None:
    body = 'aspas " barra \\ nova\nlinha \u2028 \u200b \u202e {{7*7}} 👩‍👩‍👧‍👦'
    async with line(desk, PATH + "1") as one:
        await one.connection.send(json.dumps({"ticketBody": body}, ensure_ascii=True))
        assert text(await one.until(*ENDS)) == f"You said: {body}"
        assert (await ask(one))[0]["response"] == f"You said: {body}"


async def test_a_closed_conversation_takes_no_questions(desk: House) -> None:
    await asked(desk, "1")
    conversation = (await ticket(desk))["conversationId"]
    await desk.call("PATCH", f"/api/conversations/{conversation}", {"status": "closed"})
    assert (await asked(desk, "1"))[0]["type"] == "cached"
    assert (await asked(desk, "1", refresh=True))[-1]["code"] == "conversation_closed"


async def test_a_conversation_that_is_deleted_meanwhile(desk: House) -> None:
    desk.script = ["um", asyncio.Event()]
    async with line(desk, PATH + "1") as one:
        await begun(desk, one)
        conversation = (await ticket(desk))["conversationId"]
        assert (await desk.call("DELETE", f"/api/conversations/{conversation}")).status_code == 204
        assert (await one.until(*ENDS))[-1]["type"] in ENDS
        desk.script = ["dois"]
        assert text(await ask(one)) == "dois"
    assert (await ticket(desk))["conversationId"] != conversation


@pytest.fixture
async def failing_over(desk: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A run's answer may begin anew: it has a route."""
    monkeypatch.setattr(stream, "CAUGHT_UP", 0.03)
    real = desk.chat.catalogue.choose

    def routed(*asked: Any) -> Any:
        from msgspec.structs import replace

        return replace(real(*asked), route="fake-route")

    monkeypatch.setattr(desk.chat.catalogue, "choose", routed)
    model = desk.chat.catalogue.resolve(real())
    monkeypatch.setattr(desk.chat.catalogue, "resolve", lambda _choice: model)
    return desk


async def test_an_answer_that_begins_anew(failing_over: House) -> None:
    """Who can't take text back hears so; who comes late hears only what stands; who can is told."""
    desk, gate, end = failing_over, asyncio.Event(), asyncio.Event()
    desk.script = ["vão ", gate, Reset("overloaded"), "Bom", end, " dia"]
    async with line(desk, PATH + "1") as plain, line(desk, PATH + "1", subprotocols=["prosa"]) as able:
        assert (await begun(desk, plain))["content"] == "vão "
        assert (await begun(desk, able))["content"] == "vão "
        gate.set()
        heard = await plain.hear()
        assert (heard["type"], heard["code"], heard["retryable"]) == ("error", "restarted", True)
        assert [(await able.hear())["type"] for _ in range(2)] == ["reset", "stream"]
        async with line(desk, PATH + "1") as late:
            assert (await begun(desk, late))["content"] == "Bom"
            await plain.say(ticketBody=BODY)
            assert (await plain.hear())["content"] == "Bom"
            end.set()
            for each in (late, plain, able):
                assert text(await each.until(*ENDS)) == " dia"
    assert (await asked(desk, "1"))[0]["response"] == "Bom dia"
    assert len(desk.calls) == 1


async def test_the_list_of_tickets(desk: House) -> None:
    for name in ("a", "b", "c"):
        await asked(desk, name)
    desk.script = [ProviderOverloaded(provider="fake")]
    await asked(desk, "d")
    listed = (await desk.get("/api/tickets")).json()
    assert [each["id"] for each in listed["items"]] == ["d", "c", "b", "a"]
    assert listed["nextCursor"] is None
    first = listed["items"][-1]
    assert first == {
        "id": "a", "conversationId": first["conversationId"], "status": "answered",
        "answer": f"You said: {BODY}", "runId": first["runId"], "provider": "fake", "model": "fake-1",
        "createdAt": first["createdAt"], "updatedAt": first["createdAt"], "answeredAt": first["answeredAt"],
    } | {"model": first["model"]}  # fmt: skip
    assert (await ticket(desk, "a")) == first | {"body": BODY}
    failed = (await desk.get("/api/tickets", params={"status": "failed"})).json()["items"]
    assert [(each["id"], each["status"], each["answer"], each["answeredAt"]) for each in failed] == [
        ("d", "failed", None, None)
    ]
    names, cursor = [], None
    while True:
        params = {"limit": 3} | ({} if cursor is None else {"cursor": cursor})
        page = (await desk.get("/api/tickets", params=params)).json()
        names += [each["id"] for each in page["items"]]
        if (cursor := page["nextCursor"]) is None:
            break
    assert names == ["d", "c", "b", "a"]
    for wrong in ({"status": "x"}, {"limit": 0}, {"cursor": "x"}):
        assert (await desk.get("/api/tickets", params=wrong)).status_code == 400


async def test_a_forgotten_answer(desk: House) -> None:
    await asked(desk, "1")
    for _ in range(2):
        assert (await desk.call("DELETE", "/api/tickets/1/answer")).status_code == 204
        found = await ticket(desk)
        assert (found["status"], found["answer"], found["runId"]) == ("unanswered", None, None)
    assert (await desk.call("DELETE", "/api/tickets/2/answer")).status_code == 404
    assert (await asked(desk, "1"))[0]["type"] == "stream"
    desk.script = ["um", asyncio.Event()]
    async with line(desk, PATH + "1") as one:
        await begun(desk, one, refresh=True)
        assert (await ticket(desk))["status"] == "answering"
        await desk.call("DELETE", "/api/tickets/1/answer")
        assert [frame["type"] for frame in await one.until(*ENDS)] == ["done"]
    assert (await ticket(desk))["status"] == "unanswered"


async def test_its_conversation_is_a_conversation(desk: House) -> None:
    await asked(desk, "1", "Como ligo a impressora?")
    conversation = (await ticket(desk))["conversationId"]
    found = (await desk.get(f"/api/conversations/{conversation}")).json()
    assert (found["ticketId"], found["externalId"], found["title"]) == ("1", None, "Como ligo a impressora?")
    assert (await desk.get("/api/conversations")).json()["items"] == []
    await desk.send(conversation, "E agora?")
    async with line(desk, PATH + "1") as one:
        await one.say(history=True)
        assert len((await one.hear())["messages"]) == 4


async def test_an_answer_that_is_forgotten_as_one_comes(desk: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was answered since one looked, and is not any more: one is not left without a word."""
    tickets, engine = desk.chat.tickets, desk.chat.engine
    start = engine.start

    async def late(*given: Any) -> Any:
        monkeypatch.undo()
        other = await tickets.ask(LOCAL, "7", Question(BODY))
        assert isinstance(other, Following)
        while not other.reader.ended:
            await other.reader.read()
        found = await start(*given)
        await tickets.forget(LOCAL, "7")
        return found

    monkeypatch.setattr(engine, "start", late)
    found = await tickets.ask(LOCAL, "7", Question(BODY))
    assert isinstance(found, Following)

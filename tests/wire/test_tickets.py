"""`WS /api/websocket/chat/{ticketId}`: seed 004's frames, and what it hoped for."""

import asyncio
import json
from typing import Any
from urllib.parse import quote

import pytest
from tests.wire.house import NOBODY, House
from tests.wire.sockets import Line, line

from prosa.domain.errors import ProviderNotConfigured, ProviderOverloaded
from prosa.domain.models import Finish, FinishReason, Reset
from prosa.domain.principal import LOCAL
from prosa.services.tickets import Following, Question
from prosa.transport.tickets import stream

CACHED = "Resposta em cache - ticket já foi processado anteriormente"
PATH = "/api/websocket/chat/"
BODY = "A impressora não liga."
ENDS = ("done", "error")


@pytest.fixture
async def desk(listening: House) -> House:
    return listening


def text(frames: list[dict[str, Any]]) -> str:
    return "".join(frame["content"] for frame in frames if frame["type"] == "stream")


async def ask(one: Line, body: str = BODY, **more: Any) -> list[dict[str, Any]]:
    await one.say(ticketBody=body, **more)
    return await one.until(*ENDS)


async def asked(house: House, ticket: str, body: str = BODY, **more: Any) -> list[dict[str, Any]]:
    """What a socket hears that asks and leaves."""
    async with line(house, PATH + quote(ticket, safe="")) as one:
        return await ask(one, body, **more)


async def begun(house: House, one: Line, **more: Any) -> dict[str, Any]:
    """The first frame of an answer that a gate holds up."""
    await one.say(ticketBody=BODY, **more)
    return await one.hear()


async def called(house: House, times: int) -> None:
    """Waits until the model was asked as often."""
    async with asyncio.timeout(10):
        while len(house.calls) < times:  # noqa: ASYNC110 - the model tells nobody
            await asyncio.sleep(0.005)


async def ticket(house: House, name: str = "1") -> dict[str, Any]:
    return (await house.get(f"/api/tickets/{quote(name, safe='')}")).json()


async def test_an_answer_and_the_same_again_from_the_cache(desk: House) -> None:
    desk.script = ["Ligue ", "o cabo", " à tomada.\n", 'É "só" isso 👍🏽']
    frames = await asked(desk, "123")
    assert {frame["type"] for frame in frames[:-1]} == {"stream"}
    assert text(frames) == 'Ligue o cabo à tomada.\nÉ "só" isso 👍🏽'
    assert frames[-1]["type"] == "done"
    for body in (BODY, "outro texto"):
        assert await asked(desk, "123", body) == [
            {"type": "cached", "response": text(frames), "message": CACHED}, {"type": "done"},
        ]  # fmt: skip
    assert len(desk.calls) == 1


async def test_the_seeds_text_is_portuguese_in_every_language(desk: House) -> None:
    await asked(desk, "1")
    async with line(desk, PATH + "1", headers={"Accept-Language": "en"}) as one:
        assert (await ask(one))[0]["message"] == CACHED


async def test_frames_tell_their_run_and_place(desk: House) -> None:
    desk.script = ["a", 0.01, "b", 0.01, "c"]
    frames = await asked(desk, "1")
    assert {frame["runId"] for frame in frames} == {(await ticket(desk))["runId"]}
    places = [frame["seq"] for frame in frames]
    assert places == sorted(set(places))
    assert [set(frame) for frame in frames[:-1]] == [{"type", "content", "runId", "seq"}] * (len(frames) - 1)
    assert set(frames[-1]) == {"type", "runId", "seq"}


async def test_tickets_are_apart(desk: House) -> None:
    names = ["1", "2", "INC/2024-07 #9", "ç" * 255, "%2F", " ", "👍🏽", "answer"]
    for name in names:
        assert text(await asked(desk, name, f"Sou {name}")) == f"You said: Sou {name}"
    for name in names:
        assert (await asked(desk, name))[0]["response"] == f"You said: Sou {name}"
        assert (await ticket(desk, name))["body"] == f"Sou {name}"
    assert len(desk.calls) == len(names)


@pytest.mark.parametrize("name", ["x" * 256, "a%00b", "a%EF%BF%BFb%00"])
async def test_what_is_no_ticket(desk: House, name: str) -> None:
    async with line(desk, PATH + name) as one:
        heard, code = await one.end()
    assert ([each["code"] for each in heard], code) == (["invalid_request"], 4400)
    assert (await desk.get(f"/api/tickets/{name}")).json()["code"] == "ticket_not_found"


async def test_who_joins_late_gets_the_text_so_far(desk: House) -> None:
    gate = asyncio.Event()
    desk.script = ["um, ", "dois, ", gate, "três"]
    async with line(desk, PATH + "1") as first, line(desk, PATH + "1") as late:
        assert (await begun(desk, first))["content"].startswith("um")
        await late.say(ticketBody="outro")
        heard = await late.hear()
        assert heard["content"] == "um, dois, "
        gate.set()
        frames = [heard, *await late.until(*ENDS)]
    assert text(frames) == "um, dois, três"
    assert len(desk.calls) == 1


async def test_ten_at_once_are_one_run_and_all_hear_it(desk: House) -> None:
    gate = asyncio.Event()
    desk.script = ["Olá", gate, " a todos"]

    async def one(number: int) -> str:
        async with line(desk, PATH + "1") as socket:
            await socket.say(ticketBody=f"pergunta {number}")
            heard = [await socket.hear()]
            there.append(number)
            if len(there) == 10:
                gate.set()
            return text(heard + await socket.until(*ENDS))

    there: list[int] = []
    assert await asyncio.gather(*(one(number) for number in range(10))) == ["Olá a todos"] * 10
    assert len(desk.calls) == 1


async def test_the_same_socket_twice_hears_it_once(desk: House) -> None:
    gate = asyncio.Event()
    desk.script = ["um", gate, "dois"]
    async with line(desk, PATH + "1") as one:
        heard = await begun(desk, one)
        await one.say(ticketBody=BODY)
        await one.say(type="ping")
        assert (await one.hear())["type"] == "pong"
        gate.set()
        assert text([heard, *await one.until(*ENDS)]) == "umdois"
        assert (await ask(one))[0]["type"] == "cached"


@pytest.mark.hostile(53)
@pytest.mark.parametrize("heard", [0, 1, 2, "last"])
async def test_who_leaves_changes_nothing(desk: House, heard: int | str) -> None:
    gate = asyncio.Event()
    desk.script = ["a ", 0.005, "b ", 0.005, "c ", gate, "d"]
    async with line(desk, PATH + "1") as one:
        await one.say(ticketBody=BODY)
        if heard == "last":
            while "c" not in (await one.hear())["content"]:
                pass
        else:
            for _ in range(int(heard)):
                await one.hear()
            await called(desk, 1)
    gate.set()
    await desk.calls[0].closed.wait()
    frames = await asked(desk, "1")
    assert frames[0].get("response", text(frames)) == "a b c d"
    assert len(desk.calls) == 1
    assert (await ticket(desk))["status"] == "answered"


async def test_what_failed_is_asked_anew(desk: House) -> None:
    desk.script = ["metade", ProviderOverloaded(provider="fake")]
    frames = await asked(desk, "1")
    assert (text(frames), frames[-1]["type"]) == ("metade", "error")
    assert (frames[-1]["code"], frames[-1]["retryable"]) == ("overloaded", True)
    assert frames[-1]["message"]
    assert (await ticket(desk))["status"] == "failed"
    desk.script = ["inteira"]
    assert text(await asked(desk, "1")) == "inteira"
    assert (await asked(desk, "1"))[0]["response"] == "inteira"
    assert len(desk.calls) == 2


async def test_what_was_cut_short_is_no_answer(desk: House) -> None:
    desk.script = ["metade", Finish(FinishReason.LENGTH)]
    frames = await asked(desk, "1")
    assert (text(frames), frames[-1]["type"], frames[-1]["code"]) == ("metade", "error", "answer_incomplete")
    assert (await ticket(desk))["status"] == "failed"
    desk.script = []
    assert [frame["type"] for frame in await asked(desk, "1")] == ["done"]
    assert (await ticket(desk))["answer"] is None
    desk.script = ["inteira"]
    assert text(await asked(desk, "1")) == "inteira"


async def test_a_stop_ends_it_for_all_and_leaves_no_answer(desk: House) -> None:
    desk.script = ["um", asyncio.Event()]
    async with line(desk, PATH + "1") as one, line(desk, PATH + "1") as two:
        await begun(desk, one)
        await begun(desk, two)
        await two.say(stop=True)
        for each in (one, two):
            assert [frame["type"] for frame in await each.until(*ENDS)] == ["done"]
        assert (await ticket(desk))["status"] == "unanswered"
        desk.script = ["inteira"]
        assert text(await ask(one)) == "inteira"
        await two.say(stop=True)
        assert (await ask(two))[0]["response"] == "inteira"


async def test_asking_anew_on_purpose(desk: House) -> None:
    first = text(await asked(desk, "1", "primeira"))
    async with line(desk, PATH + "1") as one:
        assert (await ask(one, "segunda"))[0]["response"] == first
        assert text(await ask(one, "segunda", refresh=True)) == "You said: segunda"
        assert (await ask(one))[0]["response"] == "You said: segunda"
    # It is a question of its own: nothing of the first is before it.
    assert [turn.content for turn in desk.calls[1].request.turns] == ["segunda"]


async def test_those_who_ask_anew_at_once_are_one_run(desk: House) -> None:
    await asked(desk, "1", "primeira")
    gate = asyncio.Event()
    desk.script = [gate, "de novo"]

    async def one() -> str:
        async with line(desk, PATH + "1") as socket:
            await socket.say(ticketBody="segunda", refresh=True)
            return text(await socket.until(*ENDS))

    tasks = [asyncio.create_task(one()) for _ in range(10)]
    await called(desk, 2)
    await asyncio.sleep(0.3)
    gate.set()
    assert await asyncio.gather(*tasks) == ["de novo"] * 10
    assert len(desk.calls) == 2


async def test_a_request_said_again_after_a_break_is_done_once(desk: House) -> None:
    await asked(desk, "1")
    for _ in range(2):
        frames = await asked(desk, "1", "segunda", refresh=True, clientMessageId="k1")
        assert text(frames) == "You said: segunda"
    for _ in range(2):
        async with line(desk, PATH + "1") as one:
            await one.say(message="E agora?", clientMessageId="k2")
            assert text(await one.until(*ENDS)) == "You said: E agora?"
    assert len(desk.calls) == 3
    other = await asked(desk, "1", "terceira", refresh=True, clientMessageId="k1")
    assert other[-1]["code"] == "idempotency_mismatch"


async def test_a_new_attempt_that_fails_leaves_the_answer(desk: House) -> None:
    first = text(await asked(desk, "1"))
    desk.script = ["pior", ProviderOverloaded(provider="fake")]
    assert (await asked(desk, "1", refresh=True))[-1]["code"] == "overloaded"
    assert (await asked(desk, "1"))[0]["response"] == first
    # Questions further on go on from the answer that stands.
    for number in range(2):
        async with line(desk, PATH + "1") as one:
            desk.script = ["sim"]
            await one.say(message=f"E {number}?")
            await one.until(*ENDS)
    said = [turn.content for turn in desk.calls[-1].request.turns]
    assert said == [BODY, first, "E 0?", "sim", "E 1?"]


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

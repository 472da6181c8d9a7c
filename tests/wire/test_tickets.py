"""`WS /api/websocket/chat/{ticketId}`: seed 004's frames, one run for all who ask, and its kept answer."""

import asyncio

import pytest
from tests.wire.desk import BODY, CACHED, ENDS, PATH, ask, asked, begun, called, text, ticket
from tests.wire.house import House
from tests.wire.sockets import line

from prosa.domain.errors import ProviderOverloaded
from prosa.domain.models import Finish, FinishReason


@pytest.fixture
async def desk(listening: House) -> House:
    return listening


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

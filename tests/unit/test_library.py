"""The door for Python programs: the same runs without a server, and the whole API inside somebody's application."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.pictures import png

from prosa import Prosa, ProsaError
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.content import DocumentPart, ImagePart, TextPart
from prosa.domain.conversations import MessageKind
from prosa.domain.errors import (
    ClientMismatch,
    IdempotencyMismatch,
    InvalidRequest,
    MisconfiguredError,
    NotFound,
    ProviderOverloaded,
    RunNotFound,
)
from prosa.domain.events import Done, Event, Start, Text
from prosa.domain.files import FileNotFound
from prosa.domain.models import Role
from prosa.domain.runs import RunStatus
from prosa.domain.tickets import TicketStatus

Open = Callable[..., Prosa]


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    made: list[Prosa] = []

    def build(model: FakeModel | None = None, **settings: object) -> Prosa:
        url = f"sqlite:///{tmp_path / f'{len(made)}.db'}"
        made.append(Prosa(models={"fake": model or FakeModel()}, database_url=url, **settings))
        return made[-1]

    yield build
    for prosa in made:
        await prosa.close()


async def test_a_message_and_its_answer(opened: Open) -> None:
    async with opened() as prosa:
        events = [event async for event in prosa.chat.send("Oi!", "minha conversa")]
        assert isinstance(events[0], Start)
        assert "".join(event.content for event in events if isinstance(event, Text)) == "You said: Oi!"
        assert isinstance(events[-1], Done)
        again = [event async for event in prosa.chat.send("Mais", "minha conversa")]
        assert again[0].conversation_id == events[0].conversation_id
        placed, cursor = await prosa.messages(events[0].conversation_id)
        assert [each.message.content for each in placed] == ["Oi!", "You said: Oi!", "Mais", "You said: Mais"]
        assert cursor is None
        conversations, _ = await prosa.conversations()
        assert [each.external_id for each in conversations] == ["minha conversa"]


async def test_files_go_along(opened: Open, tmp_path: Path) -> None:
    model = FakeModel()
    photo, words = tmp_path / "foto.png", tmp_path / "a.txt"
    photo.write_bytes(png())
    words.write_bytes(b"Words.")
    async with opened(model) as prosa:
        answer = await prosa.process_user_chat_message("", session_id="s", attachments=[photo])
        assert answer.run.status is RunStatus.COMPLETED
        parts = model.calls[-1].request.turns[-1].parts
        assert isinstance(parts[0], ImagePart)
        assert (parts[0].name, parts[0].data) == ("foto.png", png())
        sent = parts[0].file or ""
        async for _ in prosa.chat.send("Read.", "s", attachments=[str(words), sent]):
            pass
        parts = model.calls[-1].request.turns[-1].parts
        assert parts[0] == DocumentPart("text/plain", b"Words.", name="a.txt", file=parts[0].file, size=6)
        assert [type(part) for part in parts] == [DocumentPart, ImagePart, TextPart]
        with pytest.raises(InvalidRequest, match="can't be read"):
            await prosa.process_user_chat_message("x", session_id="s", attachments=[tmp_path / "none"])
        with pytest.raises(InvalidRequest, match="attachments"):
            await prosa.process_user_chat_message(
                "x", session_id="s", attachments=[photo], user_message_id=sent
            )
        with pytest.raises(FileNotFound):
            await prosa.process_user_chat_message("x", session_id="s", attachments=[sent], user_id="bia")


async def test_without_a_name_a_conversation_is_begun(opened: Open) -> None:
    prosa = opened()
    for _ in range(2):
        assert [event async for event in prosa.chat.send("x")]
    assert len((await prosa.conversations())[0]) == 2
    made = await prosa.conversation(title="T", system_prompt="S")
    assert (await prosa.conversation(made.id)) == made


async def test_leaving_the_loop_leaves_the_run_going(opened: Open) -> None:
    gate = asyncio.Event()
    model = FakeModel(["um", gate, " dois"])
    async with opened(model) as prosa:
        async for event in prosa.chat.send("x"):
            if isinstance(event, Start):
                start = event
            if isinstance(event, Text):
                break
        gate.set()
        followed = [event async for event in prosa.chat.follow(start.run_id)]
        assert "".join(event.content for event in followed if isinstance(event, Text)) == "um dois"
        tail = [event async for event in prosa.chat.follow(start.run_id, after=len(followed) - 1)]
        assert tail == followed[-1:]
        placed, _ = await prosa.messages(start.conversation_id)
        assert placed[-1].message.content == "um dois"
        assert len(model.calls) == 1


async def test_stopping(opened: Open) -> None:
    model = FakeModel(["um", asyncio.Event()])
    async with opened(model) as prosa:
        run = start = None
        async for event in prosa.chat.send("x"):
            if isinstance(event, Text):
                run = await prosa.chat.stop(start.run_id)
            elif isinstance(event, Start):
                start = event
        assert run is not None
        assert run.status is RunStatus.CANCELLED
        assert isinstance(event, Done)
        for missing in ("nope", "01900000-0000-7000-8000-000000000000"):
            with pytest.raises(RunNotFound):
                await prosa.chat.stop(missing)
            with pytest.raises(RunNotFound):
                await anext(prosa.chat.follow(missing))


async def test_one_whole_answer(opened: Open) -> None:
    model = FakeModel()
    prosa = opened(model)
    history = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    answer = await prosa.process_user_chat_message("Oi", "acme", "s", history)
    assert answer.message.content == "You said: Oi"
    assert answer.message.role is Role.ASSISTANT
    assert [turn.content for turn in model.calls[0].request.turns] == ["a", "b", "Oi"]
    again = await prosa.process_user_chat_message("Mais", session_id="s")
    assert again.message.conversation_id == answer.message.conversation_id
    unknown = "01900000-0000-7000-8000-000000000000"
    first = await prosa.process_user_chat_message("x", session_id=unknown)
    assert (await prosa.conversation(unknown)).id == first.message.conversation_id


async def test_a_history_as_pages_have_it(opened: Open) -> None:
    model = FakeModel()
    prosa = opened(model)
    history = [{"role": "user", "content": "a"}, {"role": "assistant", "content": ""}]
    await prosa.process_user_chat_message("Oi", chat_history=history)
    assert [turn.content for turn in model.calls[0].request.turns] == ["a", "Oi"]
    for odd in (
        {"role": "robot", "content": "x"},
        {"role": "user"},
        {"content": "x"},
        {"role": "user", "content": 7},
    ):
        with pytest.raises(InvalidRequest, match="chat_history"):
            await prosa.process_user_chat_message("Oi", chat_history=[odd])
    assert len(model.calls) == 1


async def test_the_same_message_twice_is_one_run(opened: Open) -> None:
    model = FakeModel()
    prosa = opened(model)

    async def send(content: str = "Oi", name: str | None = None, **more: Any) -> list[Event]:
        return [event async for event in prosa.chat.send(content, name, client_message_id="k", **more)]

    first = await send()
    assert await send() == first
    assert len((await prosa.conversations())[0]) == 1
    for other in ({"content": "other"}, {"name": "s"}, {"model": "m"}, {"temperature": 0.0}, {"parent_id": None},
                  {"max_tokens": 9}, {"provider": "fake"}, {"system_prompt": "S"}):  # fmt: skip
        with pytest.raises(IdempotencyMismatch):
            await send(**other)
    assert len(model.calls) == 1


async def test_users_are_kept_apart(opened: Open) -> None:
    prosa = opened()
    one = await prosa.conversation("s", user_id="ana")
    assert (await prosa.conversation("s", user_id="bia")).id != one.id
    start = await anext(prosa.chat.send("x", one.id, user_id="bia"))
    assert start.conversation_id != one.id
    assert (await prosa.messages(one.id, user_id="ana"))[0] == []


async def test_many_at_once_open_it_once(opened: Open) -> None:
    prosa = opened()
    answers = await asyncio.gather(
        *(prosa.process_user_chat_message(str(each), session_id=str(each)) for each in range(5))
    )
    assert [answer.message.content for answer in answers] == [f"You said: {each}" for each in range(5)]


async def test_the_language_is_the_settings(opened: Open) -> None:
    from prosa.domain.errors import ProviderOverloaded

    prosa = opened(FakeModel([ProviderOverloaded("fake")]), language="pt")
    *_, error = [event async for event in prosa.chat.send("x")]
    assert error.message == ProviderOverloaded("fake").sentence("pt")


async def test_settings_that_do_not_exist_are_refused() -> None:
    with pytest.raises(MisconfiguredError, match="no_such"):
        Prosa(no_such="x")


async def test_the_api_inside_an_application(opened: Open) -> None:
    prosa = opened()
    host = Starlette(routes=[Mount("/prosa", app=prosa.asgi)])
    transport = httpx2.ASGITransport(app=host)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        made = (await client.post("/prosa/api/conversations", json={"title": "T"})).json()
        sent = await client.post("/prosa/api/chat/send", json={"conversationId": made["id"], "content": "Oi"})
        assert sent.headers["content-type"].startswith("text/event-stream")
        assert b'"type":"done"' in sent.content
        assert (await client.get(f"/prosa/api/conversations/{made['id']}")).status_code == 200
        docs = await client.get("/prosa/docs")
        assert (docs.status_code, docs.headers["location"]) == (307, "docs/")
        assert (await client.get("/prosa/")).status_code in (200, 503)
        missing = await client.get("/prosa/nowhere")
        assert (missing.status_code, missing.json()["code"]) == (404, "no_such_route")
        assert (await client.get("/api/conversations")).status_code == 404
    # What the server shows, the program sees, too.
    assert [each.id for each in (await prosa.conversations())[0]] == [made["id"]]


async def test_the_api_as_an_application_of_its_own(opened: Open, tmp_path: Path) -> None:
    prosa = opened()
    come: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(prosa.asgi({"type": "lifespan"}, come.get, said.put))
    await come.put({"type": "lifespan.startup"})
    assert await said.get() == {"type": "lifespan.startup.complete"}
    transport = httpx2.ASGITransport(app=prosa.asgi)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/ready")).status_code == 200
        assert (await client.post("/api/conversations", json={})).status_code == 201
        # The file is in use: a second one says so to its server instead of serving nothing.
        other = Prosa(models={"fake": FakeModel()}, database_url=f"sqlite:///{tmp_path / '0.db'}")
        begin: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        await begin.put({"type": "lifespan.startup"})
        await other.asgi({"type": "lifespan"}, begin.get, said.put)
        assert (await said.get())["type"] == "lifespan.startup.failed"
    await come.put({"type": "lifespan.shutdown"})
    assert await said.get() == {"type": "lifespan.shutdown.complete"}
    await life


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_importing_it_loads_no_adapter() -> None:
    loaded = fresh("import prosa, sys; print([m for m in sys.modules if m.startswith('prosa.')])")
    assert loaded == "[]"
    loaded = fresh(
        "from prosa import Prosa; import sys; print([m for m in sys.modules if m.startswith('prosa.adapters.')])"
    )
    assert loaded == "[]"


def test_importing_it_is_quick() -> None:
    code = "import time; a = time.process_time(); import prosa; print(time.process_time() - a)"
    assert min(float(fresh(code)) for _ in range(3)) <= 0.3


def test_names_that_it_does_not_have() -> None:
    import prosa

    assert prosa.ProsaError is ProsaError
    assert issubclass(ClientMismatch, ProsaError)
    with pytest.raises(AttributeError, match="nonsense"):
        _ = prosa.nonsense


async def test_a_ticket_is_asked_once(opened: Open) -> None:
    model = FakeModel()
    prosa = opened(model)
    cases = await asyncio.gather(*(prosa.chat.ticket("1", f"Olá {number}") for number in range(5)))
    assert len({case.answer.text for case in cases if case.answer}) == 1
    assert (await prosa.chat.ticket("1", "outro")).answer == cases[0].answer
    assert len(model.calls) == 1
    case = await prosa.chat.ticket("1", "outro", refresh=True, model="m")
    assert case.answer is not None
    assert (case.answer.text, model.calls[-1].request.model) == ("You said: outro", "m")
    shared = [await prosa.chat.ticket("1", "x", user_id=user, client_id="acme") for user in ("ana", "bia")]
    assert shared[0].answer == shared[1].answer
    assert len(model.calls) == 3


async def test_a_ticket_whose_answer_failed(opened: Open) -> None:
    prosa = opened(FakeModel(["half", ProviderOverloaded(provider="fake")]))
    case = await prosa.chat.ticket("1", "x")
    assert (case.status, case.answer) == (TicketStatus.FAILED, None)
    assert case.run is not None
    assert case.run.error_code == "overloaded"


async def test_branches_from_messages_of_either_side(opened: Open) -> None:
    async with opened() as prosa:
        first = await prosa.process_user_chat_message("one", session_id="mine")
        question = first.message.parent_id or ""
        beside = await prosa.create_branch("mine", question.upper(), "other")
        assert (beside.message.content, beside.placed.siblings) == ("You said: other", [beside.message.id])
        below = await prosa.create_branch(first.message.conversation_id, first.message.id, "more")
        placed, _ = await prosa.messages(first.message.conversation_id)
        assert [each.message.content for each in placed] == ["one", "You said: one", "more", "You said: more"]
        assert placed[0].siblings == [question, beside.message.parent_id]
        assert placed[-1].message.id == below.message.id
        for session, message in (("nobody's", question), ("mine", "nothing"), ("mine", below.run.id)):
            with pytest.raises(NotFound):
                await prosa.create_branch(session, message, "x")


async def test_a_summary_that_is_asked_for(opened: Open) -> None:
    async with opened(FakeModel(["Noted."])) as prosa:
        for number in range(5):
            await prosa.process_user_chat_message(f"{number} " + "word " * 2_000, session_id="mine")
        made = await prosa.summarize("mine")
        assert made is not None
        assert (made.content, made.kind) == ("Noted.", MessageKind.SUMMARY)
        placed, _ = await prosa.messages(made.conversation_id)
        assert [each.message.id for each in placed].index(made.id) == 6
        assert await prosa.summarize("mine") is None  # the newest exchanges stay as they are
        await prosa.conversation("empty")
        assert await prosa.summarize("empty") is None


async def test_what_was_used_and_what_a_message_would_take(opened: Open) -> None:
    async with opened(max_tokens_per_day=20_000, timezone="America/Sao_Paulo") as prosa:
        expected = await prosa.estimate("um dois três", max_tokens=50)
        assert (expected.provider, expected.prompt_exact, expected.allowed) == ("fake", False, True)
        assert expected.total_tokens == expected.prompt_tokens + 50
        assert expected.remaining.tokens == 20_000
        answer = await prosa.process_user_chat_message("um dois três", session_id="s")
        used = await prosa.usage()
        assert (used.total_tokens, used.prompt_tokens, used.messages_count) == (3 + 5, 3, 2)
        assert used.cost == 0
        assert used.remaining.tokens == 20_000 - 8
        assert [each.total_tokens for each in used.days.values()] == [8]
        assert [each.requests for each in used.models.values()] == [1]
        (day,) = used.days
        assert (await prosa.usage(since=day)).total_tokens == 8
        assert (await prosa.usage(since=datetime(2020, 1, 1, tzinfo=UTC), until=day)).total_tokens == 0
        assert (await prosa.usage(user_id="bia")).total_tokens == 0
        longer = await prosa.estimate("mais", "s")
        assert longer.prompt_tokens > (await prosa.estimate("mais")).prompt_tokens
        said = [{"role": "system", "content": "Seja breve."}, {"role": "user", "content": "mais"}]
        assert (await prosa.estimate(said)).prompt_tokens > (await prosa.estimate("mais")).prompt_tokens
        refused = await prosa.estimate("x" * 22_000)
        assert (refused.allowed, refused.code) == (False, "token_limit_reached")
        assert answer.message.content == "You said: um dois três"
        for wrong in ([], [{"role": "assistant", "content": "x"}], [{"role": "user"}]):
            with pytest.raises(InvalidRequest):
                await prosa.estimate(wrong)
        with pytest.raises(InvalidRequest):
            await prosa.usage(since="ontem")
        with pytest.raises(NotFound):
            await prosa.estimate("x", "nobody's")

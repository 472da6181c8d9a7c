"""What OpenAI's door costs: held before, billed for each attempt, given back at every end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from tests.wire.house import LIMIT, House, furnished

from prosa.adapters.models.fake.client import FakeModel, Script, Step
from prosa.domain import errors as e
from prosa.domain.limits import Bound
from prosa.domain.models import (
    Asked,
    Finish,
    FinishReason,
    RefusalDelta,
    Reset,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.domain.money import Picodollars
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.services.context.window import TEMPLATE, estimate
from prosa.services.ledger import Hold
from prosa.services.models.catalogue import Offer

ASK = {"messages": [{"role": "user", "content": "Hello"}]}
INPUT = 5 + 8 + TEMPLATE
"""The upper bound of the tokens of `ASK`."""
REPORT = UsageReport(Usage(prompt_tokens=9, completion_tokens=4))
CHAT = "/v1/chat/completions"

Open = Callable[..., Any]


class Books:
    """A house, and what its file says of money."""

    def __init__(self, house: House, file: Path) -> None:
        self.house = house
        self._file = file

    def rows(self, sql: str) -> list[Any]:
        connection = sqlite3.connect(self._file)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    @property
    def held(self) -> list[Any]:
        return self.rows("SELECT tokens FROM reservations")

    @property
    def billed(self) -> list[Any]:
        """(provider, model, prompt, completion, estimated) of each attempt."""
        return self.rows(
            "SELECT provider, model, prompt_tokens, completion_tokens, estimated FROM ai_usage ORDER BY id"
        )

    async def until(self, sql: str, rows: list[Any]) -> None:
        async with asyncio.timeout(LIMIT):
            while self.rows(sql) != rows:  # noqa: ASYNC110 - a file tells nobody that it has changed
                await asyncio.sleep(0)


@pytest.fixture
async def opened(tmp_path: Path) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_one(script: Script | Iterable[Step] | None = None, **settings: Any) -> Books:
            house = await stack.enter_async_context(furnished(tmp_path, **settings))
            if script is not None:
                house.script = script
            return Books(house, tmp_path / "prosa.db")

        yield open_one


async def test_held_while_it_goes_on_and_billed_after(opened: Open) -> None:
    gate = asyncio.Event()
    books = await opened(["a", gate, REPORT], max_tokens_per_day=1_000)
    asking = asyncio.create_task(books.house.post(CHAT, ASK | {"max_tokens": 100}))
    await books.until("SELECT tokens FROM reservations", [(INPUT + 100,)])
    gate.set()
    assert (await asking).status_code == 200
    assert (books.held, books.billed) == ([], [("fake", "fake", 9, 4, 0)])
    assert books.rows("SELECT conversation_id FROM ai_usage") == [(None,)]
    assert books.rows("SELECT count(*) FROM conversations") == [(0,)]


ENDS: list[tuple[list[Step], list[Any]]] = [
    (["a"], [("fake", "fake", estimate("Hello"), estimate("a"), 1)]),
    (["a", e.BrokenStream("fake")], [("fake", "fake", estimate("Hello"), estimate("a"), 1)]),
    ([e.BrokenStream("fake")], [("fake", "fake", 0, 0, 0)]),
    ([Asked("p", "m"), e.RateLimited("p") ], [("p", "m", 0, 0, 1)]),
    (["a", ZeroDivisionError()], [("fake", "fake", estimate("Hello"), estimate("a"), 1)]),
    ([Asked("p", "m"), e.ProviderOverloaded("p")], [("p", "m", 0, 0, 1)]),
    ([Asked("p", "m"), Asked("q", "n"), "a", REPORT, Finish(FinishReason.STOP)], [("p", "m", 0, 0, 1), ("q", "n", 9, 4, 0)]),
    ([Asked("p", "m"), "ab", Reset("x"), Asked("q", "n"), "a", REPORT, Finish(FinishReason.STOP)],
     [("p", "m", estimate("Hello"), estimate("ab"), 1), ("q", "n", 9, 4, 0)]),
    ([ThinkingDelta("123"), RefusalDelta("no")], [("fake", "fake", estimate("Hello"), estimate("no") + 1, 1)]),
    ([ToolCallStart("c", "f"), ToolCallDelta("c", '{"a":1}')], [("fake", "fake", estimate("Hello"), 2, 1)]),
    ([UsageReport(Usage(-1, 5)), "a"], [("fake", "fake", estimate("Hello"), estimate("a"), 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("steps", "billed"), ENDS)
async def test_one_bill_for_each_attempt(opened: Open, steps: list[Step], billed: list[Any]) -> None:
    books = await opened(steps, max_tokens_per_day=100_000)
    answer = await books.house.post(CHAT, ASK)
    assert answer.status_code in (200, 429, 500, 502, 503)
    assert (books.held, books.billed) == ([], billed)


@pytest.mark.hostile(62)
@pytest.mark.parametrize("path", [CHAT, "/v1/embeddings"])
async def test_fifty_at_once_on_a_limit_for_one(opened: Open, path: str) -> None:
    """Only the first may be asked for; when it is over, there is nothing left for a second."""
    books = await opened(
        lambda request: [UsageReport(Usage(INPUT, request.max_tokens)), Finish(FinishReason.STOP)],
        max_tokens_per_day=INPUT + 100,
    )
    body = ASK | {"max_tokens": 100} if path == CHAT else {"input": "word " * 30}
    answers = await asyncio.gather(*(books.house.post(path, body) for _ in range(50)))
    spent = books.rows("SELECT coalesce(sum(total_tokens), 0) FROM ai_usage")[0][0]
    assert spent <= INPUT + 100
    assert books.held == []
    refused = [answer for answer in answers if answer.status_code == 429]
    if path == CHAT:
        assert len(refused) == 49
        assert spent == INPUT + 100
    for answer in refused:
        assert answer.json()["error"]["type"] == "insufficient_quota"
        assert answer.headers["x-should-retry"] == "false"
        assert 0 < int(answer.headers["retry-after"]) <= 86_400


async def test_several_choices_are_held_together(opened: Open) -> None:
    books = await opened([REPORT, Finish(FinishReason.STOP)], max_tokens_per_day=3 * (INPUT + 100))
    assert (await books.house.post(CHAT, ASK | {"max_tokens": 100, "n": 4})).status_code == 429
    assert books.house.calls == []
    assert (await books.house.post(CHAT, ASK | {"max_tokens": 100, "n": 3})).status_code == 200
    assert (books.held, books.billed) == ([], [("fake", "fake", 9, 4, 0)] * 3)


async def test_the_answer_shrinks_to_what_is_left(opened: Open) -> None:
    books = await opened([REPORT, Finish(FinishReason.STOP)], max_tokens_per_day=1_000)
    assert (await books.house.post(CHAT, ASK | {"n": 2})).status_code == 200
    assert [call.request.max_tokens for call in books.house.calls] == [500 - INPUT] * 2


async def test_a_dearer_target_must_be_within_the_limit(opened: Open) -> None:
    books = await opened([Asked("openai", "nobody-knows"), "a"], max_cost_per_month="1")
    answer = await books.house.post(CHAT, ASK)
    assert (answer.status_code, answer.json()["error"]["code"]) == (402, "price_unknown")
    assert (books.held, books.billed) == ([], [("openai", "nobody-knows", 0, 0, 0)])


@pytest.mark.parametrize("body", [ASK, ASK | {"stream": True}, ASK | {"stream": True, "n": 3}])
async def test_who_leaves_stops_it_and_pays(opened: Open, body: dict[str, Any]) -> None:
    gate = asyncio.Event()
    books = await opened(["abc", gate], max_tokens_per_day=100_000)
    house, number = books.house, body.get("n", 1)
    async with house.listening(), house.client() as client:
        if body.get("stream"):
            async with client.stream("POST", CHAT, json=body) as response:
                seen = ""
                async for line in response.aiter_lines():
                    seen += line
                    if seen.count('"abc"') == number:
                        break
        else:
            asking = asyncio.create_task(client.post(CHAT, json=body))
            async with asyncio.timeout(LIMIT):
                while not house.calls or not house.calls[0].told:  # noqa: ASYNC110
                    await asyncio.sleep(0)
            asking.cancel()
            with pytest.raises((asyncio.CancelledError, httpx2.HTTPError)):
                await asking
        async with asyncio.timeout(LIMIT):
            for call in house.calls:
                await call.closed.wait()
        await books.until("SELECT count(*) FROM reservations", [(0,)])
    assert len(house.calls) == number
    assert not any(call.finished for call in house.calls)
    assert books.billed == [("fake", "fake", estimate("Hello"), estimate("abc"), 1)] * number


async def test_a_long_answer_keeps_what_is_held(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    books = await opened(["a", gate, REPORT], max_tokens_per_day=1_000)
    chat = books.house.chat
    asking = asyncio.create_task(books.house.post(CHAT, ASK))
    async with asyncio.timeout(LIMIT):
        while not books.house.calls:  # noqa: ASYNC110 - by then the ledger knows what the store holds
            await asyncio.sleep(0)
    assert len(books.held) == 1
    monkeypatch.setattr("prosa.services.ledger.TOUCH", 0.0)
    for _ in range(3):
        connection = sqlite3.connect(books._file)
        with connection:
            connection.execute("UPDATE reservations SET created_at = created_at - ?", [50 * SECOND])
        connection.close()
        await chat.ledger.note()
        await chat.store.engine.claim(chat.engine.boot, now(), Instant(now() + SECOND))
        assert len(books.held) == 1
    gate.set()
    assert (await asking).status_code == 200
    assert books.held == []


async def test_what_is_held_for_somebody_who_has_left_meanwhile_is_given_back(opened: Open) -> None:
    """The store puts down what was begun, whoever still waits for it."""
    books = await opened([REPORT], max_tokens_per_day=1_000)
    ledger, bound = books.house.chat.ledger, Bound("fake", 100, Picodollars(0))
    left = asyncio.create_task(ledger.hold(Principal("ana"), lambda _: bound, number=2))
    await asyncio.sleep(0)
    left.cancel()
    _, holds = await ledger.hold(Principal("ana"), lambda _: bound)
    await books.until("SELECT run_id FROM reservations", [(holds[0].id,)])
    await holds[0].release()
    assert (left.cancelled(), books.held, books.billed) == (True, [], [])


def _told(hold: Hold) -> tuple[str, str, int, int] | None:
    entry = hold.news()
    if entry is None:
        return None
    return entry.provider, entry.model, entry.usage.prompt_tokens, entry.usage.completion_tokens


TAKEN: list[tuple[list[Step], list[Any]]] = [
    ([], []),
    ([Asked("p", "m")], [("p", "m", estimate("Hello"), 0, 1)]),
    (["abc"], [("fake", "fake", estimate("Hello"), estimate("abc"), 1)]),
    (["abc", ThinkingDelta("x" * 9)], [("fake", "fake", estimate("Hello"), estimate("abc") + 3, 1)]),
    ([UsageReport(Usage(30, 1)), "abc"], [("fake", "fake", 30, estimate("abc"), 1)]),
    (["x" * 1_500], [("fake", "fake", estimate("Hello"), 100, 1)]),
    ([Asked("p", "m"), "abc", Asked("q", "n")],
     [("p", "m", estimate("Hello"), estimate("abc"), 1), ("q", "n", estimate("Hello"), 0, 1)]),
]  # fmt: skip


@pytest.mark.hostile(53)
@pytest.mark.parametrize("limit", [None, 10_000])
@pytest.mark.parametrize(("steps", "billed"), TAKEN)
async def test_what_a_crash_leaves_is_billed_as_far_as_it_was_told(
    opened: Open, steps: list[Step], billed: list[Any], limit: int | None
) -> None:
    """The books as another process finds them while the answer goes on; and once, whoever enters it."""
    gate = asyncio.Event()
    books = await opened([*steps, gate], max_tokens_per_day=limit)
    asking = asyncio.create_task(books.house.post(CHAT, ASK | {"max_tokens": 100}))
    ledger = books.house.chat.ledger
    last = [each[:4] for each in billed[-1:]]
    async with asyncio.timeout(LIMIT):
        while not books.house.calls or [*map(_told, ledger._held.values())] != (last or [None]):  # noqa: ASYNC110
            await asyncio.sleep(0)
    await ledger.note()
    found = await books.house.chat.store.engine.claim("another boot", now(), Instant(now() + SECOND))
    assert (found, books.held) == ([], [])
    assert books.billed == billed
    gate.set()
    await asking
    assert len(books.billed) == max(1, len(billed))


async def test_a_ledger_that_fails_for_a_moment(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    books = await opened([REPORT, Finish(FinishReason.STOP)])
    from prosa.adapters.store.repositories.ledger import Ledger

    monkeypatch.setattr("prosa.services.ledger.AGAIN", 0.01)
    release, failures = Ledger.release, iter([e.StoreUnavailable(), e.StoreUnavailable()])

    async def failing(self: Ledger, *args: Any) -> None:
        for error in failures:
            raise error
        await release(self, *args)

    monkeypatch.setattr(Ledger, "release", failing)
    assert (await books.house.post(CHAT, ASK)).status_code == 200
    await books.until("SELECT count(*) FROM reservations", [(0,)])
    assert books.billed == [("fake", "fake", 9, 4, 0)]


async def test_one_fault_leaves_all_others_kept(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody has foreseen keeps neither the next note from being made, nor money from being free again."""
    monkeypatch.setattr("prosa.services.ledger.NOTE", 0)
    gate, failed = asyncio.Event(), asyncio.Event()
    books = await opened(["abc", gate, REPORT])
    ledger, engine = books.house.chat.ledger, books.house.chat.store.engine
    keep = engine.keep

    async def failing(*_: object) -> None:
        monkeypatch.setattr(engine, "keep", keep)
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(engine, "keep", failing)
    asking = asyncio.create_task(books.house.post(CHAT, ASK))
    async with asyncio.timeout(LIMIT):
        await failed.wait()
    await books.until("SELECT taken IS NULL FROM reservations", [(0,)])

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("prosa.adapters.store.repositories.ledger.Ledger.release", broken)
    gate.set()
    assert (await asking).status_code == 200
    assert ledger._held == {}


async def test_the_end_of_the_server(opened: Open) -> None:
    gate = asyncio.Event()
    books = await opened(["abc", gate])
    house = books.house
    async with house.listening(), house.streaming(ASK | {"stream": True}, CHAT) as stream:
        while "abc" not in str(await stream.next()):
            pass
        await house.chat.drain(0)
        assert (await stream.next())["error"]["code"] == "shutting_down"
        await house.chat.settle()
        refused = await house.post(CHAT, ASK)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert (await house.post("/v1/embeddings", {"input": "x"})).status_code == 503
    assert (books.held, books.billed) == ([], [("fake", "fake", estimate("Hello"), estimate("abc"), 1)])


async def test_vectors_are_billed(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    books = await opened(max_tokens_per_day=1_000)
    assert (await books.house.post("/v1/embeddings", {"input": ["um dois", "três"]})).status_code == 200
    assert (books.held, books.billed) == ([], [("fake", "fake", 3, 0, 0)])

    async def failing(_: object) -> None:
        raise e.ProviderOverloaded("fake")

    monkeypatch.setattr(books.house.model, "embed", failing)
    assert (await books.house.post("/v1/embeddings", {"input": "x"})).status_code == 503
    assert (books.held, len(books.billed)) == ([], 2)


VECTORS = {"model": "vectors", "input": "um dois 3"}
DEAREST = 17 * 5_000_000_000
"""Nine bytes and eight tokens more, in picodollars."""


@pytest.mark.hostile(62)
@pytest.mark.parametrize(
    ("second", "limit", "held"),
    [("v", "0.084", None), ("v", "0.085", DEAREST), ("w", "0.084", 0)],
    ids=["too dear", "dear", "not alike"],
)
async def test_vectors_are_held_for_the_dearest_who_may_make_them(
    opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, second: str, limit: str, held: int | None
) -> None:
    (tmp_path / "prosa.toml").write_text(
        f'[routes.vectors]\ntargets = ["fake/v", "openai/{second}"]\n'
        f'[models."openai/{second}"]\nprices = {{ input = 5000 }}'
    )
    monkeypatch.chdir(tmp_path)
    books = await opened(max_cost_per_month=limit)
    books.house.chat.catalogue._offers["openai"] = Offer("openai", FakeModel(provider="openai"), second)
    found: list[Any] = []

    async def failing(_: object) -> None:
        found.append(books.rows("SELECT cost FROM reservations"))
        raise e.ProviderOverloaded("fake")

    monkeypatch.setattr(books.house.model, "embed", failing)
    answer = await books.house.post("/v1/embeddings", VECTORS)
    assert found == ([] if held is None else [[(held,)]])
    assert answer.status_code == {None: 429, DEAREST: 200, 0: 503}[held]
    assert books.held == []

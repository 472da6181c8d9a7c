"""Stores and the records that tests put into them."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from tests.auditor import observer
from tests.sqlite import furnish

from prosa.adapters.store.sqlite.store import SqliteStore
from prosa.domain.content import TextPart, ToolCall
from prosa.domain.context import Shown
from prosa.domain.conversations import Conversation, Message, MessageStatus, blank
from prosa.domain.ending import Append, Boundary, Ending, Entry
from prosa.domain.files import File, FileKind
from prosa.domain.ids import new_id
from prosa.domain.limits import Limits, Remaining
from prosa.domain.models import ChatRequest, Role, Usage
from prosa.domain.money import Picodollars
from prosa.domain.opening import Begun, Opening, Prepare, Prepared
from prosa.domain.principal import Principal
from prosa.domain.runs import Run, RunStatus
from prosa.domain.steps import Step, StepStatus
from prosa.domain.time import SECOND, Instant
from prosa.ports.store import Store

ANA, BIA = Principal("ana"), Principal("bia")
NOON = Instant(1_790_000_000 * SECOND + 123_456)
"""Some moment, with microseconds."""

BOOT = "boot-1"
LEASE = 30 * SECOND
PAST = Instant(NOON - SECOND)
"""The end of a lease that is over as it is given."""


def sqlite_store(folder: Path) -> SqliteStore:
    """On a file of its own; each of its statements is audited."""
    furnish(folder / "prosa.db")
    return SqliteStore(folder / "prosa.db", observe=observer)


class Ears:
    """What a store told its process."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[str, ...]]] = []
        self._more = asyncio.Event()

    def __call__(self, kind: str, run_ids: Sequence[str]) -> None:
        self.heard.append((kind, tuple(run_ids)))
        self._more.set()

    async def until(self, kind: str, run_id: str | None = None) -> None:
        """Waits until `kind` was heard of this run; without one, until it was heard of any run."""
        async with asyncio.timeout(10):
            while not any(k == kind and (run_id in ids if run_id else not ids) for k, ids in self.heard):
                self._more.clear()
                await self._more.wait()


def conversation(owner: Principal = ANA, **fields: Any) -> Conversation:
    return replace(blank(owner, NOON), **fields)


def message(of: Conversation, content: str = "Hello", **fields: Any) -> Message:
    made = Message(
        id=new_id(),
        user_id=of.user_id,
        conversation_id=of.id,
        parent_id=None,
        role=Role.USER,
        content=content,
        status=MessageStatus.COMPLETED,
        run_id=None,
        provider=None,
        model=None,
        created_at=NOON,
    )
    return replace(made, **fields)


def opening(
    of: Conversation | str, content: str | None = "Hello", *, owner: Principal = ANA, **fields: Any
) -> Opening:
    made = Opening(
        user_id=owner.user_id,
        client_id=owner.client_id,
        conversation_id=of if isinstance(of, str) else of.id,
        run_id=new_id(),
        message_id=new_id(),
        user_message_id=new_id(),
        boot=BOOT,
        now=NOON,
        lease_until=Instant(NOON + LEASE),
        content=content,
    )
    return replace(made, **fields)


def bound(tokens: int = 100, cost: int | None = 0) -> Prepare:
    """A preparation that asks for this much at most."""

    def prepare(_of: Conversation, branch: Sequence[Shown], _left: Remaining) -> Prepared:
        request = ChatRequest("echo", tuple(turn for each in branch for turn in each.turns))
        return Prepared("fake", request, tokens, None if cost is None else Picodollars(cost), prompt=7)

    return prepare


async def begin(
    store: Store,
    of: Conversation,
    content: str | None = "Hello",
    *,
    tokens: int = 100,
    cost: int | None = 0,
    limits: Limits | None = None,
    parent_id: str | UnsetType | None = UNSET,
    **fields: Any,
) -> Begun:
    """A run in `of`, in the name of its owner."""
    owner = Principal(of.user_id, of.client_id)
    asked = opening(of, content, owner=owner, parent_id=parent_id, limits=limits or Limits(), **fields)
    return await store.of(owner).runs.begin(asked, bound(tokens, cost))


async def lapse(store: Store, *runs: Run) -> None:
    """Lets their leases end, by whatever clock the store has."""
    for run in runs:
        await store.engine.renew(run.owner, [run.id], NOON, PAST)


def entry(run: Run, **fields: Any) -> Entry:
    made = Entry(
        id=new_id(),
        run_id=run.id,
        user_id=run.user_id,
        client_id=run.client_id,
        conversation_id=run.conversation_id,
        attempt=1,
        provider=run.provider,
        model=run.model,
        usage=Usage(prompt_tokens=10, completion_tokens=5),
        cost=Picodollars(7),
        estimated=False,
        created_at=NOON,
    )
    return replace(made, **fields)


def ending(run: Run, content: str = "Hi.", **fields: Any) -> Ending:
    made = Ending(
        run_id=run.id,
        message_id=run.message_id,
        status=RunStatus.COMPLETED,
        reason="stop",
        message_status=MessageStatus.COMPLETED,
        content=content,
        usage=Usage(prompt_tokens=10, completion_tokens=5),
        cost=Picodollars(7),
        ended_at=Instant(NOON + SECOND),
        entries=(entry(run),),
        provider=run.provider,
        model=run.model,
    )
    return replace(made, **fields)


def step(run: Run, place: int = 0, **fields: Any) -> Step:
    made = Step(
        id=new_id(),
        user_id=run.user_id,
        run_id=run.id,
        place=place,
        call_id=f"call-{place}",
        name="weather",
        kind="client",
        needs="output",
        arguments='{"city": "Lisboa"}',
        status=StepStatus.WAITING,
        result=None,
        created_at=NOON,
    )
    return replace(made, **fields)


def boundary(run: Run, *steps: Step, **fields: Any) -> Boundary:
    made = Boundary(
        run_id=run.id,
        message_id=run.message_id,
        content="Let me see.",
        parts=(TextPart("Let me see."), ToolCall("call-0", "weather", '{"city": "Lisboa"}')),
        steps=steps,
        entries=(entry(run),),
        attempts=1,
        settled=1,
        provider=run.provider,
        model=run.model,
        prompt=20,
    )
    return replace(made, **fields)


def file(owner: Principal = ANA, **fields: Any) -> File:
    made = File(
        id=new_id(),
        user_id=owner.user_id,
        client_id=owner.client_id,
        conversation_id=None,
        name="a.png",
        media_type="image/png",
        kind=FileKind.IMAGE,
        size=10,
        width=2,
        height=3,
        created_at=NOON,
    )
    return replace(made, **fields)


async def added(store: Store, owner: Principal = ANA, **fields: Any) -> str:
    """The id of a new file."""
    made = file(owner, **fields)
    await store.of(owner).files.add(made, None)
    return made.id


def append(run: Run, first: int, *lines: bytes) -> Append:
    return Append(run.id, first, first + len(lines) - 1, b"\n".join(lines))


async def turn(store: Store, of: Conversation, content: str = "Hello", **fields: Any) -> Run:
    """A run from its begin to its end."""
    run = (await begin(store, of, content, **fields)).run
    await store.engine.commit(run.owner, [append(run, 1, b"{}")], [ending(run)])
    return await store.of(Principal(of.user_id, of.client_id)).runs.get(run.id)


async def insert(store: Store, summary: Message, child: str) -> bool:
    """Puts a summary into the tree, as who has claimed to write it."""
    records, until = store.of(Principal(summary.user_id)).summaries, Instant(NOON + SECOND)
    assert await records.claim(summary.conversation_id, NOON, until)
    inserted = await records.insert(summary, child, until)
    await records.let_go(summary.conversation_id, until)
    return inserted

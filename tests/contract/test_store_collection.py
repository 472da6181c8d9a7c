"""The 646 conversations of the collection: into a store, searched, out of it, and into Postgres the same."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.contract.conftest import postgres_place
from tests.contract.test_store_moves import exported, imported
from tests.postgres import Database
from tests.shared import RECORDINGS
from tests.stores import ANA, BIA, sqlite_store

from prosa.domain.search import Sought, phrases_of
from prosa.services.search import Search

COLLECTION = RECORDINGS.parent / "conversations" / "conversations.jsonl"

pytestmark = pytest.mark.skipif(
    not COLLECTION.is_file(),
    reason="The collection of conversations is not here: it lies beside the project.",
)


def collection() -> list[Any]:
    return [json.loads(line) for line in COLLECTION.read_text(encoding="utf-8").splitlines()]


def as_export(number: int, conversation: Any) -> dict[str, Any]:
    """As in an export of ours, but by its own ids; one conversation a minute."""
    moment = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    said = [
        {**each, "id": f"{conversation['id']}-{place}", "createdAt": (moment + timedelta(seconds=place)).isoformat(),
         "parentId": f"{conversation['id']}-{place - 1}" if place else None}
        for place, each in enumerate(conversation["messages"])
    ]  # fmt: skip
    return {"id": conversation["id"], "title": conversation["messages"][0]["content"][:60], "createdAt": moment.isoformat(),
            "metadata": {"category": conversation.get("category")}, "messages": said}  # fmt: skip


async def test_the_collection(tmp_path: Path, database: Database) -> None:
    found = collection()
    whole = [as_export(number, each) for number, each in enumerate(found)]
    file = json.dumps({"format": "prosa", "version": 1, "conversations": whole}).encode()
    said = sum(len(one["messages"]) for one in found)
    store = sqlite_store(tmp_path)
    await store.open(lambda _kind, _ids: None)
    try:
        done = await imported(store, file)
        assert (len(found), done.imported, done.skipped, list(done.failed)) == (646, 646, 0, [])
        assert done.messages == said
        again = await imported(store, file)
        assert (again.imported, again.skipped, again.messages, list(again.failed)) == (0, 646, 0, [])
        await store.index()
        hits, _ = await Search(store).page(ANA, Sought(phrases_of('"401k plan"')), 50, None)
        wanted = sum("401k plan" in each["content"].lower() for one in found for each in one["messages"])
        assert len(hits) == wanted > 0
        assert (await Search(store).page(BIA, Sought(phrases_of("plan")), 50, None))[0] == []
        before = await exported(store)
    finally:
        await store.close()
    document = json.loads(before)
    assert len(document["conversations"]) == 646
    texts = [each["content"] for one in found for each in one["messages"]]
    assert [each["content"] for one in document["conversations"] for each in one["messages"]] == texts
    other = postgres_place(database)()
    await other.open(lambda _kind, _ids: None)
    try:
        done = await imported(other, before)
        assert (done.imported, done.messages, list(done.failed)) == (646, said, [])
        assert await exported(other) == before
        again = await imported(other, before)
        assert (again.imported, again.skipped, again.messages) == (0, 646, 0)
        assert await exported(other) == before
        hits, _ = await Search(other).page(ANA, Sought(phrases_of('"401k plan"')), 50, None)
        assert len(hits) == wanted
    finally:
        await other.close()

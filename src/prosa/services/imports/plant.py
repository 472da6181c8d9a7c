"""A conversation of a file as one that can be stored: a tree without faults, with ids of its own."""

import hashlib
from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from prosa.domain.content import encode_parts
from prosa.domain.conversations import Conversation, Message, MessageKind
from prosa.domain.feedback import Feedback
from prosa.domain.ids import Prefix, from_foreign, id_at, moment_of, parse_id
from prosa.domain.imports import Planting, Seedling, Told, ToldFeedback, ToldMessage, TooMuch
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant
from prosa.domain.tree import Tree

DAY = 86_400 * SECOND
MOST_TITLE = 500
MOST_NAME = 200
MOST_EXTERNAL = 255
MOST_PROMPT = 100_000
MOST_CONTENT = 4_000_000
"""Characters of one message: ten times what a user may send at once."""
MOST_PARTS = 16_000_000
"""Characters of its parts: of pictures and what tools said, too."""

_COUNTED = 26
"""Bits of an id that count on within a millisecond."""


class Owner(Struct, frozen=True):
    """For whom and from where, at what time: what derived ids are made of beside the file's own."""

    principal: Principal
    source: str
    now: Instant


def plant(owner: Owner, told: Told) -> Planting:
    """Ids of ours are kept; of others, ids are derived that are the same each time, parents' before their
    children's. Raises TooMuch."""
    messages = _distinct(told.messages)
    ordered = _parents_first(messages)
    begun = _begun(owner, told, ordered)
    identity = _Identity(owner, told.id)
    conversation_id, other = identity.of("", told.id, _first(begun, Instant(0)), None, 0)
    seedlings = _seedlings(owner, identity, ordered, conversation_id, begun)
    ids = {told_message.id: seedling.message.id
           for told_message, seedling in zip(ordered, seedlings, strict=True)}  # fmt: skip
    summaries = (each.message.id for each in seedlings if each.message.kind is MessageKind.SUMMARY)
    tree = Tree(((each.message.id, each.message.parent_id) for each in seedlings), frozenset(summaries))
    conversation = _conversation(owner, told, conversation_id, begun)
    newest = max([conversation.created_at, *(each.message.created_at for each in seedlings)])
    updated = _first(bounded(owner, told.updated_at), newest)
    head = tree.leaf(ids.get(told.head or ""))
    return Planting(_with(conversation, head, updated), other, seedlings)


def bounded(owner: Owner, instant: Instant | None) -> Instant | None:
    """`instant`, unless it lies before 1970 or in the future."""
    return instant if instant is not None and 0 <= instant <= owner.now + DAY else None


def _first(*times: Instant | None) -> Instant:
    """The first that is known; the last one is."""
    return next(each for each in times if each is not None)


def _distinct(messages: Iterable[ToldMessage]) -> dict[str, ToldMessage]:
    """By id; of two with one id, the first."""
    found: dict[str, ToldMessage] = {}
    for each in messages:
        if len(each.content) > MOST_CONTENT or (each.parts and len(encode_parts(each.parts)) > MOST_PARTS):
            raise TooMuch(f"message {each.id[:100]}")
        found.setdefault(each.id, each)
    return found


def _parents_first(messages: dict[str, ToldMessage]) -> list[ToldMessage]:
    """The messages, each after its parent. One whose parent is not there is a first message; so is the first
    of those that are their own ancestors."""
    children: dict[str | None, list[ToldMessage]] = {}
    for each in messages.values():
        if each.parent not in messages:
            each.parent = None
        children.setdefault(each.parent, []).append(each)
    ordered: list[ToldMessage] = []
    seen: set[str] = set()
    for root in [*children.get(None, []), *messages.values()]:
        if root.id in seen:
            continue
        root.parent = None
        row = [root]
        seen.add(root.id)
        for each in row:
            below = [child for child in children.get(each.id, []) if child.id not in seen]
            seen.update(child.id for child in below)
            row += below
        ordered += row
    return ordered


def _begun(owner: Owner, told: Told, ordered: Sequence[ToldMessage]) -> Instant | None:
    """When the conversation began, by what the file says."""
    times = [bounded(owner, each) for each in (told.created_at, *(each.created_at for each in ordered))]
    known = [each for each in times if each is not None]
    return None if not known else known[0] if times[0] is not None else min(known)


def _of_a_door(told: str) -> str | None:
    """Ours behind a name that the Assistants door gave it."""
    prefix = Prefix.CONVERSATION if told.startswith(Prefix.CONVERSATION) else Prefix.MESSAGE
    return from_foreign(prefix, told)


def _nobodys(told: str) -> str | None:
    del told
    return None


_OWN = {"prosa": parse_id, "openai": _of_a_door}


class _Identity:
    """Makes the ids of one conversation's rows."""

    def __init__(self, owner: Owner, conversation: str) -> None:
        self._names = (owner.source, owner.principal.user_id, conversation)
        self._own = _OWN.get(owner.source, _nobodys)
        self._latest = (owner.now + DAY) // 1_000 << _COUNTED

    def of(self, kind: str, told: str, created: Instant, parent: str | None, place: int) -> tuple[str, str]:
        """The id to have, and the one to have where that is taken. `place` is that among its siblings."""
        tick = self._tick(created, parent, place)
        kept = self._kept(told)
        first = kept or id_at(tick, self._chance(kind, told, "first"))
        return first, id_at(tick, self._chance(kind, told, "second"))

    def _kept(self, told: str) -> str | None:
        identity = self._own(told)
        moment = None if identity is None else moment_of(identity)
        return identity if moment is not None and moment <= self._latest else None

    def _tick(self, created: Instant, parent: str | None, place: int) -> int:
        tick = created // 1_000 << _COUNTED
        above = moment_of(parent) if parent is not None else None
        if above is not None and tick >> _COUNTED <= above >> _COUNTED:
            tick = above + 1
        return tick + place

    def _chance(self, *names: str) -> int:
        whole = "\0".join((*self._names, *names)).encode(errors="surrogatepass")
        return int.from_bytes(hashlib.blake2b(whole, digest_size=6).digest())


def _seedlings(
    owner: Owner,
    identity: _Identity,
    ordered: Sequence[ToldMessage],
    conversation: str,
    begun: Instant | None,
) -> list[Seedling]:
    seedlings: list[Seedling] = []
    ids: dict[str | None, str | None] = {None: None}
    times: dict[str | None, Instant] = {None: _first(begun, owner.now)}
    places: dict[str | None, int] = {}
    named: set[str] = set()
    parents = {each.parent for each in ordered}  # a summary has a message below it
    for each in ordered:
        created = bounded(owner, each.created_at)
        place = places[each.parent] = places.get(each.parent, -1) + 1
        parent = ids[each.parent]
        first, other = identity.of("message", each.id, _first(created, begun, Instant(0)), parent, place)
        ids[each.id], times[each.id] = first, _first(created, times[each.parent])
        external = _external(each.external_id)
        message = Message(
            id=first,
            user_id=owner.principal.user_id,
            conversation_id=conversation,
            parent_id=parent,
            role=each.role,
            content=each.content,
            status=each.status,
            run_id=None,
            provider=_short(each.provider),
            model=_short(each.model),
            created_at=times[each.id],
            parts=each.parts,
            external_id=external if external not in named else None,
            metadata=each.metadata,
            kind=each.kind if each.id in parents else MessageKind.MESSAGE,
        )
        named.add(external or "")
        seedlings.append(Seedling(message, other, _feedback(owner, message, each.feedback)))
    return seedlings


def _feedback(owner: Owner, message: Message, said: ToldFeedback | None) -> Feedback | None:
    if said is None:
        return None
    created = _first(bounded(owner, said.created_at), message.created_at)
    return Feedback(
        message_id=message.id,
        user_id=message.user_id,
        conversation_id=message.conversation_id,
        **structs.asdict(said.opinion),
        created_at=created,
        updated_at=_first(bounded(owner, said.updated_at), created),
    )


def _conversation(owner: Owner, told: Told, identity: str, begun: Instant | None) -> Conversation:
    if len(told.system_prompt or "") > MOST_PROMPT:
        raise TooMuch("systemPrompt")
    created = _first(begun, owner.now)
    return Conversation(
        id=identity,
        user_id=owner.principal.user_id,
        client_id=owner.principal.client_id or told.client_id[:MOST_NAME],
        external_id=_external(told.external_id),
        title=None if told.title is None else told.title[:MOST_TITLE],
        system_prompt=told.system_prompt,
        provider=_short(told.provider),
        model=_short(told.model),
        status=told.status,
        head_id=None,
        metadata=told.metadata,
        created_at=created,
        updated_at=created,
        pinned=told.pinned,
        archived=told.archived,
        title_by=told.title_by if told.title is not None else None,
    )


def _with(conversation: Conversation, head: str | None, updated: Instant) -> Conversation:
    return structs.replace(conversation, head_id=head, updated_at=updated)


def _external(name: str | None) -> str | None:
    return name if name and len(name) <= MOST_EXTERNAL else None


def _short(name: str | None) -> str | None:
    return name[:MOST_NAME] if name else None

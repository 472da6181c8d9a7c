"""A ChatModel behind the operator's masking and moderation: nothing passes around them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from functools import reduce

import msgspec
from msgspec.structs import replace

from prosa.domain.errors import ProsaError
from prosa.domain.limits import Bound
from prosa.domain.models import (
    BLOCKED,
    ChatRequest,
    Embeddings,
    EmbedRequest,
    Flagged,
    ModelEvent,
    Origin,
    Role,
    Turn,
)
from prosa.domain.moderation import ContentBlocked
from prosa.ports.models import ChatModel
from prosa.services.guard.documents import filled
from prosa.services.guard.inspection import LEFT_OUT, newest, news, prepared, refuse
from prosa.services.guard.masking import masked, texts
from prosa.services.guard.placeholders import Masker, Restorer, Vault
from prosa.services.guard.plan import Plan
from prosa.services.guard.remote import pieces
from prosa.services.guard.rules import Note, Rule
from prosa.services.guard.screen import LONG, Kind, Screen, Stage, Stages
from prosa.services.guard.windows import OVERLAP, Windows, window_of
from prosa.services.models.attached import Read
from prosa.services.models.policy import Policy


class Guarded(Policy):
    """`read` gets the bytes of users' files: what is text in them is looked at like the rest."""

    def __init__(self, inner: ChatModel, plan: Plan, read: Read | None = None) -> None:
        super().__init__(inner)
        self._plan = plan
        self._read = read

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Raises ContentBlocked before anybody is asked, AnswerBlocked before anything of what is blocked is
        told, ModerationUnavailable; LimitReached and PriceUnknown where a judge can't be paid."""
        notes: list[ModelEvent] = []
        try:
            asked = await self._filled(request)
            vault, request = await self._prepared(asked, notes.append)
            own = request.system if asked.system == self._plan.own else None
            request = await self._judged(request, own, notes.append)
            for told in _taken(notes):
                yield told
            events = self._screened(self._inner.stream(request), request.origin, vault, notes.append)
            async with aclosing(events):
                async for event in events:
                    if notes:
                        for told in _taken(notes):
                            yield told
                    yield event
        except (ProsaError, asyncio.CancelledError):  # whoever stops it pays for what it took
            for told in _taken(notes):
                yield told
            raise

    @property
    def judging(self) -> Bound | None:
        """The most that judging one window of an answer may take; None where that costs nothing."""
        judges = self._plan.remotes_on("output")
        length = window_of(judges) + OVERLAP if judges else 0
        bounds = [bound for each in judges if (bound := each.moderation.bound(length)) is not None]
        return reduce(Bound.plus, bounds) if bounds else None

    async def count_tokens(self, request: ChatRequest) -> int | None:
        _, request = await self._prepared(await self._filled(request), _nothing)
        return await self._inner.count_tokens(request)

    async def embed(self, request: EmbedRequest) -> Embeddings:
        """Vectors of what is left of the texts. Raises ContentBlocked, ModerationUnavailable."""
        turns = tuple(Turn(Role.USER, text) for text in request.texts)
        _, asked = await self._prepared(ChatRequest(request.model, turns), _nothing, first=0)
        return await self._inner.embed(replace(request, texts=tuple(turn.content for turn in asked.turns)))

    async def _prepared(
        self, request: ChatRequest, note: Note, first: int | None = None
    ) -> tuple[Vault, ChatRequest]:
        """As the provider may see it; nobody has answered what comes from turn `first` on."""
        plan, rules = self._plan, self._plan.rules_on("input")
        said = list(texts(request))
        vault = Vault(said)
        start = newest(request) if first is None else first

        def work() -> ChatRequest:
            refuse(news(request, start, plan.own), rules, note)
            return prepared(request, start, rules, plan.masking_on("input"), vault)

        slow = any(rule.slow for rule in rules) or sum(map(len, said)) > LONG
        return vault, await asyncio.to_thread(work) if slow else work()

    async def _judged(
        self, request: ChatRequest, own: str | None, note: Callable[[ModelEvent], None]
    ) -> ChatRequest:
        """What others say of it, who see no more than the provider; `own` are the operator's instructions as
        they stand in it. What they had removed stays away when the conversation goes on."""
        checks, removed = self._plan.remotes_on("input"), set[str]()
        if not checks:
            return request
        new, all_ = news(request, newest(request), own), news(request, 0, own)
        asked = [
            (check, text) for check in checks for text in (all_ if check.table.action == "mask" else new)
        ]
        for check, text in asked:
            verdicts = [await check.ask(piece, request.origin, note) for piece in pieces(text)]
            found = [verdict for verdict in verdicts if verdict.flagged]
            match check.table.action if found else None:
                case "block":
                    note(Flagged(check.name, "input", (*found[0].categories, BLOCKED)))
                    raise ContentBlocked
                case "mask":
                    removed.add(text)
                case "flag":
                    note(Flagged(check.name, "input", found[0].categories))
        if not removed:
            return request
        return masked(request, lambda text: LEFT_OUT if text in removed else text)

    def _screened(
        self,
        events: AsyncGenerator[ModelEvent, None],
        origin: Origin | None,
        vault: Vault,
        note: Callable[[ModelEvent], None],
    ) -> AsyncGenerator[ModelEvent, None]:
        """The answer as its reader may have it. Others judge it before values are put back."""
        plan = self._plan
        masking, judges = plan.masking_on("output"), plan.remotes_on("output")
        makers: list[Stages] = [] if masking is None else [lambda _: [Masker(vault, masking.kinds)]]
        if judges:
            if makers:
                events = Screen(_all(makers)).pass_on(events)
            events, makers = Windows(judges, origin, note).pass_on(events), []
        if plan.masking is not None and plan.masking.restore and vault.values:
            makers.append(_restorers(vault))
        makers += [_stages(rule, vault, note) for rule in plan.rules_on("output")]
        return Screen(_all(makers)).pass_on(events) if makers else events

    async def _filled(self, request: ChatRequest) -> ChatRequest:
        return request if self._read is None else await filled(request, self._read)


def judging(model: ChatModel) -> Bound | None:
    """`Guarded.judging` of any model: an answer that nobody guards is not judged."""
    return model.judging if isinstance(model, Guarded) else None


def _all(makers: Sequence[Stages]) -> Stages:
    return lambda kind: [stage for make in makers for stage in make(kind)]


def _stages(rule: Rule, vault: Vault, note: Note) -> Stages:
    return lambda _: rule.stages(vault, note)


def _restorers(vault: Vault) -> Stages:
    """Values that the model finds by itself are not put back; thoughts go back to it as they are."""
    values = dict(vault.values)
    written = _in_json(values)

    def stages(kind: Kind) -> list[Stage]:
        return [] if kind == "thinking" else [Restorer(written if kind == "arguments" else values)]

    return stages


def _in_json(values: Mapping[str, str]) -> dict[str, str]:
    """As they are written within a string of JSON."""
    return {name: msgspec.json.encode(value)[1:-1].decode() for name, value in values.items()}


def _taken(notes: list[ModelEvent]) -> list[ModelEvent]:
    taken = notes[:]
    notes.clear()
    return taken


def _nothing(_: Flagged) -> None:
    """It is noted when the model is asked."""

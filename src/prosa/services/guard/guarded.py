"""A ChatModel behind the operator's masking and moderation: nothing passes around them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.errors import ProsaError
from prosa.domain.models import ChatRequest, Embeddings, EmbedRequest, Flagged, ModelEvent, Role, Turn
from prosa.ports.models import ChatModel
from prosa.services.guard.documents import filled
from prosa.services.guard.inspection import newest, news, prepared, refuse
from prosa.services.guard.masking import texts
from prosa.services.guard.placeholders import Masker, Restorer, Vault
from prosa.services.guard.rules import Note, Rule
from prosa.services.guard.screen import LONG, Kind, Screen, Stage
from prosa.services.guard.tables import MaskingTable, Side
from prosa.services.models.attached import Read
from prosa.services.models.policy import Policy


class Plan(Struct, frozen=True):
    """What stands around the models of a route. `own` are the operator's instructions, which pass."""

    masking: MaskingTable | None = None
    rules: tuple[Rule, ...] = ()
    own: str | None = None

    def __bool__(self) -> bool:
        return self.masking is not None or bool(self.rules)

    def rules_on(self, side: Side) -> list[Rule]:
        return [rule for rule in self.rules if side in rule.table.on]

    def masking_on(self, side: Side) -> MaskingTable | None:
        return self.masking if self.masking is not None and side in self.masking.on else None


class Guarded(Policy):
    """`read` gets the bytes of users' files: what is text in them is looked at like the rest."""

    def __init__(self, inner: ChatModel, plan: Plan, read: Read | None = None) -> None:
        super().__init__(inner)
        self._plan = plan
        self._read = read

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """Raises ContentBlocked before anybody is asked, AnswerBlocked before anything of what is blocked is
        told, ModerationUnavailable."""
        notes: list[ModelEvent] = []
        try:
            vault, request = await self._prepared(await self._filled(request), notes.append)
            for told in _taken(notes):
                yield told
            events = self._inner.stream(request)
            if self._screened(vault):
                events = Screen(self._stages(vault, notes.append)).pass_on(events)
            async with aclosing(events):
                async for event in events:
                    if notes:
                        for told in _taken(notes):
                            yield told
                    yield event
        except ProsaError:
            for told in _taken(notes):
                yield told
            raise

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

    def _screened(self, vault: Vault) -> bool:
        """Whether an answer has to be looked at."""
        plan = self._plan
        if plan.rules_on("output") or plan.masking_on("output"):
            return True
        return plan.masking is not None and plan.masking.restore and bool(vault.values)

    def _stages(self, vault: Vault, note: Note) -> Callable[[Kind], Sequence[Stage]]:
        """Values that the model finds by itself are not put back."""
        plan, values = self._plan, dict(vault.values)
        masking, rules = plan.masking_on("output"), plan.rules_on("output")
        restores = plan.masking is not None and plan.masking.restore and bool(values)
        written = _in_json(values) if restores else {}

        def stages(kind: Kind) -> list[Stage]:
            made: list[Stage] = [] if masking is None else [Masker(vault, masking.kinds)]
            if restores and kind != "thinking":
                made.append(Restorer(written if kind == "arguments" else values))
            for rule in rules:
                made += rule.stages(vault, note)
            return made

        return stages

    async def _filled(self, request: ChatRequest) -> ChatRequest:
        return request if self._read is None else await filled(request, self._read)


def _in_json(values: Mapping[str, str]) -> dict[str, str]:
    """As they are written within a string of JSON."""
    return {name: msgspec.json.encode(value)[1:-1].decode() for name, value in values.items()}


def _taken(notes: list[ModelEvent]) -> list[ModelEvent]:
    taken = notes[:]
    notes.clear()
    return taken


def _nothing(_: Flagged) -> None:
    """It is noted when the model is asked."""

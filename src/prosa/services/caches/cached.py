"""A route that keeps its answers: whoever may share one and asks the same gets it again."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from prosa.domain.answers import Caching, KeptAnswer, owner_of
from prosa.domain.errors import ProsaError, StoreUnavailable
from prosa.domain.ids import new_id
from prosa.domain.models import (
    Asked,
    ChatRequest,
    Finish,
    FinishReason,
    ModelEvent,
    Origin,
    Queued,
    Recalled,
    Reset,
    TextDelta,
    ThinkingDelta,
    UsageReport,
)
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.kit.log import log
from prosa.ports.answers import Answers
from prosa.ports.models import ChatModel
from prosa.services import meters
from prosa.services.caches.likeness import nearest, packed
from prosa.services.caches.sameness import Sameness, question_of, sameness
from prosa.services.context import window
from prosa.services.models.policy import Policy

COMPARED = 200
"""The newest questions that a new one is compared with."""

Embed = Callable[[Principal, str, str], Awaitable[tuple[float, ...]]]
"""The vector of a text by the model of this name, for this principal, who pays for it. Raises ProsaError."""


class Memory:
    """Where answers are kept, and what tells how alike two questions are."""

    def __init__(self, answers: Callable[[Principal], Answers], embed: Embed) -> None:
        self._answers = answers
        self._embed = embed

    def around(self, inner: ChatModel, route: str, caching: Caching) -> ChatModel:
        return Cached(inner, route, caching, self)

    def of(self, origin: Origin, caching: Caching) -> Answers:
        return self._answers(owner_of(origin.principal, caching.scope))

    async def vector(self, origin: Origin, caching: Caching, request: ChatRequest) -> bytes | None:
        """Of the question, where the route compares questions and this is nothing but one."""
        question = question_of(request)
        if caching.semantic is None or question is None:
            return None
        try:
            return packed(await self._embed(origin.principal, caching.semantic, question))
        except ProsaError as error:  # then only the very same question counts
            log.warning("cache_without_vector", code=error.code, model=caching.semantic)
            return None


class Cached(Policy):
    def __init__(self, inner: ChatModel, route: str, caching: Caching, memory: Memory) -> None:
        super().__init__(inner)
        self._route = route
        self._caching = caching
        self._memory = memory

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelEvent, None]:
        """What is kept, as `Recalled`, one text and `Finish`; else the model's answer, which is then kept if
        it is whole and only text. Who asks for a fresh one gets it, and it takes the kept one's place."""
        origin, caching = request.origin, self._caching
        if origin is None or not _keepable(origin, caching):
            async with aclosing(self._inner.stream(request)) as events:
                async for event in events:
                    yield event
            return
        same = sameness(self._route, request, caching.semantic)
        found = None if origin.fresh else await self._found(origin, same, None, request)
        vector = None if found else await self._memory.vector(origin, caching, request)
        if vector is not None and not origin.fresh:
            found = await self._found(origin, same, vector, request)
        meters.cached("answers", "miss" if found is None else "hit").inc()
        if found is not None:
            yield Recalled(found.provider, found.model, found.created_at)
            yield TextDelta(found.content)
            yield Finish(FinishReason.STOP)
            return
        heard = _Heard(self._inner.provider, request.model)
        async with aclosing(self._inner.stream(request)) as events:
            async for event in events:
                yield event
                heard.hear(event)
        if heard.whole:  # and whoever guards it let it pass: he would have gone by now
            await self._keep(origin, same, vector, heard)

    async def _found(
        self, origin: Origin, same: Sameness, vector: bytes | None, request: ChatRequest
    ) -> KeptAnswer | None:
        """The answer to the very same question; with a `vector`, to one that is like it."""
        answers, moment = self._memory.of(origin, self._caching), now()
        try:
            if vector is None:
                found = await answers.find(same.key, moment)
            else:
                likest = nearest(vector, await answers.family(same.family, moment, COMPARED))
                found = None
                if likest is not None and likest.likeness >= self._caching.likeness:
                    found = await answers.get(likest.id, moment)
        except StoreUnavailable:  # the model still answers
            return None
        if found is None or window.estimate(found.content) > request.max_tokens:
            return None
        return found

    async def _keep(self, origin: Origin, same: Sameness, vector: bytes | None, heard: "_Heard") -> None:
        content = "".join(heard.said)
        owner, moment = owner_of(origin.principal, self._caching.scope), now()
        answer = KeptAnswer(
            id=new_id(),
            user_id=owner.user_id,
            client_id=owner.client_id,
            key=same.key,
            family=same.family,
            provider=heard.provider,
            model=heard.model,
            content=content,
            vector=vector,
            conversation_id=origin.conversation_id,
            message_id=origin.message_id,
            created_at=moment,
            expires_at=Instant(moment + self._caching.seconds * SECOND),
        )
        try:
            await self._memory.of(origin, self._caching).keep(answer)
        except StoreUnavailable:  # the conversation may be gone by now; and the answer is there anyway
            log.warning("answer_not_kept", conversation_id=origin.conversation_id)


def _keepable(origin: Origin, caching: Caching) -> bool:
    return origin.shared and (origin.conversation_id is not None or caching.scope == "user")


class _Heard:
    """An answer as it goes by; `other` says that there was more to it than text."""

    def __init__(self, provider: str, model: str) -> None:
        self.provider = provider
        self.model = model
        self.said: list[str] = []
        self.other = False
        self.ended = False

    @property
    def whole(self) -> bool:
        """Whether it is all there, and worth keeping."""
        return self.ended and not self.other and any(map(str.strip, self.said))

    def hear(self, event: ModelEvent) -> None:
        match event:
            case TextDelta(text):
                self.said.append(text)
            case Reset():
                self.said, self.other = [], False
            case ThinkingDelta() | UsageReport():
                pass
            case Asked(provider, model):
                self.provider, self.model = provider, model
            case Queued():
                pass
            case Finish(FinishReason.STOP):
                self.ended = True
            case _:
                self.other = True

"""What a message would take, before it is sent: the same window, the same bounds, and nothing is held."""

import asyncio
from functools import partial

from msgspec import Struct

from prosa.domain.context import Shown
from prosa.domain.conversations import Conversation, blank
from prosa.domain.errors import LimitReached, PriceUnknown
from prosa.domain.limits import Remaining
from prosa.domain.models import ChatRequest, Role, ToolSpec, Turn
from prosa.domain.money import Picodollars
from prosa.domain.opening import Prepared
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.ports.store import Store
from prosa.services.context import encodings
from prosa.services.context.counter import Counter
from prosa.services.context.counts import ANSWER, MESSAGE, count_parts, exact
from prosa.services.context.encodings import encoding_of
from prosa.services.context.fitting import Uncounted
from prosa.services.limits import Allowances
from prosa.services.models import prices
from prosa.services.models.catalogue import Catalogue
from prosa.services.runs.engine import COUNTS
from prosa.services.runs.start import Defaults, Send, preparation, tools_of
from prosa.services.tools.registry import Toolbox


class Estimate(Struct, frozen=True):
    """Who would be asked; about how many tokens the input is (`exact` where the model's own way of counting
    is known); the bound of the answer; and the most that both can cost (None without a known price).
    `refused` is the code of the limit that does not allow it, if any, `remaining` what the limits leave."""

    provider: str
    model: str
    prompt_tokens: int
    exact: bool
    max_completion_tokens: int
    cost: Picodollars | None
    refused: str | None
    remaining: Remaining


class Estimates:
    def __init__(
        self, store: Store, catalogue: Catalogue, defaults: Defaults, toolbox: Toolbox, limits: Allowances
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._defaults = defaults
        self._toolbox = toolbox
        self._counter = Counter(store)
        self._limits = limits

    async def of(self, principal: Principal, send: Send) -> Estimate:
        """What `send` (whose `conversation_id` may be "": a new one) would take now. Raises what its sending
        would, but for the limits: ConversationNotFound, NoSuchProvider, ProviderNotConfigured, QueueFull,
        ContextTooLong, StoreUnavailable."""
        records = self._store.of(principal)
        conversation, branch = blank(principal, now()), list[Shown]()
        if send.conversation_id:
            conversation = await records.conversations.get(send.conversation_id)
            if conversation.head_id is not None and send.history is None:
                branch = await records.summaries.branch(conversation.id, conversation.head_id)
        branch.append(Shown("", (Turn(Role.USER, send.content or ""),)))
        remaining = await self._limits.remaining(principal)
        tools = tools_of(send, self._toolbox)
        prepared = await self._prepared(principal, send, tools, (conversation, branch, remaining))
        tokens, known = await asyncio.to_thread(_count, prepared)
        provider, request = prepared.provider, prepared.request
        return Estimate(
            provider=provider,
            model=request.model,
            prompt_tokens=tokens,
            exact=known,
            max_completion_tokens=request.max_tokens,
            cost=prices.most(provider, request.model, tokens, request.max_tokens),
            refused=_refused(remaining, prepared),
            remaining=remaining,
        )

    async def _prepared(
        self,
        principal: Principal,
        send: Send,
        tools: tuple[ToolSpec, ...],
        found: tuple[Conversation, list[Shown], Remaining],
    ) -> Prepared:
        """As a run is prepared: tokens are counted where it depends on them what fits."""
        prepare = partial(preparation, send, self._catalogue, self._defaults, tools, principal.user_id)
        counted: dict[str, int] = {}
        for _ in range(COUNTS):
            try:
                return prepare(counted)(*found)
            except Uncounted as wanted:
                counted |= await self._counter.count(principal, found[0].id, wanted)
        return prepare(None)(*found)


def _count(prepared: Prepared) -> tuple[int, bool]:
    """The tokens of the input, and whether that is how its model counts."""
    request: ChatRequest = prepared.request
    encoding = encoding_of(request.model)
    if encoding is None:
        return prepared.prompt, False
    if request.tools or not exact(request.turns):
        return prepared.prompt, False
    system = encodings.count(request.system, encoding) + MESSAGE if request.system else 0
    said = count_parts(request.turns, encoding) + MESSAGE * len(request.turns)
    return system + said + ANSWER, True


def _refused(remaining: Remaining, prepared: Prepared) -> str | None:
    try:
        remaining.hold(prepared.needed)
    except (LimitReached, PriceUnknown) as error:
        return error.code
    return None

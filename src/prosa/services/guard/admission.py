"""Whether a message may be taken at all: asked before anything of it is stored or a provider hears of it."""

import asyncio
from collections.abc import Container, Sequence
from functools import partial

from msgspec.structs import replace

from prosa.domain.context import Shown
from prosa.domain.conversations import Conversation
from prosa.domain.limits import Remaining
from prosa.domain.models import BLOCKED, ChatRequest, Flagged, Origin, Role, Turn
from prosa.domain.moderation import ContentBlocked
from prosa.domain.opening import Prepare, Prepared
from prosa.domain.principal import Principal
from prosa.kit.log import log
from prosa.services.guard.guard import Guard
from prosa.services.guard.inspection import newest, news, prepared, refuse
from prosa.services.guard.placeholders import Vault
from prosa.services.guard.plan import Plan
from prosa.services.guard.remote import pieces
from prosa.services.guard.screen import LONG
from prosa.services.tracing import tracing


class Unadmitted(Exception):
    """Nobody has looked at the message yet, by the rules of this route."""

    def __init__(self, route: str | None) -> None:
        super().__init__()
        self.route = route


class Admission:
    """What it takes to judge a message is the sender's to pay, also where the message is refused."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @property
    def on(self) -> bool:
        """Whether any route has such rules."""
        return self._guard.admits

    def before(self, prepare: Prepare, admitted: Container[str | None]) -> Prepare:
        """`prepare`, which raises Unadmitted where a route is chosen by whose rules the message was not
        `admitted`."""

        def checked(conversation: Conversation, branch: Sequence[Shown], remaining: Remaining) -> Prepared:
            made = prepare(conversation, branch, remaining)
            if self._guard.plan(made.route).admits and made.route not in admitted:
                raise Unadmitted(made.route)
            return made

        return checked

    async def of(self, principal: Principal, route: str | None, asked: ChatRequest) -> None:
        """As `admit`, what is new in a request, and what its caller says was said before."""
        plan = self._guard.plan(route)
        if plan.admits:
            place = newest(asked)
            earlier = news(replace(asked, system=None, turns=asked.turns[:place]), 0, plan.own)
            await self.admit(principal, route, news(asked, place, plan.own), earlier=earlier)

    async def admit(
        self,
        principal: Principal,
        route: str | None,
        texts: Sequence[str],
        conversation_id: str | None = None,
        *,
        earlier: Sequence[str] = (),
    ) -> None:
        """Others judge what was said `earlier`, too, as far as no list has it left out.

        Raises ContentBlocked, ModerationUnavailable; where a judge is to be paid also LimitReached,
        PriceUnknown, StoreUnavailable."""
        plan = self._guard.plan(route)
        texts = [text for text in texts if text != plan.own]
        rules = plan.rules_on("input")
        slow = any(rule.slow for rule in rules) or sum(map(len, (*earlier, *texts))) > LONG
        looked = partial(_looked_at, plan, texts, earlier)
        masked = await asyncio.to_thread(looked) if slow else looked()
        origin = Origin(principal, conversation_id)
        for check in plan.remotes_on("input"):
            if check.table.action != "block":
                continue
            for piece in (piece for text in masked for piece in pieces(text)):
                verdict = await check.ask(piece, origin, tracing.beside)
                if verdict.flagged:
                    _refused(Flagged(check.name, "input", (*verdict.categories, BLOCKED)))
                    raise ContentBlocked


def _looked_at(plan: Plan, texts: Sequence[str], earlier: Sequence[str]) -> list[str]:
    """The texts as others may see them. Raises ContentBlocked, ModerationUnavailable."""
    rules = plan.rules_on("input")
    refuse(texts, rules, _refused)
    turns = tuple(Turn(Role.USER, text) for text in (*earlier, *texts))
    vault = Vault((*earlier, *texts))
    asked = prepared(ChatRequest("", turns), len(earlier), rules, plan.masking_on("input"), vault)
    return [turn.content for turn in asked.turns]


def _refused(flag: Flagged) -> None:
    """A message that is not taken leaves no other trace. What is only worth a look is noted later, when the
    model is asked."""
    if BLOCKED in flag.categories:
        log.warning("refused", check=flag.check, categories=flag.categories)

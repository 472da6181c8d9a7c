"""Which limits hold for whom: of settings, the operator's table and the token the strictest of each kind."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence

from prosa.domain.errors import StoreUnavailable
from prosa.domain.limits import FREE, Bound, Cap, Limits, Remaining, Rule, Scope, Standing, limits_of
from prosa.domain.opening import Begun
from prosa.domain.principal import Principal
from prosa.domain.time import now
from prosa.kit.log import log
from prosa.ports.rates import Rates
from prosa.ports.store import Store
from prosa.services.places import Places
from prosa.services.requests import MOST_KNOWN, Requests

AGAIN = 1.0
"""Seconds until the table is read again where it could not be."""

Named = Mapping[tuple[Scope, str], Cap]


class Allowances:
    """`usual` are the settings' for everybody, `named` those for one user or client: they stand in place of
    the usual ones, as a rule of the table for one stands in place of the table's for all. The table is
    remembered here, and read again when a node says that it has changed: to begin a run asks nobody."""

    def __init__(
        self, store: Store, usual: Limits, named: Named | None = None, rates: Rates | None = None
    ) -> None:
        self._store = store
        self._usual = usual
        self._named: Named = named or {}
        self._rules: dict[tuple[Scope, str], Cap] = {}
        self._known: dict[tuple[str, str, Cap | None], Limits] = {}
        self.requests = Requests(self.of, rates or store.rates)
        self.places = Places(rates or store.rates)
        self._left: dict[str, Remaining] = {}
        self._reading: asyncio.Task[None] | None = None
        self._stale = False
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Raises StoreUnavailable."""
        await self._read()

    async def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        await self.places.close()
        await self.requests.close()

    def heard(self) -> None:
        """The table has changed, or may have."""
        self._stale = True
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._again(), name="prosa-limits")

    def settle(self, usual: Limits, named: Named) -> None:
        """From now on the settings say this."""
        self._usual, self._named = usual, named
        self._known = {}

    def of(self, principal: Principal) -> Limits:
        """What holds for this caller now."""
        key = (principal.user_id, principal.client_id, principal.limits)
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOST_KNOWN:
                self._known = {}
            known = self._known[key] = self._made(*key)
        return known

    async def remaining(self, principal: Principal) -> Remaining:
        """What the caller has left; nothing is held. Raises StoreUnavailable."""
        return await self._store.of(principal).usage.remaining(self.of(principal), now())

    async def allows(self, principal: Principal) -> bool:
        """Whether the caller has tokens and money left. Raises StoreUnavailable."""
        left = await self.remaining(principal)
        return (left.tokens is None or left.tokens > 0) and (left.cost is None or left.cost > 0)

    def seen(self, principal: Principal, begun: Begun) -> None:
        """What was left as a run of the caller's began."""
        if begun.prepared is not None:
            self.note(principal, begun.remaining, begun.prepared.bound)

    def last(self, principal: Principal) -> Remaining | None:
        """What the caller was found to have left last, on this node."""
        return self._left.get(principal.user_id)

    def note(self, principal: Principal, left: Remaining, bound: Bound) -> None:
        """So much was left for the caller before `bound` was held."""
        if not left.limited:
            return
        if len(self._left) >= MOST_KNOWN:
            self._left.clear()
        self._left[principal.user_id] = left.less(bound)

    # The operator's

    def settings(self) -> list[tuple[Scope, str, Cap]]:
        """What the settings say, by scope and subject ("": for each of the scope that is not named)."""
        usual = (
            (Scope.EVERYONE, self._usual.everyone),
            (Scope.CLIENT, self._usual.client),
            (Scope.USER, _own(self._usual)),
        )
        named = sorted(self._named.items())
        return [
            *((scope, "", cap) for scope, cap in usual if cap != FREE),
            *((scope, subject, cap) for (scope, subject), cap in named if cap != FREE),
        ]

    async def rules(self, by: Principal) -> Sequence[Rule]:
        """What the table says."""
        return await self._store.operator(by).limits.all()

    async def put(self, by: Principal, scope: Scope, subject: str, cap: Cap) -> Rule:
        """In place of the rule that there is. It holds here at once, elsewhere a moment later."""
        rule = Rule(scope, subject, cap, now(), by.actor)
        await self._store.operator(by).limits.put(rule)
        await self._read()
        return rule

    async def delete(self, by: Principal, scope: Scope, subject: str) -> None:
        """Raises LimitNotFound."""
        await self._store.operator(by).limits.delete(scope, subject)
        await self._read()

    async def standing(self, by: Principal, user: Principal) -> tuple[Limits, Sequence[Standing]]:
        """What holds for a user, and how much of it is taken."""
        limits = self.of(user)
        return limits, await self._store.operator(by).limits.standing(user.user_id, limits, now())

    def _made(self, user_id: str, client_id: str, claimed: Cap | None) -> Limits:
        usual = self._usual
        user = self._strictest(Scope.USER, user_id, _own(usual))
        if claimed is not None:
            user = user.tightened(claimed)
        client = self._strictest(Scope.CLIENT, client_id, usual.client) if client_id else FREE
        everyone = self._strictest(Scope.EVERYONE, "", usual.everyone)
        return limits_of(user, client, everyone, usual.calendar, client_id)

    def _strictest(self, scope: Scope, subject: str, usual: Cap) -> Cap:
        settings = self._named.get((scope, subject), FREE).over(usual)
        table = self._rules.get((scope, ""), FREE)
        if subject:
            table = self._rules.get((scope, subject), FREE).over(table)
        return settings.tightened(table)

    async def _read(self) -> None:
        async with self._turn:  # what was read first must not come last
            self._stale = False
            rules = await self._store.limits.all()
            self._rules = {(rule.scope, rule.subject): rule.cap for rule in rules}
            self._known = {}

    async def _again(self) -> None:
        while self._stale:
            try:
                await self._read()
            except StoreUnavailable:
                self._stale = True
                log.warning("limits_failing")
                await asyncio.sleep(AGAIN)


def _own(limits: Limits) -> Cap:
    return Cap(*(getattr(limits, name) for name in Cap.__struct_fields__))

"""Each user's share of the store: a few plans at a time, so that nobody waits behind all of another's."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Plan

P = ParamSpec("P")
T = TypeVar("T")


class Shared:
    """A session of a user's whose plans wait for one another, in their order."""

    __slots__ = ("_session", "_share")

    def __init__(self, session: Session, share: asyncio.Semaphore) -> None:
        self._session = session
        self._share = share

    async def read(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._share:
            return await self._session.read(plan, *args, **kwargs)

    async def write(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._share:
            return await self._session.write(plan, *args, **kwargs)

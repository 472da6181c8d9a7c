"""A session that an operator's repositories get: nothing is read or changed over it without its row."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from prosa.adapters.store.repositories.audit import note
from prosa.adapters.store.session import Session
from prosa.adapters.store.statement import Plan
from prosa.domain.audit import Deed, Detail, deed
from prosa.domain.principal import Principal
from prosa.domain.time import Instant, now

P = ParamSpec("P")
T = TypeVar("T")


class Watched:
    """All that an operator's repositories get of a session: reads and changes that leave a row."""

    __slots__ = ("_by", "_session")

    def __init__(self, session: Session, by: Principal) -> None:
        self._session = session
        self._by = by

    def deed(self, action: str, target: str = "", /, **details: Detail) -> Deed:
        """What this operator is about to do, for `look` and `change`."""
        return deed(self._by, action, target, details)

    async def look(self, done: Deed, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a plan that writes nothing, once the row of it is committed: a long read neither holds up
        whoever writes, nor can it be had without its row."""
        await self._session.write(note, done, now())
        return await self._session.read(plan, *args, **kwargs)

    async def more(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """The next piece of what was begun with a `look`."""
        return await self._session.read(plan, *args, **kwargs)

    async def change(self, done: Deed, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a plan and adds its row, both in one transaction."""
        return await self._session.write(lambda: _noted(done, now(), plan(*args, **kwargs)))


def _noted(done: Deed, at: Instant, plan: Plan[T]) -> Plan[T]:
    result = yield from plan
    yield from note(done, at)
    return result

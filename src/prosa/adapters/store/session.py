"""A connection for one principal or for the engine: it runs plans, each in one transaction."""

from collections.abc import Callable
from typing import ParamSpec, Protocol, TypeVar

from prosa.adapters.store.statement import Plan

P = ParamSpec("P")
T = TypeVar("T")


class Session(Protocol):
    """Takes what makes a plan, not the plan itself: a transaction that lost a race, or was undone because of
    another in its group, is run once more."""

    async def read(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs a plan that writes nothing; all it reads is of one moment."""
        ...

    async def write(self, plan: Callable[P, Plan[T]], *args: P.args, **kwargs: P.kwargs) -> T: ...

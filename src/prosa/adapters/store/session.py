"""A connection for one principal or for the engine: it runs plans, each in one transaction."""

from typing import Protocol, TypeVar

from prosa.adapters.store.statement import Plan

T = TypeVar("T")


class Session(Protocol):
    async def read(self, plan: Plan[T]) -> T:
        """Runs a plan that writes nothing."""
        ...

    async def write(self, plan: Plan[T]) -> T: ...

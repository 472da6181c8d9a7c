"""Where one owner's answers are kept."""

from typing import Protocol

from prosa.domain.answers import KeptAnswer, Question
from prosa.domain.time import Instant


class Answers(Protocol):
    async def find(self, key: str, now: Instant) -> KeptAnswer | None: ...

    async def family(self, family: str, now: Instant, limit: int) -> list[Question]:
        """The newest ones of a family that have a vector."""
        ...

    async def get(self, answer_id: str, now: Instant) -> KeptAnswer | None: ...

    async def keep(self, answer: KeptAnswer) -> None:
        """In place of the one with its key, and of what has expired. Where its message is gone by now,
        nothing is kept."""
        ...

"""How what belongs to somebody is taken away for good: in pieces that hold up nobody."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from prosa.domain.audit import Deed
from prosa.domain.erasure import Erasure
from prosa.domain.time import Instant

SIZE = 200
"""Rows that one transaction takes away."""


class Remains(Protocol):
    """All that a principal owns. `client_id` None: whichever the client; each call is one transaction."""

    async def count(self, client_id: str | None) -> Mapping[str, int]:
        """How many of each kind there are."""
        ...

    async def files(self, client_id: str | None) -> list[str]:
        """The ids of the next files to go."""
        ...

    async def drop_files(self, file_ids: Sequence[str]) -> None:
        """Their bytes are gone already."""
        ...

    async def conversations(self, client_id: str | None) -> list[str]:
        """The ids of the next conversations to go."""
        ...

    async def drop(self, conversation_id: str) -> bool:
        """Takes away a piece of a conversation, itself last; whether there is more of it."""
        ...

    async def drop_others(self, client_id: str | None) -> bool:
        """Takes away a piece of what hangs on no conversation and is no file; whether there may be more."""
        ...

    async def drop_journal(self, run_ids: Sequence[str]) -> int:
        """What these runs told; they themselves stay. Answers how many rows it was."""
        ...

    async def drop_answers(self, answer_ids: Sequence[str]) -> None:
        """Kept answers; the messages that they came from stay."""
        ...

    async def expire(self, conversation_id: str, before: Instant) -> bool:
        """Closes a conversation in which nothing has happened since then; False where something has."""
        ...


class Erasures(Protocol):
    """The erasures that go on and their receipts, and what they have to do beyond one principal's own."""

    async def begin(self, erasure: Erasure, holder: str, until: Instant, noted: Deed) -> Erasure:
        """Puts it down, with a row of the audit log; or answers the one of the same subject that goes on."""
        ...

    async def claim(self, holder: str, now: Instant, until: Instant) -> Erasure | None:
        """One that goes on and that nobody is at any more: its lease has ended, or where the store serves one
        process it is another boot's."""
        ...

    async def renew(self, erasure_id: str, holder: str, until: Instant) -> bool:
        """Whether it is still the holder's."""
        ...

    async def counted(self, erasure_id: str, counts: Mapping[str, int]) -> None:
        """How much there is of each kind, before anything goes."""
        ...

    async def done(self, erasure_id: str, now: Instant) -> Erasure:
        """Forgets the subject; what comes back is the receipt."""
        ...

    async def page(self, limit: int, before: str | None) -> list[Erasure]:
        """The newest first, from before the id on."""
        ...

    async def owners(self, client_id: str, after: str) -> list[str]:
        """The next of those who own something of a client, in the order of their ids."""
        ...

    async def guests(self, space: str, after: str) -> list[str]:
        """The next of those who own something and whose ids begin with `space`, in the order of their ids."""
        ...

    async def runs(self, user_id: str, client_id: str | None) -> list[str]:
        """The runs of a user that have not ended."""
        ...

    async def held(self, user_id: str, client_id: str | None) -> bool:
        """Whether money is held for the user: then something of his still goes on."""
        ...

    async def drop_keys(self, user_id: str, client_id: str | None) -> list[str]:
        """Takes away the user's API keys; their ids."""
        ...

    async def forget(self, user_id: str, client_id: str | None, pseudonym: str) -> bool:
        """A piece of the ledger: entries of the user become the pseudonym's, all else of them stays. Whether
        there may be more."""
        ...

"""Where one owner's tickets are kept."""

from typing import Protocol

from prosa.domain.opening import Begun, Opening, Prepare
from prosa.domain.tickets import Asking, Case, TicketStatus
from prosa.domain.time import Instant


class Tickets(Protocol):
    async def begin(self, asking: Asking, opening: Opening, prepare: Prepare) -> Begun:
        """One transaction: the run that gives what is asked for already, else a new one, as `Runs.begin`
        begins it, and with it, where there is none, the ticket and its conversation. Of many who ask at once,
        on whichever nodes, one begins a run. `opening` is for a first message in a conversation of that id; a
        ticket that is there has its own, and a question that stands there is answered once more. Raises what
        `Runs.begin` raises."""
        ...

    async def get(self, ticket_id: str) -> Case:
        """Raises TicketNotFound."""
        ...

    async def page(
        self, limit: int, before: tuple[Instant, str] | None, status: TicketStatus | None
    ) -> list[Case]:
        """Those that were asked last come first; `before` is the (updated_at, id) of the last one seen."""
        ...

    async def forget(self, ticket_id: str, now: Instant) -> None:
        """From now on the ticket has no answer. Raises TicketNotFound."""
        ...

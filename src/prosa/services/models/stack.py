"""One provider with all policies around it, in the order in which they make sense."""

import time

from prosa.kit.backoff import Backoff
from prosa.kit.clock import Clock
from prosa.services.models.attached import Attached, Read
from prosa.services.models.breaker import Breaker
from prosa.services.models.handling import Handling
from prosa.services.models.keyed import Keyed
from prosa.services.models.keyring import KeyRing
from prosa.services.models.line import Line
from prosa.services.models.policy import Policy
from prosa.services.models.queued import Queued
from prosa.services.models.retrying import BACKOFF, Retrying
from prosa.services.models.timed import Timed

GENTLE = Handling()


def stack(
    ring: KeyRing,
    handling: Handling = GENTLE,
    read: Read | None = None,
    *,
    backoff: Backoff = BACKOFF,
    clock: Clock = time.monotonic,
) -> Policy:
    """A ChatModel that asks the provider of `ring`, handled so. Closing it closes the ring's models. `read`
    gets the bytes of users' files, where there are any.

    From inside: the key (only whoever has a turn needs one); the files that go along; the time
    that the provider takes, without the wait for a turn; the turn; the circuit, which spares whoever comes
    the wait for nothing, and whoever has waited a call in vain; and the retries, each of which waits for a
    turn again.
    """
    keyed = Keyed(ring)
    filled = keyed if read is None else Attached(keyed, read)
    timed = Timed(filled, first=handling.first, silence=handling.silence, whole=handling.whole, clock=clock)
    line = Line(handling.concurrency, handling.waiting, handling.waiting_each, clock)
    queued = Queued(timed, line, patience=handling.patience)
    breaker = Breaker(
        queued,
        failures=handling.failures,
        cooldown=handling.cooldown,
        clock=clock,
        told=ring.suspended,
    )
    return Retrying(
        breaker, retries=handling.retries, patience=handling.patience, backoff=backoff, clock=clock
    )

"""How a provider is handled: the settings of all policies around it."""

from msgspec import Struct


class Handling(Struct, frozen=True, kw_only=True):
    """Times in seconds.

    `first`: to an answer's first event; `silence`: between two events; `whole`: for an answer in one piece.
    Beside these the adapters have their own, shorter ones for connections and bytes.

    `concurrency`: streams at once, None for no bound; `waiting` requests may wait for their turn,
    `waiting_each` of one user.

    `retries`: how often a request that failed before its answer began is made again; none begins more than
    `patience` after the first, so that no told wait longer than this is waited for.

    `failures` in a row suspend a model for `cooldown`.
    """

    first: float = 300.0
    silence: float = 300.0
    whole: float = 600.0
    concurrency: int | None = None
    waiting: int = 100
    waiting_each: int = 25
    retries: int = 2
    patience: float = 30.0
    failures: int = 5
    cooldown: float = 20.0

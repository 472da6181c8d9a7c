"""Seed 003's `checkUsageLimit`: whether a user may send something still."""

from decimal import Decimal, InvalidOperation

from prosa.direct.opened import default_prosa
from prosa.domain.errors import InvalidRequest
from prosa.domain.limits import Cap, payable
from prosa.domain.money import Picodollars, from_dollars
from prosa.domain.principal import Principal


async def check_usage_limit(
    user_id: str,
    max_tokens_per_day: int | None = None,
    max_cost_per_month: Decimal | float | str | None = None,
    *,
    client_id: str = "",
) -> bool:
    """Whether anything is left for a user of these limits (tokens; US dollars) and of those that hold anyway,
    the strictest of each kind; what is held for answers that are being written is taken off. Days and months
    are those of `PROSA_TIMEZONE`. Asking holds nothing: a send that is more than what is left is refused
    still. Raises InvalidRequest, StoreUnavailable.

        if not await check_usage_limit("ana", max_tokens_per_day=100_000, max_cost_per_month=50):
            raise RuntimeError("Usage limit reached")
    """
    if max_tokens_per_day is not None and max_tokens_per_day < 0:
        raise InvalidRequest("max_tokens_per_day must be 0 or more.")
    cap = Cap(max_tokens_per_day, _dollars(max_cost_per_month))
    prosa = await default_prosa()
    return await prosa.services.limits.allows(Principal(user_id, client_id, limits=cap))


def _dollars(given: Decimal | float | str | None) -> Picodollars | None:
    if given is None:
        return None
    try:
        dollars = Decimal(str(given))
    except InvalidOperation:
        dollars = Decimal("NaN")
    if not payable(dollars):
        raise InvalidRequest("max_cost_per_month must be a number of US dollars, 0 or more.")
    return from_dollars(dollars)

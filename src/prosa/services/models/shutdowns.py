"""Which models their providers shut down, when, and which one takes their place."""

import time
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from msgspec import Struct

from prosa.kit.log import log

SOON, VERY_SOON = 30, 7
"""Days before the end at which the log begins to warn, and warns more loudly."""
DAY = 86_400
BEGINNING = date(1970, 1, 1)


class Shutdown(Struct, frozen=True):
    """From `day` on (UTC) the model does not answer any more; `successor` does, where there is one: a model
    of the same provider, or "provider/model"."""

    day: date
    successor: str | None = None


def _all(day: str, successors: Mapping[str, str]) -> dict[str, Shutdown]:
    """One line of models by what succeeds them."""
    return {
        model: Shutdown(date.fromisoformat(day), successor)
        for successor, models in successors.items()
        for model in models.split()
    }


OPENAI = {
    **_all("2024-06-13", {"gpt-3.5-turbo": "gpt-3.5-turbo-0613 gpt-3.5-turbo-16k-0613 gpt-3.5-turbo-16k"}),
    **_all("2025-07-14", {"gpt-4.1": "gpt-4.5-preview gpt-4.5-preview-2025-02-27"}),
    **_all("2025-07-28", {"o3": "o1-preview o1-preview-2024-09-12"}),
    **_all("2025-10-27", {"o4-mini": "o1-mini o1-mini-2024-09-12"}),
    **_all("2026-02-17", {"gpt-4.1": "chatgpt-4o-latest"}),
    **_all("2026-03-26", {"gpt-4.1": "gpt-4-turbo-preview gpt-4-0125-preview gpt-4-0314"}),
    **_all("2026-07-23", {
        "gpt-4.1-mini": "gpt-4o-search-preview gpt-4o-mini-search-preview",
        "gpt-5.4": "gpt-5-codex gpt-5.1-codex gpt-5.1-codex-max gpt-5.2-codex",
        "gpt-5.4-mini": "gpt-5.1-codex-mini computer-use-preview",
        "gpt-5.5": "gpt-5-chat-latest gpt-5.1-chat-latest",
    }),
    **_all("2026-08-10", {"gpt-5.5": "gpt-5.2-chat-latest gpt-5.3-chat-latest"}),
    **_all("2026-09-28", {"gpt-4.1-mini": "gpt-3.5-turbo-1106 gpt-3.5-turbo-instruct"}),
    **_all("2026-10-23", {
        "gpt-4.1-mini": "gpt-3.5-turbo gpt-3.5-turbo-0125",
        "gpt-4.1": "gpt-4 gpt-4-0613 gpt-4-1106-preview gpt-4-turbo gpt-4-turbo-2024-04-09",
        "gpt-5.6-sol": "gpt-4o-2024-05-13 o1 o1-2024-12-17 o1-pro o1-pro-2025-03-19 "
                       "o3-mini o3-mini-2025-01-31",
        "gpt-5.6-terra": "o4-mini o4-mini-2025-04-16",
        "gpt-5.6-luna": "gpt-4.1-nano gpt-4.1-nano-2025-04-14",
    }),
    **_all("2026-12-11", {
        "gpt-5.6-sol": "gpt-5 gpt-5-2025-08-07 gpt-5-pro gpt-5-pro-2025-10-06 "
                       "o3 o3-2025-04-16 o3-pro o3-pro-2025-06-10",
        "gpt-5.6-terra": "gpt-5-mini gpt-5-mini-2025-08-07",
        "gpt-5.6-luna": "gpt-5-nano gpt-5-nano-2025-08-07",
    }),
    **_all("2027-01-14", {
        "gpt-6-luna": "gpt-4o gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini gpt-4o-mini-2024-07-18 "
                      "gpt-4.1 gpt-4.1-2025-04-14 gpt-4.1-mini gpt-4.1-mini-2025-04-14",
    }),
}  # fmt: skip
"""Source: OpenAI's page of deprecations, as of November 2026. Where it named several successors in the course
of time, the one that takes the parameters which the old model took."""

ANTHROPIC = {
    **_all("2024-11-06", {"claude-haiku-4-5": "claude-1.3 claude-instant-1.2"}),
    **_all("2025-07-21", {"claude-sonnet-4-6": "claude-2.0 claude-2.1 claude-3-sonnet-20240229"}),
    **_all("2025-10-28", {
        "claude-sonnet-4-6": "claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022 claude-3-5-sonnet-latest",
    }),
    **_all("2026-01-05", {"claude-opus-4-6": "claude-3-opus-20240229 claude-3-opus-latest"}),
    **_all("2026-02-19", {
        "claude-sonnet-4-6": "claude-3-7-sonnet-20250219 claude-3-7-sonnet-latest",
        "claude-haiku-4-5": "claude-3-5-haiku-20241022 claude-3-5-haiku-latest",
    }),
    **_all("2026-04-20", {"claude-haiku-4-5": "claude-3-haiku-20240307"}),
    **_all("2026-06-15", {
        "claude-sonnet-4-6": "claude-sonnet-4-20250514 claude-sonnet-4-0",
        "claude-opus-4-6": "claude-opus-4-20250514 claude-opus-4-0",
    }),
    **_all("2026-08-05", {"claude-opus-4-6": "claude-opus-4-1-20250805 claude-opus-4-1"}),
    **_all("2026-11-30", {"claude-sonnet-5-5": "claude-sonnet-4-5-20250929 claude-sonnet-4-5"}),
}  # fmt: skip
"""Source: Anthropic's page of model deprecations and its notices, as of November 2026."""

MISTRAL = {
    **_all("2025-03-30", {
        "ministral-8b-latest": "open-mistral-7b",
        "mistral-small-latest": "open-mixtral-8x7b open-mixtral-8x22b",
        "mistral-large-latest": "mistral-large-2407",
    }),
    **_all("2025-06-16", {
        "mistral-small-latest": "mistral-small-2402",
        "mistral-large-latest": "mistral-large-2402",
        "mistral-medium-3-5": "mistral-medium-2312",
        "codestral-latest": "codestral-2405",
    }),
    **_all("2025-11-30", {"codestral-2508": "codestral-2501"}),
    **_all("2025-12-31", {"ministral-14b-2512": "pixtral-12b-2409"}),
    **_all("2026-05-31", {"mistral-medium-3-5": "mistral-large-2411 devstral-medium-2507"}),
}  # fmt: skip
"""Source: the models' cards in Mistral's documentation, as of November 2026."""

KNOWN: dict[tuple[str, str], Shutdown] = {
    (provider, model): shutdown
    for provider, models in (("openai", OPENAI), ("anthropic", ANTHROPIC), ("mistral", MISTRAL))
    for model, shutdown in models.items()
}


def lasting(provider: str, model: str, today: date) -> str:
    """`model`, or the first of its successors that is there for so long that nobody needs to be warned."""
    last = today + timedelta(days=SOON)
    while (shutdown := KNOWN.get((provider, model))) is not None and shutdown.day <= last:
        if shutdown.successor is None:
            break
        model = shutdown.successor
    return model


class Notices:
    """Warns of models that go or are gone: each once a day, however often it is asked for. `clock` tells the
    seconds since 1970."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._told: dict[tuple[str, str], date] = {}

    @property
    def today(self) -> date:
        """In UTC."""
        return BEGINNING + timedelta(days=self.clock() // DAY)

    @property
    def midnight(self) -> float:
        """When the next day begins, by the clock."""
        return (self.clock() // DAY + 1) * DAY

    def tell(self, provider: str, model: str, shutdown: Shutdown, day: date) -> None:
        left = (shutdown.day - day).days
        if left > SOON or self._told.get((provider, model)) == day:
            return
        self._told[provider, model] = day
        facts = {
            "provider": provider,
            "model": model,
            "on": str(shutdown.day),
            "successor": shutdown.successor,
        }
        if left <= 0:
            log.warning("model_is_shut_down", **facts)
        elif left <= VERY_SOON:
            log.warning("model_shuts_down_within_days", days=left, **facts)
        else:
            log.warning("model_shuts_down_soon", days=left, **facts)

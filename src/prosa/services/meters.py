"""What is counted for Prometheus. Names end in their unit; labels are few and never a user's."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from prosa.domain.ending import Entry
from prosa.domain.money import PER_DOLLAR

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OF = ["provider", "model"]

MOST_MODELS = 100
"""That have a label of their own; the others are "other", and so is a model that never answered: callers may
name what they like."""

RUNNING = Gauge("prosa_runs_running", "Runs that this process executes.")
_RUNS = Counter("prosa_runs", "Runs that ended, by their end state.", [*_OF, "status"])
_RUN_SECONDS = Histogram("prosa_run_seconds", "From a run's beginning to its end.", _OF, buckets=_SECONDS)
_ATTEMPTS = Counter("prosa_attempts", "Asks of providers, by what ended them.", ["provider", "outcome"])
_FIRST_WORD = Histogram(
    "prosa_first_word_seconds", "From a provider's call to its first text.", _OF, buckets=_SECONDS
)
_TOKENS = Counter(
    "prosa_tokens", "Tokens settled in the ledger; some kinds are parts of others.", [*_OF, "kind"]
)
_COST = Counter("prosa_cost_dollars", "Cost settled in the ledger, where prices are known.", _OF)
_SUSPENDED = Gauge(
    "prosa_models_suspended", "Models that are left alone after repeated failures.", ["provider"]
)
_WAITING = Gauge("prosa_requests_waiting", "Requests that wait for their turn at a provider.", ["provider"])
_CACHED = Counter("prosa_cache_lookups", "What was looked up in a cache: hit or miss.", ["cache", "result"])
SOCKETS = Gauge("prosa_sockets_open", "Sockets of callers that are known.")

COMMITS = Counter("prosa_journal_commits", "Commits of the journal writer.")
JOURNAL_FAILING = Gauge("prosa_journal_failing", "1 while the journal can't be written.")
JOURNAL_LAG = Gauge("prosa_journal_lag_seconds", "How long the oldest event waits for its commit.")
CONNECTIONS = Gauge("prosa_store_connections", "Connections to Postgres.", ["role", "state"])
WRITES_WAITING = Gauge("prosa_store_writes_waiting", "Transactions that wait for SQLite's writer.")
HOLDS = Gauge("prosa_ledger_holds", "Reservations of money and tokens for what goes on, on all nodes.")
HELD_TOKENS = Gauge("prosa_ledger_held_tokens", "Tokens that are held.")
HELD_COST = Gauge("prosa_ledger_held_dollars", "Money that is held, where prices are known.")

# To find a labelled child costs as much as to count on it.
_runs = cache(_RUNS.labels)
_run_seconds = cache(_RUN_SECONDS.labels)
_attempts = cache(_ATTEMPTS.labels)
_first_word = cache(_FIRST_WORD.labels)
_tokens = cache(_TOKENS.labels)
_cost = cache(_COST.labels)
suspended = cache(_SUSPENDED.labels)
waiting = cache(_WAITING.labels)
cached = cache(_CACHED.labels)

_answered: set[tuple[str, str]] = set()


def named(provider: str, model: str, *, answered: bool = False) -> str:
    """The label of a model; `answered` says that it has just shown that there is one of this name."""
    if (provider, model) in _answered:
        return model
    if not answered or len(_answered) >= MOST_MODELS:
        return "other"
    _answered.add((provider, model))
    return model


def first_word(provider: str, model: str, seconds: float) -> None:
    _first_word(provider, named(provider, model, answered=True)).observe(seconds)


def ended(provider: str, model: str, status: str, seconds: float) -> None:
    """A run is over."""
    model = named(provider, model)
    _runs(provider, model, status).inc()
    _run_seconds(provider, model).observe(seconds)


def entered(entry: Entry, outcome: str) -> None:
    """An attempt is over; `outcome` is "completed" or the code of what ended it."""
    usage, provider = entry.usage, entry.provider
    model = named(provider, entry.model, answered=usage.completion_tokens > 0)
    _attempts(provider, outcome).inc()
    _tokens(provider, model, "prompt").inc(usage.prompt_tokens)
    _tokens(provider, model, "completion").inc(usage.completion_tokens)
    if usage.cached_tokens:
        _tokens(provider, model, "cached").inc(usage.cached_tokens)
    if usage.reasoning_tokens:
        _tokens(provider, model, "reasoning").inc(usage.reasoning_tokens)
    if entry.cost:
        _cost(provider, model).inc(entry.cost / PER_DOLLAR)

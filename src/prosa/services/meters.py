"""What is counted for Prometheus. Names end in their unit; labels are few and never a user's."""

from functools import cache

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

RUNNING = Gauge("prosa_runs_running", "Runs that this process executes.")
_RUNS = Counter("prosa_runs", "Runs that ended, by their end state.", ["provider", "status"])
_TOKENS = Counter("prosa_tokens", "Tokens settled in the ledger.", ["provider", "kind"])
_FIRST_WORD = Histogram(
    "prosa_first_word_seconds", "From a provider's call to its first text.", ["provider"], buckets=_SECONDS
)
COMMITS = Counter("prosa_journal_commits", "Commits of the journal writer.")
_SUSPENDED = Gauge(
    "prosa_models_suspended", "Models that are left alone after repeated failures.", ["provider"]
)
_WAITING = Gauge("prosa_requests_waiting", "Requests that wait for their turn at a provider.", ["provider"])
SOCKETS = Gauge("prosa_sockets_open", "Sockets of callers that are known.")
JOURNAL_FAILING = Gauge("prosa_journal_failing", "1 while the journal can't be written.")

_CACHED = Counter("prosa_cache_lookups", "What was looked up in a cache: hit or miss.", ["cache", "result"])

# To find a labelled child costs as much as to count on it.
runs = cache(_RUNS.labels)
tokens = cache(_TOKENS.labels)
_first_word = cache(_FIRST_WORD.labels)
suspended = cache(_SUSPENDED.labels)
waiting = cache(_WAITING.labels)
cached = cache(_CACHED.labels)


def first_word(provider: str, model: str, seconds: float) -> None:
    del model
    _first_word(provider).observe(seconds)

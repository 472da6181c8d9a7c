"""The schema, once for SQLite and Postgres. DESIGN's data section says what each table is for."""

from prosa.adapters.store.tables.house import (
    alerts,
    api_keys,
    audit_head,
    audit_log,
    duties,
    erasures,
    limits,
    places,
    provider_keys,
    rates,
    spending,
    suspensions,
)
from prosa.adapters.store.tables.kinds import metadata
from prosa.adapters.store.tables.owned import (
    ai_usage,
    answer_cache,
    attachments,
    conversations,
    feedback,
    files,
    idempotency,
    journal,
    messages,
    prompt_templates,
    reservations,
    run_steps,
    runs,
    sign_ins,
    tickets,
)

OWNED = (
    conversations,
    messages,
    runs,
    run_steps,
    journal,
    ai_usage,
    reservations,
    idempotency,
    sign_ins,
    prompt_templates,
    feedback,
    tickets,
    files,
    attachments,
    answer_cache,
)
"""The tables whose rows belong to a user: row level security and the auditor read this."""

ENGINE = (
    runs,
    run_steps,
    journal,
    messages,
    reservations,
    ai_usage,
    files,
    conversations,
    prompt_templates,
    answer_cache,
)
"""The tables that the engine's own role may touch for many users at once: of the last four it sees whose a
row is and how old, and nothing of what it says."""

OPERATORS = (
    provider_keys,
    api_keys,
    suspensions,
    audit_log,
    audit_head,
    alerts,
    limits,
    erasures,
    duties,
)
"""The tables of the operator: no principal's statement names them, and the application may not."""

__all__ = [
    "ENGINE",
    "OPERATORS",
    "OWNED",
    "ai_usage",
    "alerts",
    "answer_cache",
    "api_keys",
    "attachments",
    "audit_head",
    "audit_log",
    "conversations",
    "duties",
    "erasures",
    "feedback",
    "files",
    "idempotency",
    "journal",
    "limits",
    "messages",
    "metadata",
    "places",
    "prompt_templates",
    "provider_keys",
    "rates",
    "reservations",
    "run_steps",
    "runs",
    "sign_ins",
    "spending",
    "suspensions",
    "tickets",
]

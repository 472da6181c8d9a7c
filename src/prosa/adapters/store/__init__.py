"""The conversation store: one schema and one set of plans, driven by SQLite or by Postgres."""

"""Who counts requests: this process, or Redis for several. Postgres does so in its store."""

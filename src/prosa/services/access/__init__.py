"""Who may call: API keys, suspensions, and the public keys of others, as far as this process has heard."""

"""Secrets that this process knows: none of them may stand in what is written of it."""

import json

SHORTEST = 8
"""Characters: less than this would tear plain words."""

_known: set[str] = set()


def remember(*secrets: str | None) -> None:
    """From now on `hidden` cuts these out."""
    for secret in secrets:
        if secret is not None and len(secret) >= SHORTEST:
            _known.update((secret, json.dumps(secret)[1:-1]))


def hidden(text: str) -> str:
    """`text` with "…" where a secret stood."""
    for secret in tuple(_known):
        if secret in text:
            text = text.replace(secret, "…")
    return text

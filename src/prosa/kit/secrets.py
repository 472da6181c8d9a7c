"""Secrets that this process knows, and callers' credentials: none may stand in what is written of it."""

import json
import re

SHORTEST = 8
"""Characters: less than this would tear plain words."""

_CREDENTIAL = re.compile(
    r"(prosa-[0-9a-f]{32}-)[A-Za-z0-9_-]{43}|(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*"
)
"""An API key, of which the part that is no secret stays, or a token: libraries on `debug` tell of headers."""

_known: tuple[str, ...] = ()
"""The longest first: one may begin with another, and its rest would stay."""


def remember(*secrets: str | None) -> None:
    """From now on `hidden` cuts these out."""
    global _known  # noqa: PLW0603 - what the process knows
    told = {secret for secret in secrets if secret is not None and len(secret) >= SHORTEST}
    told |= {json.dumps(secret)[1:-1] for secret in told}
    _known = tuple(sorted({*_known, *told}, key=len, reverse=True))


def hidden(text: str) -> str:
    """`text` with "…" where a secret or a credential stood."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, "…")
    if "eyJ" in text or "prosa-" in text:
        text = _CREDENTIAL.sub(lambda found: f"{found[1] or ''}…", text)
    return text

"""What is weak about the settings and the keys, a sentence each, for `prosa doctor`."""

import stat
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit

from prosa import bootstrap
from prosa.commands.access import opened
from prosa.config import FILE, LOOPBACK, Settings, secrets_in_file
from prosa.domain.errors import ProsaError
from prosa.domain.principal import EMBED, OPERATE
from prosa.domain.time import now

MOST_KEYS = 1_000
"""Keys that are looked at, the newest."""


def of_settings(settings: Settings) -> Iterator[str]:
    if settings.jwt_secret is None and settings.jwks_url is None:
        yield (
            "There are no tokens: everybody here is the one local user. Set PROSA_JWT_SECRET or "
            "PROSA_JWKS_URL."
        )
    yield from _of_tokens(settings)
    if settings.max_tokens_per_day is None and settings.max_cost_per_month is None:
        yield "Users may spend without limit. Set PROSA_MAX_TOKENS_PER_DAY or PROSA_MAX_COST_PER_MONTH."
    yield from _of_pages(settings)
    yield from _of_telling(settings)
    if (names := secrets_in_file()) and FILE.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield f"{FILE} holds {', '.join(names)}, and others on this machine may read it: chmod 600 {FILE}."
    if (complaint := bootstrap.misplaced(settings)) is not None:
        yield complaint


def _of_tokens(settings: Settings) -> Iterator[str]:
    url = settings.jwks_url
    if url is not None:
        if url.startswith("http://") and urlsplit(url).hostname not in LOOPBACK:
            yield "PROSA_JWKS_URL is plain http: who sits in between can sign any token. Use https."
        if settings.jwt_issuer is None:
            yield "PROSA_JWT_ISSUER is not set: tokens of any issuer with these keys are taken. Set it."
        if settings.jwt_secret is not None:
            yield (
                "PROSA_JWT_SECRET is set beside PROSA_JWKS_URL: who knows it can be any user. Take it away "
                "if only `prosa token` needs it."
            )
        if settings.jwt_audience is None and not settings.jwt_azp:
            yield (
                "Neither PROSA_JWT_AUDIENCE nor PROSA_JWT_AZP is set: tokens that the same issuer made "
                "for other applications are taken, too. Set one."
            )


def _of_pages(settings: Settings) -> Iterator[str]:
    if "*" in settings.allowed_origins:
        yield "PROSA_ALLOWED_ORIGINS takes origins such as https://example.org; * allows none."
    plain = sorted(
        each
        for each in settings.allowed_origins
        if each.startswith("http://") and urlsplit(each).hostname not in LOOPBACK
    )
    if plain:
        named = ", ".join(plain)
        yield f"PROSA_ALLOWED_ORIGINS has plain http ({named}): who sits in between can call as the user."
    if "*" in settings.frame_ancestors:
        yield "PROSA_FRAME_ANCESTORS is *: any page may frame this one and catch clicks. Name the pages."


def _of_telling(settings: Settings) -> Iterator[str]:
    if settings.log_content:
        yield "PROSA_LOG_CONTENT is on: what people and models write may stand in log lines. Turn it off."
    if settings.metrics == "open" and settings.host not in LOOPBACK:
        yield "PROSA_METRICS is open: anybody who gets here may read models, tokens and cost. Set operator."
    endpoint = settings.otlp_endpoint
    if endpoint is not None:
        address = urlsplit(endpoint.get_secret_value())
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            yield "PROSA_OTLP_ENDPOINT is plain http: who sits in between can read the traces. Use https."


async def of_keys(settings: Settings) -> AsyncIterator[str]:
    """Nothing where the store can't be looked at; it is not made or brought up to date for this."""
    if not bootstrap.stands(settings):
        return
    try:
        async with opened(settings) as kept:
            found, _ = await kept.page(None, MOST_KEYS, None)
    except ProsaError:
        return
    for key in found:
        strong = sorted({OPERATE, EMBED} & set(key.scopes))
        if strong and key.good(now()) and key.expires_at is None:
            yield (
                f"The API key {key.id} ({key.name}) has the scope {' and '.join(strong)} and never expires. "
                "Make one that does, then revoke it."
            )

"""What prosa.toml says of alerts: `[alerts]`."""

from typing import Annotated

from msgspec import Meta, Struct

from prosa.domain.alerts import LEVELS, Rules

Seconds = Annotated[float, Meta(gt=0, le=86_400 * 31)]
Percent = Annotated[int, Meta(ge=1, le=100)]
SHORTEST = 16


class Env(Struct, frozen=True, forbid_unknown_fields=True):
    """`{ env = "NAME" }`: a value that the environment holds."""

    env: str


class AlertsTable(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told: an address that gets signed JSON, and apprise's. When: see `domain.alerts.Rules`; 0 for
    `errors` and `latency` is never."""

    webhook: str | Env | None = None
    secret: str | Env | None = None
    apprise: tuple[str | Env, ...] = ()
    levels: tuple[Percent, ...] = LEVELS
    errors: Annotated[float, Meta(ge=0, le=1)] = 0.2
    latency: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    window: Seconds = 300.0
    least: Annotated[int, Meta(ge=1, le=1_000)] = 20
    cooldown: Seconds = 3_600.0

    def __post_init__(self) -> None:
        if self.webhook is not None and self.secret is None:
            raise ValueError("a webhook needs a `secret`, with which its receiver checks who calls")
        if isinstance(self.secret, str) and len(self.secret) < SHORTEST:
            raise ValueError(f"`secret` needs {SHORTEST} characters or more")

    @property
    def rules(self) -> Rules:
        return Rules(
            levels=tuple(sorted(set(self.levels))),
            errors=self.errors or None,
            latency=self.latency or None,
            window=self.window,
            least=self.least,
            cooldown=self.cooldown,
        )

"""What prosa.toml says of masking and moderation: `[masking.<name>]` and `[moderation.<name>]`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from prosa.kit.pii import KINDS, Kind

Side = Literal["input", "output"]
"""What goes to the model, and what comes from it."""

DEFAULT = "default"
"""The masking that holds where a route says nothing."""


class MaskingTable(Struct, frozen=True, forbid_unknown_fields=True):
    """What providers must not see: `kinds` of values, in what goes to them, and with "output" also in what
    they say by themselves. With `restore` the reader gets the values again where the model repeats their
    placeholders."""

    kinds: tuple[Kind, ...] = KINDS
    on: tuple[Side, ...] = ("input",)
    restore: bool = False


Action = Literal["block", "flag", "mask"]
Seconds = Annotated[float, Meta(gt=0, le=60)]
Window = Annotated[int, Meta(ge=1, le=20_000)]


class CheckTable(Struct, frozen=True, forbid_unknown_fields=True):
    """One check: by lists (`words`, `patterns`), by a moderation `endpoint`, or by a model as `judge`.

    What it finds `on` its sides is blocked, flagged, or masked. `fail` says what becomes of a text that can't
    be checked in time: "closed", nobody gets it. `window` is how many characters of an answer are held back:
    of lists the longest match of a pattern, else how much is asked about at once. `always` is whether it
    holds where a route does not name its checks. `categories` are the endpoint's (none: whatever it flags),
    `policy` is what the judge judges by.
    """

    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    endpoint: Literal["openai"] | None = None
    judge: str | None = None
    action: Action = "block"
    on: tuple[Side, ...] = ("input", "output")
    fail: Literal["closed", "open"] = "closed"
    always: bool = True
    window: Window | None = None
    timeout: Seconds | None = None
    categories: tuple[str, ...] = ()
    model: str = "omni-moderation-latest"
    base_url: str | None = None
    api_key_env: str = "OPENAI_API_KEY"
    policy: str | None = None

    def __post_init__(self) -> None:
        kinds = (bool(self.words or self.patterns), self.endpoint is not None, self.judge is not None)
        if sum(kinds) != 1:
            raise ValueError("a check has `words` and `patterns`, or an `endpoint`, or a `judge`")
        if not self.on:
            raise ValueError('`on` must name a side: "input", "output"')

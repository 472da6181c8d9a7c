"""What each generation of Anthropic's models takes and refuses, read from a model's name.

Source: Anthropic's guides to thinking, effort and migration, and the capabilities in its list of models.
"""

import re
from typing import Literal

from msgspec import Struct

Version = tuple[int, int]

NAME = re.compile(r"claude-(?:([a-z]+)-)?(\d)(?:[-.](\d{1,2}))?(?!\d)(?:-([a-z]+))?")
"""`claude-opus-4-5-20251101`, `claude-3-5-haiku-latest`, `anthropic.claude-sonnet-4-6-v1:0`; a date is no
version."""


class Traits(Struct, frozen=True):
    """`thinking` is how a model is told to think: not at all, by a budget of tokens, or by an effort;
    `by_default` whether it does so unasked, and `off` how it is told not to (`omitted`: by saying nothing;
    None: it can't be).

    `sampling` is how many of temperature and top_p it takes while it does not think; `forced` whether it can
    be made to call a tool, `prefill` whether it goes on with an assistant's turn, `schemas` whether it can be
    held to a JSON Schema. Thoughts that are `bound` are refused once anything before them has changed.
    """

    thinking: Literal["none", "budget", "adaptive"] = "adaptive"
    by_default: bool = False
    off: Literal["omitted", "disabled", "between_tools"] | None = "omitted"
    most: Literal["high", "xhigh"] = "xhigh"
    sampling: Literal[0, 1, 2] = 0
    forced: bool = True
    prefill: bool = False
    schemas: bool = True
    bound: bool = False


OTHERS = Traits("budget", sampling=2, prefill=True, schemas=False)
"""Models of other makers, on servers that speak like Anthropic's."""

ALWAYS = Traits(by_default=True, off=None, forced=False, bound=True)

GENERATIONS: tuple[tuple[Version, Traits], ...] = (
    ((5, 1), ALWAYS),
    ((5, 0), Traits(by_default=True, off="disabled")),
    ((4, 7), Traits()),
    ((4, 6), Traits(most="high", sampling=1)),
    ((4, 1), Traits("budget", sampling=1, prefill=True)),
    ((3, 7), Traits("budget", sampling=2, prefill=True, schemas=False)),
    ((0, 0), Traits("none", sampling=2, prefill=True, schemas=False)),
)
"""Each row holds from its version on, the newest first."""

EXCEPTIONS: dict[tuple[str, Version], Traits] = {
    ("fable", (5, 0)): Traits(by_default=True, off=None, forced=False),
    ("mythos", (5, 0)): Traits(by_default=True, off=None, forced=False),
    ("sonnet", (5, 5)): Traits(by_default=True, off="between_tools", forced=False, bound=True),
    ("haiku", (5, 5)): Traits(by_default=True, off="disabled", forced=False, bound=True),
}


def traits(model: str) -> Traits:
    """A name of Anthropic's that tells no version is taken for one of the newest."""
    name = model.lower()
    found = NAME.search(name)
    if found is None:
        return ALWAYS if "claude" in name else OTHERS
    version = (int(found[2]), int(found[3] or 0))
    special = EXCEPTIONS.get((found[1] or found[4] or "", version))
    return special or next(row for since, row in GENERATIONS if version >= since)

"""The window: which turns fit into a model's context. The oldest are left out first."""

from collections.abc import Sequence

from prosa.domain.errors import ContextTooLong
from prosa.domain.models import Role, Turn

OVERHEAD = 8
"""Tokens that a turn takes beside its text, at most."""


BYTES_A_TOKEN = 3
"""On the safe side for prose: most tokenizers take more."""

TEMPLATE = 64
"""Tokens that a model's own template may add, such as a system prompt where none was given."""


def size(text: str) -> int:
    """Bytes in UTF-8: no tokenizer makes more tokens than these."""
    return len(text) if text.isascii() else len(text.encode())


def bound(turns: Sequence[Turn], system: str | None) -> int:
    """More tokens than this the input can't be, whatever the tokenizer."""
    return sum(size(turn.content) + OVERHEAD for turn in turns) + size(system or "") + TEMPLATE


def estimate(text: str) -> int:
    """About how many tokens a text is."""
    return size(text) // BYTES_A_TOKEN + OVERHEAD


def tokens(turns: Sequence[Turn], system: str | None) -> int:
    """About how many tokens an input is."""
    return sum(estimate(turn.content) for turn in turns) + (estimate(system) if system else 0)


def fit(turns: Sequence[Turn], system: str | None, room: int, provider: str) -> tuple[Turn, ...]:
    """The newest turns that fit into `room` tokens, beginning with one of the user.

    Raises ContextTooLong where not even the last one does.
    """
    left = room - estimate(system or "")
    kept = len(turns)
    while kept and (left := left - estimate(turns[kept - 1].content)) >= 0:
        kept -= 1
    if kept == len(turns):
        raise ContextTooLong(provider)
    while kept and kept < len(turns) - 1 and turns[kept].role is not Role.USER:
        kept += 1
    return tuple(turns[kept:])

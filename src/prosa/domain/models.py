"""What is asked of a language model and what it tells: the values that every provider's adapter speaks."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class Turn(Struct, frozen=True):
    """One message as a model sees it."""

    role: Role
    content: str


class ChatRequest(Struct, frozen=True):
    """One generation. `max_tokens` bounds the answer and is always sent to the provider."""

    model: str
    turns: tuple[Turn, ...]
    system: str | None = None
    temperature: float | None = None
    max_tokens: int = 4096


class FinishReason(StrEnum):
    STOP = "stop"
    LENGTH = "length"
    REFUSAL = "refusal"


class TextDelta(Struct, frozen=True):
    """The next piece of the answer; pieces that arrive together may be one."""

    text: str


class ThinkingDelta(Struct, frozen=True):
    text: str


MOST_TOKENS = 1_000_000_000
"""No count above this is believed."""


class Usage(Struct, frozen=True, rename="camel"):
    """Tokens as the provider counted them. `prompt_tokens` includes the cached ones,
    `completion_tokens` the reasoning ones."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def credible(self) -> bool:
        """Whether one answer can have these: none is negative, absurd, or a part that exceeds its whole."""
        return (
            0 <= self.cached_tokens <= self.prompt_tokens <= MOST_TOKENS
            and 0 <= self.reasoning_tokens <= self.completion_tokens <= MOST_TOKENS
        )


class UsageReport(Struct, frozen=True):
    """May come more than once; each report replaces the one before."""

    usage: Usage


class Finish(Struct, frozen=True):
    reason: FinishReason


ModelEvent = TextDelta | ThinkingDelta | UsageReport | Finish

"""The rows of data that tell one server of OpenAI's chat completions from another."""

from typing import Literal

from msgspec import Struct
from msgspec.structs import replace
from yarl import URL


class Dialect(Struct, frozen=True):
    """How one server wants to be spoken to. `cap` is the field that bounds the answer's tokens."""

    name: str = "openai"
    base_url: str = "https://api.openai.com/v1"
    cap: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    needs_key: bool = True
    usage_option: bool = True
    """Whether `stream_options` may be sent, without which most servers stream no usage."""


OPENAI = Dialect()


def localised(dialect: Dialect, base_url: str | None) -> Dialect:
    """`dialect` at another address: what only resembles OpenAI knows `max_tokens`, and may want no key."""
    if base_url is None or base_url == dialect.base_url:
        return dialect
    moved = replace(dialect, base_url=base_url)
    if dialect is not OPENAI or URL(base_url).host == URL(OPENAI.base_url).host:
        return moved
    return replace(moved, cap="max_tokens", needs_key=False)

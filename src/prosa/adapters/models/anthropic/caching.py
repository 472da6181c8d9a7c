"""Marks up to where Anthropic shall keep a prompt in its cache.

A prompt is kept in the order tools, system, messages. One that is too short for it (about 1,000 tokens, by
model) is left alone, at no charge.

Source: Anthropic's guide to prompt caching.
"""

from typing import Any, Literal

Caching = Literal["5m", "1h"]
"""How long what was written stays after it was last read."""


def cached(body: dict[str, Any], caching: Caching) -> dict[str, Any]:
    """`body` with a mark after what every conversation shares, and one after the newest message."""
    mark = {"type": "ephemeral", "ttl": caching}
    made = dict(body)
    if "system" in made:
        made["system"] = [{"type": "text", "text": made["system"], "cache_control": mark}]
    elif "tools" in made:
        *others, last = made["tools"]
        made["tools"] = [*others, {**last, "cache_control": mark}]
    *earlier, newest = made["messages"]
    said = newest["content"]
    blocks = [{"type": "text", "text": said}] if isinstance(said, str) else said
    *before, end = blocks
    made["messages"] = [*earlier, {**newest, "content": [*before, {**end, "cache_control": mark}]}]
    return made

"""Marks up to where Anthropic shall keep a prompt in its cache.

A prompt is kept for five minutes after it was last read, in the order tools, system, messages. One that is
too short for it (about 1,000 tokens, by model) is left alone, at no charge.

Source: Anthropic's guide to prompt caching.
"""

from typing import Any

MARK = {"type": "ephemeral"}


def cached(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with a mark after what every conversation shares, and one after the newest message."""
    made = dict(body)
    if "system" in made:
        made["system"] = [{"type": "text", "text": made["system"], "cache_control": MARK}]
    elif "tools" in made:
        *others, last = made["tools"]
        made["tools"] = [*others, {**last, "cache_control": MARK}]
    *earlier, newest = made["messages"]
    said = newest["content"]
    *before, end = [{"type": "text", "text": said}] if isinstance(said, str) else said
    made["messages"] = [*earlier, {**newest, "content": [*before, {**end, "cache_control": MARK}]}]
    return made

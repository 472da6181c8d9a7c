"""What models can do, told from their names: families of models, since no price list says it."""

from typing import Literal

Capability = Literal["images", "documents", "tools", "json_schema", "reasoning", "embeddings", "unknown"]
UNKNOWN: tuple[Capability, ...] = ("unknown",)

_CHAT: tuple[Capability, ...] = ("tools",)
_STRICT: tuple[Capability, ...] = ("tools", "json_schema")
_SEES: tuple[Capability, ...] = ("images", "documents", "tools", "json_schema")
_THINKS: tuple[Capability, ...] = ("images", "documents", "tools", "json_schema", "reasoning")
_THINKS_IN_TEXT: tuple[Capability, ...] = ("tools", "json_schema", "reasoning")
_LOOKS: tuple[Capability, ...] = ("images", "tools", "json_schema")
_LOOKS_AND_THINKS: tuple[Capability, ...] = ("images", "tools", "json_schema", "reasoning")

_FAMILIES: dict[str, tuple[tuple[str, tuple[Capability, ...]], ...]] = {
    "openai": (
        ("gpt-3.5-turbo-instruct", UNKNOWN),
        ("gpt-3.5", _CHAT),
        ("gpt-4-turbo-preview", _CHAT),
        ("gpt-4-0125", _CHAT),
        ("gpt-4-1106", _CHAT),
        ("gpt-4-turbo", ("images", "tools")),
        ("gpt-4o", _SEES),
        ("gpt-4.", _SEES),
        ("chatgpt-4o", ("images",)),
        ("gpt-4", _CHAT),
        ("gpt-oss", _THINKS_IN_TEXT),
        ("gpt-", _THINKS),
        ("o1-mini", ("reasoning",)),
        ("o1-preview", ("reasoning",)),
        ("o3-mini", _THINKS_IN_TEXT),
        ("o1", _THINKS),
        ("o3", _THINKS),
        ("o4", _THINKS),
    ),
    "anthropic": (
        ("claude-1", ()),
        ("claude-2", ()),
        ("claude-instant", ()),
        ("claude-3-7", ("images", "documents", "tools", "reasoning")),
        ("claude-3", ("images", "documents", "tools")),
        ("claude-", _THINKS),
    ),
    "mistral": (
        ("mistral-large-24", _STRICT),
        ("mistral-large", _LOOKS),
        ("mistral-medium-2312", ()),
        ("mistral-medium", _LOOKS_AND_THINKS),
        ("mistral-small-2402", _CHAT),
        ("mistral-small-2409", _STRICT),
        ("mistral-small-2501", _STRICT),
        ("mistral-small", _LOOKS),
        ("magistral", _LOOKS_AND_THINKS),
        ("ministral", _STRICT),
        ("pixtral", _LOOKS),
        ("codestral", _STRICT),
        ("devstral", _STRICT),
        ("open-mistral-nemo", _STRICT),
    ),
    "deepseek": (("deepseek-reasoner", _THINKS_IN_TEXT), ("deepseek", _CHAT)),
    "xai": (("grok-4", _LOOKS_AND_THINKS), ("grok", _CHAT)),
    "local": (("smollm2-135m", ("json_schema",)),),
}
"""By provider, the first beginning of a name that fits. Source: the providers' pages of their models."""

_EVERYWHERE: tuple[tuple[str, tuple[Capability, ...]], ...] = (
    ("llama-4", _LOOKS),
    ("llama4", _LOOKS),
    ("llama3.2-vision", ("images",)),
    ("llama-3", _CHAT),
    ("llama3", _CHAT),
    ("llava", ("images",)),
    ("qwen3-vl", _LOOKS),
    ("qwen3", _THINKS_IN_TEXT),
    ("qwen2.5-vl", ("images",)),
    ("qwen2.5", _CHAT),
    ("gemma3", ("images",)),
    ("gemini", _THINKS),
    ("deepseek-r1", ("reasoning",)),
    ("deepseek-v", _CHAT),
    ("gpt-oss", _THINKS_IN_TEXT),
    ("mistral", _CHAT),
)
"""Open weights are called alike wherever they run, behind the names of who made them."""


_OTHERS = ("image", "audio", "realtime", "transcribe", "tts", "live", "whisper", "translate", "ocr")
"""Words in the names of models that are not for chats."""


def capabilities(provider: str, model: str) -> tuple[Capability, ...]:
    """What is known of it; ("unknown",) where nothing is. Empty: plain text and no more."""
    name = model.lower().rpartition("/")[2]
    if "embed" in name:
        return ("embeddings",)
    if any(word in name for word in _OTHERS):
        return UNKNOWN
    for beginning, known in (*_FAMILIES.get(provider, ()), *_EVERYWHERE):
        if name.startswith(beginning):
            return known
    return UNKNOWN

"""Prosa: a self-hosted AI chat backend. One conversation store and one run engine behind several doors.

from prosa import Prosa

async with Prosa() as prosa:
    async for event in prosa.chat.send("Hello!"):
        ...
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = [
    "Caller",
    "LLMFactory",
    "LLMProvider",
    "Prosa",
    "ProsaError",
    "ToolError",
    "__version__",
    "calculate_cost",
    "check_usage_limit",
    "close",
    "count_tokens",
    "create_branch",
    "create_provider",
    "handle_chat_request",
    "process_user_chat_message",
    "send_claude_message",
    "send_openai_message",
    "stream_openai_response",
    "summarize_conversation",
    "tool",
    "truncate_messages",
]

if TYPE_CHECKING:
    from prosa.direct.chat import create_branch, handle_chat_request, process_user_chat_message
    from prosa.direct.claude import send_claude_message
    from prosa.direct.limiting import check_usage_limit
    from prosa.direct.openai import send_openai_message, stream_openai_response
    from prosa.direct.opened import close
    from prosa.direct.provider import LLMFactory, LLMProvider, create_provider
    from prosa.direct.summarizing import summarize_conversation
    from prosa.direct.truncating import count_tokens, truncate_messages
    from prosa.domain.errors import ProsaError
    from prosa.library import Prosa
    from prosa.ports.tools import Caller
    from prosa.services.models.prices import calculate_cost
    from prosa.services.tools.marks import ToolError, tool

_WHERE = {
    "Caller": "prosa.ports.tools",
    "LLMFactory": "prosa.direct.provider",
    "LLMProvider": "prosa.direct.provider",
    "Prosa": "prosa.library",
    "ProsaError": "prosa.domain.errors",
    "ToolError": "prosa.services.tools.marks",
    "calculate_cost": "prosa.services.models.prices",
    "check_usage_limit": "prosa.direct.limiting",
    "close": "prosa.direct.opened",
    "count_tokens": "prosa.direct.truncating",
    "create_branch": "prosa.direct.chat",
    "create_provider": "prosa.direct.provider",
    "handle_chat_request": "prosa.direct.chat",
    "process_user_chat_message": "prosa.direct.chat",
    "send_claude_message": "prosa.direct.claude",
    "send_openai_message": "prosa.direct.openai",
    "stream_openai_response": "prosa.direct.openai",
    "summarize_conversation": "prosa.direct.summarizing",
    "tool": "prosa.services.tools.marks",
    "truncate_messages": "prosa.direct.truncating",
}


def __getattr__(name: str) -> Any:
    # What is not asked for is not loaded: `import prosa` costs milliseconds.
    if name not in _WHERE:
        raise AttributeError(f"module 'prosa' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)

"""Prosa: a self-hosted AI chat backend. One conversation store and one run engine behind several doors.

from prosa import Prosa

async with Prosa() as prosa:
    async for event in prosa.chat.send("Hello!"):
        ...
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Caller", "Prosa", "ProsaError", "ToolError", "__version__", "calculate_cost", "tool"]

if TYPE_CHECKING:
    from prosa.domain.errors import ProsaError
    from prosa.library import Prosa
    from prosa.ports.tools import Caller
    from prosa.services.models.prices import calculate_cost
    from prosa.services.tools.marks import ToolError, tool

_WHERE = {
    "Caller": "prosa.ports.tools",
    "Prosa": "prosa.library",
    "ProsaError": "prosa.domain.errors",
    "ToolError": "prosa.services.tools.marks",
    "calculate_cost": "prosa.services.models.prices",
    "tool": "prosa.services.tools.marks",
}


def __getattr__(name: str) -> Any:
    # What is not asked for is not loaded: `import prosa` costs milliseconds.
    if name not in _WHERE:
        raise AttributeError(f"module 'prosa' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)

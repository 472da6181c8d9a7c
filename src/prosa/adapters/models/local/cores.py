"""How many threads the model may keep busy, so that the server beside it still gets its turn."""

import os
from pathlib import Path

MOST = 8
"""Beyond this a small model gains nothing: its threads wait for memory, and for each other."""

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def threads() -> int:
    """All cores but one. A thread too many is worse than one too few: they spin while they wait."""
    return max(1, min(MOST, cores() - 1))


def cores() -> int:
    """The whole cores that this process may use: by its affinity, and by its container's share."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share = quota(QUOTA.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return own
    return own if share is None else min(own, share)


def quota(told: str) -> int | None:
    """The cores that a `cpu.max` of cgroup v2 grants ("200000 100000": two), None for no bound."""
    most, period = told.split()
    return None if most == "max" else max(1, int(most) // int(period))

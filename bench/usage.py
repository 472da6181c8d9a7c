"""What a process and its children have used: CPU time and memory, from /proc."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def tree(pid: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield pid
    for thread in _threads(pid):
        with contextlib.suppress(OSError):
            for child in (thread / "children").read_text().split():
                yield from tree(int(child))


def cpu(pid: int) -> float:
    """Microseconds of CPU that the tree has taken, in user and in system mode."""
    return sum(_cpu_of(thread) for process in tree(pid) for thread in _threads(process)) / 1_000


def memory(pid: int) -> float:
    """Megabytes that the tree holds: Pss, where shared pages count in parts."""
    kilobytes = 0
    for process in tree(pid):
        with contextlib.suppress(OSError):
            found = _PSS.search(Path(f"/proc/{process}/smaps_rollup").read_text())
            kilobytes += int(found[1]) if found is not None else 0
    return kilobytes / 1_024


def _threads(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _cpu_of(thread: Path) -> float:
    """In nanoseconds: the scheduler's own account, or the tick's (10 ms each) where the kernel keeps none."""
    with contextlib.suppress(OSError):
        return float((thread / "schedstat").read_text().split()[0])
    with contextlib.suppress(OSError):
        fields = (thread / "stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) * 1e9 / os.sysconf("SC_CLK_TCK")
    return 0.0

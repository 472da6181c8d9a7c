"""What serves to see runs costs nothing for each of their tokens."""

import sys
import threading
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from tests.unit.services.house import House, events_of

from prosa.services.tracing import tracing

WATCHED = (
    "kit/log.py",
    "kit/secrets.py",
    "kit/faults.py",
    "services/meters.py",
    "services/tracing.py",
    "domain/timing.py",
)


async def calls(folder: Path, tokens: int, conversation: Any = None) -> Counter[str]:
    """The calls in those modules, while an answer of so many tokens is told to its end."""
    counted: Counter[str] = Counter()

    def count(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.endswith(WATCHED):
            counted[f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}"] += 1

    async with House(folder, ["w "] * tokens) as house:
        one = await house.conversation()
        sys.setprofile(count)
        try:
            _, reader = await house.send(one)
            events = await events_of(reader)
        finally:
            sys.setprofile(None)
    assert len(events) >= tokens
    return counted


async def test_as_many_calls_for_a_long_answer_as_for_a_short(tmp_path: Path) -> None:
    assert tracing.tracer is None
    assert threading.current_thread() is threading.main_thread()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    short, long = await calls(tmp_path / "a", 10), await calls(tmp_path / "b", 500)
    assert short["meters.first_word"] == long["meters.first_word"] == 1
    assert sum(short.values()) == sum(long.values()), (short, long)
    assert sum(long.values()) < 30, long

"""Tells the cancellation of a task from one that only came up in it."""

import asyncio


def cancelled() -> bool:
    """Whether somebody has cancelled the current task. A CancelledError without that is somebody else's: of a
    task or a future that was waited for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

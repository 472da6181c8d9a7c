"""One life of the child process, from its order to its end."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

PROGRAM = Path(__file__).with_name("child.py")
LONGEST_START = 120.0
LONGEST_END = 2.0
LAST_WORDS = 2_000

KEPT = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "USERPROFILE"),
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
)
"""All that the child gets to see of the environment: the keys of other providers are none of its business."""


class Ready(Struct, frozen=True):
    """The line that the child answers with."""

    url: str


class Life:
    def __init__(self, process: Process) -> None:
        self.url = ""
        self._process = process
        self._said = b""
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def begin(cls, order: bytes) -> Self:
        """A child that is ready. Raises `OSError`, `TimeoutError`, or `ValueError` with its last words."""
        command = (sys.executable, "-P", str(PROGRAM))
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment
        )
        life = cls(process)
        try:
            async with asyncio.timeout(LONGEST_START):
                life.url = await life._ask(order)
        except BaseException:
            await life.end(0)
            raise
        return life

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def over(self) -> bool:
        return self._process.returncode is not None

    async def ended(self) -> str:
        """Waits for the end and tells of it: the exit status, and what was said last."""
        status = await self._process.wait()
        await self._listening
        return f"exit status {status}: {self._last_words()}"

    async def end(self, patience: float = LONGEST_END) -> None:
        """Asks the child to go, and makes it go after `patience` seconds."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._process.wait()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()

    async def _ask(self, order: bytes) -> str:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(order + b"\n")
        with suppress(ConnectionError):  # it is gone already: its last words tell more
            await stdin.drain()
        if line := await stdout.readline():
            return told(line)
        raise ValueError(await self.ended())

    async def _listen(self) -> None:
        """Reads all that the child complains of, lest it block, and remembers the end."""
        assert self._process.stderr is not None
        while piece := await self._process.stderr.read(LAST_WORDS):
            self._said = (self._said + piece)[-LAST_WORDS:]

    def _last_words(self) -> str:
        return self._said.decode(errors="replace").strip() or "it said nothing"


def told(line: bytes) -> str:
    """The URL in the child's answer. Raises `ValueError`."""
    try:
        return msgspec.json.decode(line, type=Ready).url
    except msgspec.DecodeError as error:
        raise ValueError(f"the child answered {line[:100]!r}") from error

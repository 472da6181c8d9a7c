"""Processes of the command `prosa`, each a copy of one that has loaded everything: a fresh interpreter spends
most of a second of processor time on that, and the tests start hundreds. Some tests of the command, and the one
of the installed wheel, start an interpreter all the same."""

import asyncio
import atexit
import functools
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MOST = 1 << 17
"""Bytes of an order; the environment is in it."""

_NOT_LOADED = ("prosa.__main__", "prosa.adapters.store.migrations.")


class Copy:
    """A process that runs `prosa` with `words`; `streams` are its stdin, stdout and stderr."""

    def __init__(
        self, words: Sequence[str], env: Mapping[str, str], cwd: Path, streams: tuple[int, int, int]
    ) -> None:
        order = json.dumps({"words": words, "env": dict(env), "cwd": str(cwd)}).encode()
        self._end, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(_original(), [order], [*streams, theirs.fileno()])
        self.pid = int(_original().recv(MOST))
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    async def wait(self) -> int:
        """The status, once it has ended; below zero the signal that ended it."""
        if self.returncode is None:
            self._end.setblocking(False)
            said = await asyncio.get_running_loop().sock_recv(self._end, MOST)
            self._settle(said)
        return self._status()

    def wait_here(self, seconds: float) -> int:
        """As `wait`, for those without a loop. Raises TimeoutError."""
        if self.returncode is None:
            self._end.settimeout(seconds)
            self._settle(self._end.recv(MOST))
        return self._status()

    def _settle(self, said: bytes) -> None:
        if self.returncode is None:  # else somebody else has waited, too
            self.returncode = int(said)
            self._end.close()

    def _status(self) -> int:
        assert self.returncode is not None
        return self.returncode


def ran(
    words: Sequence[str], env: Mapping[str, str], cwd: Path, said: str = "", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """The whole of a command that ends by itself."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(said.encode())
        given.seek(0)
        copy = Copy(words, env, cwd, (given.fileno(), out.fileno(), err.fileno()))
        try:
            status = copy.wait_here(seconds)
        except TimeoutError:
            copy.send_signal(signal.SIGKILL)
            copy.wait_here(seconds)
            raise
        texts = []
        for each in (out, err):
            each.seek(0)
            texts.append(each.read().decode())
    return subprocess.CompletedProcess(list(words), status, *texts)


@functools.cache
def _original() -> socket.socket:
    """Where the process that is copied takes its orders; it ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = f"from tests.copies import serve; serve({theirs.fileno()})"
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL")}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, pass_fds=[theirs.fileno()],
        env=kept | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    theirs.close()

    def end() -> None:
        ours.close()
        process.wait(30)

    atexit.register(end)
    return ours


def serve(control: int) -> None:
    """The process that is copied. It takes orders until nobody is left to give any; a copy leaves this
    function with the command's own end."""
    _load()
    gc.collect()
    gc.freeze()  # else a copy would look through all of it as it ends
    ended, notice = os.pipe()
    os.set_blocking(notice, False)
    signal.set_wakeup_fd(notice)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    ends: dict[int, socket.socket] = {}
    with socket.socket(fileno=control) as orders:
        while True:
            ready, _, _ = select.select([orders, ended], [], [])
            if ended in ready:
                os.read(ended, MOST)
                _bury(ends)
            if orders in ready:
                order, given, _, _ = socket.recv_fds(orders, MOST, 4)
                if not order:
                    return
                pid = os.fork()
                if not pid:
                    break
                ends[pid] = socket.socket(fileno=given.pop())
                for each in given:
                    os.close(each)
                orders.send(str(pid).encode())
    for each in ends.values():
        each.close()
    for number in (ended, notice, given.pop()):
        signal.set_wakeup_fd(-1)
        os.close(number)
    _become(json.loads(order), given)


def _load() -> None:
    import prosa

    for found in pkgutil.walk_packages(prosa.__path__, "prosa."):
        if not found.name.startswith(_NOT_LOADED):
            importlib.import_module(found.name)


def _bury(ends: dict[int, socket.socket]) -> None:
    """Tells of all that have ended."""
    while ends:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with ends.pop(pid) as end:
            try:
                end.send(str(os.waitstatus_to_exitcode(status)).encode())
            except OSError:
                continue  # nobody waits any more


def _become(order: dict[str, Any], streams: Sequence[int]) -> None:
    from prosa.cli import main

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, each in enumerate(streams):
        os.dup2(each, number)
        os.close(each)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["prosa", *order["words"]]
    main()

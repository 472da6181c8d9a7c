"""The processes that are measured: started with an environment of their own, stopped at the end."""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_OURS = re.compile(r"PROSA_|DEFAULT_AI_|OLLAMA_|.*_(API_KEY|BASE_URL)$")

TO_STOP = 15
"""Seconds."""


class Process:
    """A server that said where it listens."""

    def __init__(self, popen: "subprocess.Popen[str]", port: int) -> None:
        self.pid = popen.pid
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def bare_environment() -> dict[str, str]:
    """Without anybody's settings."""
    return {name: value for name, value in os.environ.items() if not _OURS.match(name)}


@contextlib.contextmanager
def started(*words: str, folder: Path = ROOT, env: Mapping[str, str] | None = None) -> Iterator[Process]:
    """`python -m words…`, once it listens. Raises RuntimeError with its last words where it does not."""
    with tempfile.TemporaryFile("w+") as errors:
        popen = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env={**bare_environment(), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Process(popen, _port(popen, errors))
        finally:
            _stop(popen)


@contextlib.contextmanager
def prosa(env: Mapping[str, str]) -> Iterator[Process]:
    """Prosa with these settings and, unless they name another, an SQLite database of its own."""
    with tempfile.TemporaryDirectory(prefix="prosa-bench-") as folder:
        defaults = {
            "PROSA_PORT": "0",
            "PROSA_TITLE_MODEL": "off",
            "PROSA_DATABASE_URL": f"sqlite:///{folder}/prosa.db",
        }
        with started("prosa", "serve", folder=Path(folder), env={**defaults, **env}) as process:
            yield process


def _port(popen: "subprocess.Popen[str]", errors: IO[str]) -> int:
    assert popen.stdout is not None
    for line in popen.stdout:
        address = _ADDRESS.search(line)
        if address is not None:
            return int(address[1])
    errors.seek(0)
    raise RuntimeError(f"{popen.args!r} ended before it listened:\n{errors.read()[-2_000:]}")


def _stop(popen: "subprocess.Popen[str]") -> None:
    popen.terminate()
    try:
        popen.wait(TO_STOP)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()

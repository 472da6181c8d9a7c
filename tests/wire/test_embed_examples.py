"""The two examples of docs/identity.md, run as they stand there: their tokens let guests in."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest
from tests.wire.access import bearer, made
from tests.wire.house import House

PAGE = (Path(__file__).parents[2] / "docs" / "identity.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


@pytest.mark.parametrize(
    ("language", "command", "call"),
    [
        ("js", ["node", "-e"], "process.stdout.write(embedToken(...process.argv.slice(1)));"),
        ("python", ["python3", "-c"], "import sys\nprint(embed_token(*sys.argv[1:]), end='')"),
    ],
    ids=["Node", "Python"],
)
async def test_an_example(guarded: House, language: str, command: list[str], call: str) -> None:
    host = await made(guarded, "shop", clientId="acme", scopes=["embed"])
    words = [*command, f"{example(language)}\n{call}", host["kid"], host["signingSecret"], "josé"]
    done = await asyncio.to_thread(subprocess.run, words, check=True, capture_output=True, timeout=60)
    token = done.stdout.decode()
    answer = await guarded.get("/api/session", headers=bearer(token))
    assert answer.json()["userId"] == "prosa:guest:acme:josé"

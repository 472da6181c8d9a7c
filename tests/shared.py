"""Where recorded provider traffic and the seeds are found: `PROSA_RECORDINGS`, or beside the project."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

RECORDINGS = Path(
    os.environ.get("PROSA_RECORDINGS") or Path(__file__).resolve().parents[1] / ".." / "shared" / "recordings"
)

SEEDS = RECORDINGS.parent / "seeds"

needs_seeds = pytest.mark.skipif(
    not SEEDS.is_dir(),
    reason="The documents that Prosa was asked for in are not here: this test runs their own client code.",
)


def seed(number: str) -> str:
    """The text of a seed by its number, `001`."""
    (found,) = SEEDS.glob(f"{number}_*")
    return found.read_text(encoding="utf-8")


needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason="The recorded provider traffic is not here: set PROSA_RECORDINGS to its folder to run this test.",
)


def recording(name: str) -> Any:
    """The JSON file `name` (`openai/chat_stream_usage__mirascope__1`) below the folder."""
    return json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))


def names(provider: str) -> list[str]:
    """All files of one folder, so that they can be parameters of a test; none where the folder is absent."""
    return sorted(f"{provider}/{path.stem}" for path in (RECORDINGS / provider).glob("*.json"))


def exchanges(provider: str) -> Iterator[tuple[str, Any]]:
    """Each recording of one request and one response, with its name."""
    for name in names(provider):
        found = recording(name)
        if "response" in found:
            yield name, found


def streamed(provider: str, path: str) -> list[str]:
    """The names of the recordings of `path` whose response is a stream."""
    return [
        name
        for name, found in exchanges(provider)
        if "chunks" in found["response"] and found["request"]["path"].endswith(path)
    ]


def body(found: Any) -> bytes:
    """The bytes of a recorded response."""
    response = found["response"]
    if "chunks" in response:
        return "".join(response["chunks"]).encode()
    if "body_text" in response:
        return str(response["body_text"]).encode()
    return json.dumps(response.get("body")).encode()


def pieces(whole: bytes, size: int) -> list[bytes]:
    """`whole` in pieces of `size` bytes; uncut where `size` is 0."""
    return [whole[at : at + size] for at in range(0, len(whole), size)] if size else [whole]

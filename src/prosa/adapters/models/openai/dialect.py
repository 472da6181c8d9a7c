"""The rows of data that tell one server of OpenAI's chat completions from another."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace
from yarl import URL

from prosa.domain.models import Effort

EFFORTS: tuple[Effort, ...] = get_args(Effort)
"""From the shortest to the longest."""


class Dialect(Struct, frozen=True):
    """How one server wants to be spoken to. `cap` is the field that bounds the answer's tokens."""

    name: str = "openai"
    base_url: str = "https://api.openai.com/v1"
    cap: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    needs_key: bool = True
    key_header: Literal["authorization", "api-key"] = "authorization"
    """Where the key goes: behind the word `Bearer`, or bare."""
    deployments: str = ""
    """The `api-version` of Azure's older URLs, which name the model; empty for the servers that have none."""
    refuses: frozenset[str] = frozenset()
    """Fields that are never sent: the server refuses a request that has them, even with a default."""
    efforts: tuple[Effort, ...] = EFFORTS
    """The reasoning efforts that it knows."""
    unthinking: Mapping[str, Any] = {}
    """What is sent in place of an effort where the model shall not think, if that is a field of its own."""
    schemas: bool = True
    """Whether answers can be held to a JSON Schema; else it is asked for in words, beside a JSON object."""
    thoughts: Literal["", "reasoning_content", "reasoning", "thought_signature"] = ""
    """The field in which thoughts go back with the tool calls that followed from them, where they may: as
    text beside the calls, or as Gemini's signature in each."""
    counting: str = ""
    """The route that counts a request's tokens."""
    lasting: bool = True
    """Whether a connection serves several requests. llama.cpp's don't outlive a stream, and nothing says so:
    the next request would be lost."""


OPENAI = Dialect()
_THREE: tuple[Effort, ...] = ("low", "medium", "high")
_SWITCHED: tuple[Effort, ...] = ("none", "low", "medium", "high")

ROWS: Mapping[str, Dialect] = {
    row.name: row
    for row in (
        OPENAI,
        Dialect("azure", "", key_header="api-key", deployments="2024-10-21"),
        Dialect("groq", "https://api.groq.com/openai/v1", efforts=_SWITCHED),
        Dialect(
            "deepseek",
            "https://api.deepseek.com/v1",
            cap="max_tokens",
            refuses=frozenset({"parallel_tool_calls", "seed", "strict"}),
            efforts=("low", "medium", "high", "xhigh"),
            unthinking={"thinking": {"type": "disabled"}},
            schemas=False,
            thoughts="reasoning_content",
        ),
        Dialect("openrouter", "https://openrouter.ai/api/v1", cap="max_tokens", thoughts="reasoning"),
        Dialect("together", "https://api.together.xyz/v1", cap="max_tokens", efforts=_THREE),
        Dialect("fireworks", "https://api.fireworks.ai/inference/v1", cap="max_tokens", efforts=_SWITCHED),
        Dialect("xai", "https://api.x.ai/v1", efforts=_THREE),
        Dialect("cerebras", "https://api.cerebras.ai/v1", efforts=_THREE),
        Dialect(
            "gemini",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            refuses=frozenset({"parallel_tool_calls", "seed", "strict"}),
            efforts=("none", "minimal", "low", "medium", "high"),
            thoughts="thought_signature",
        ),
        Dialect("vllm", "http://127.0.0.1:8000/v1", needs_key=False, efforts=_SWITCHED),
        Dialect("lmstudio", "http://127.0.0.1:1234/v1", cap="max_tokens", needs_key=False, efforts=_THREE),
        Dialect(
            "llamacpp",
            "http://127.0.0.1:8080/v1",
            cap="max_tokens",
            needs_key=False,
            thoughts="reasoning_content",
            counting="chat/completions/input_tokens",
            lasting=False,
        ),
    )
}
"""The servers that are known by name. One that runs at home is given where it listens by default; Azure's
address (`https://{resource}.openai.azure.com`) is each customer's own."""


def localised(dialect: Dialect, base_url: str | None) -> Dialect:
    """`dialect` at another address. OpenAI's, at the address of another row's server, is that row with
    OpenAI's name; what only resembles OpenAI knows `max_tokens`, and may want no key."""
    if base_url is None or base_url == dialect.base_url:
        return dialect
    moved = replace(dialect, base_url=base_url)
    host, path = _place(base_url)
    if dialect.deployments:
        return replace(moved, deployments="") if path.endswith("/v1") else moved
    if dialect is not OPENAI or host == URL(OPENAI.base_url).host:
        return moved
    if host.endswith(".azure.com"):
        return replace(localised(ROWS["azure"], base_url), name=dialect.name)
    known = next((row for row in ROWS.values() if row.needs_key and URL(row.base_url).host == host), None)
    if known is not None:
        return replace(known, name=dialect.name, base_url=base_url)
    return replace(moved, cap="max_tokens", needs_key=False)


def _place(base_url: str) -> tuple[str, str]:
    """Host and path, without a slash at its end; empty for what is no URL, as who builds the routes says."""
    try:
        url = URL(base_url.strip())
    except ValueError:
        return "", ""
    return url.host or "", url.path.rstrip("/")

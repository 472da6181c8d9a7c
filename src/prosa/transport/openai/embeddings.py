"""`POST /v1/embeddings`: texts in, vectors out, from any provider that makes them."""

import asyncio
import sys
from array import array
from base64 import b64encode
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Send

from prosa.domain import errors as e
from prosa.services.embeddings import Embedded
from prosa.transport.openai.asked import without_nul
from prosa.transport.openai.caller import Caller
from prosa.transport.openai.completions import LARGEST
from prosa.transport.openai.errors import FAILURES, refusal
from prosa.transport.openai.forms import NO_NUL, Count, Label, Model
from prosa.transport.operation import JSON, Call, Nothing, Operation, Stream, respond

AT_ONCE = 32
"""Vectors that are written before others get their turn."""

Input = Annotated[str, Meta(min_length=1, max_length=2_000_000, extra_json_schema=NO_NUL)]
Inputs = Annotated[
    list[Input | int | list[int]],
    Meta(min_length=1, max_length=2_048, extra_json_schema={"allOf": [{"items": {"type": "string"}}]}),
]
"""Texts; lists of tokens are known, and refused."""


class EmbeddingsBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`encoding_format` "base64" gives the vector as little-endian float32."""

    input: Input | Inputs
    model: Model = ""
    dimensions: Count | None = None
    encoding_format: Literal["float", "base64"] | None = None
    user: Label | None = None


class EmbeddingForm(Struct, frozen=True):
    index: int
    embedding: list[float] | str
    object: Literal["embedding"] = "embedding"


class EmbeddingsUsage(Struct, frozen=True):
    prompt_tokens: int
    total_tokens: int


class EmbeddingsForm(Struct, frozen=True):
    data: list[EmbeddingForm]
    model: str
    usage: EmbeddingsUsage
    object: Literal["list"] = "list"


async def create_embeddings(call: Call[EmbeddingsBody, Nothing]) -> Stream:
    """Nothing is stored but the bill. Lists of tokens are not supported: they mean something to one model
    alone (in LangChain: `check_embedding_ctx_length=False`)."""
    body = call.body
    texts = _texts(body.input)
    dimensions = None if body.dimensions is None else int(body.dimensions)

    async def write(receive: Receive, send: Send) -> None:
        work = call.chat.embeddings.embed(call.principal, body.model, texts, dimensions)
        try:
            made = await Caller(receive, send).attend(work)
        except e.ProsaError as error:
            refused = refusal(error, call.language)
            await respond(send, refused.status, refused.headers, refused.body)
        except ClientDisconnect:
            return
        else:
            await respond(send, 200, JSON, await encoded(made, packed=body.encoding_format == "base64"))

    return Stream(write)


def _texts(given: str | list[str | int | list[int]]) -> tuple[str, ...]:
    several = [given] if isinstance(given, str) else given
    texts = tuple(text for text in several if isinstance(text, str))
    if len(texts) < len(several):
        raise e.NotSupported("`input` as tokens")
    return without_nul(texts, "input")


async def encoded(made: Embedded, *, packed: bool) -> bytes:
    """The JSON of all vectors, with a pause for others after some of them."""
    pieces: list[bytes] = []
    for index, vector in enumerate(made.vectors):
        form = EmbeddingForm(index, _packed(vector) if packed else list(vector))
        pieces.append(msgspec.json.encode(form))
        if index % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    tokens = made.usage.prompt_tokens
    frame = msgspec.json.encode(EmbeddingsForm([], made.model, EmbeddingsUsage(tokens, tokens)))
    return frame.replace(b'"data":[]', b'"data":[' + b",".join(pieces) + b"]", 1)


def _packed(vector: tuple[float, ...]) -> str:
    floats = array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return b64encode(floats.tobytes()).decode()


OPERATIONS = [
    Operation("POST", "/v1/embeddings", "Turn texts into vectors", create_embeddings,
              takes=EmbeddingsBody,
              gives={200: EmbeddingsForm}, failures=FAILURES, limit=LARGEST,
              errors=(e.NotSupported, e.NoSuchModel, e.TokenLimitReached, e.CostLimitReached, e.PriceUnknown,
                      e.ProviderNotConfigured, e.ProviderRefused, e.RateLimited, e.ProviderError,
                      e.ProviderTimeout, e.ShuttingDown)),
]  # fmt: skip

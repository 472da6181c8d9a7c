"""Counts are OpenAI's own: the published ones, in the encoding of each model, however long a word is."""

import base64
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.work import within
from tiktoken_ext import openai_public

from prosa.services.context.encodings import _PATTERNS, CL100K, O200K, _loaded, count, encoding_of

PUBLISHED = [
    ("antidisestablishmentarianism", 6, 6),
    ("2 + 2 = 4", 7, 7),
    ("お誕生日おめでとう", 9, 8),
    ("tiktoken is great!", 6, 6),
    ("", 0, 0),
]
"""From OpenAI's cookbook, "How to count tokens with tiktoken": text, cl100k_base, o200k_base."""


@pytest.mark.parametrize(("text", "older", "newer"), PUBLISHED)
def test_published_counts(text: str, older: int, newer: int) -> None:
    assert (count(text, CL100K), count(text, O200K)) == (older, newer)


@pytest.mark.parametrize("encoding", [CL100K, O200K])
def test_the_encodings_are_those_that_openai_published(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The patterns, and the pairs by their hash."""
    hashes = []

    def load(_url: str, expected_hash: str) -> dict[bytes, int]:
        hashes.append(expected_hash)
        return {}

    monkeypatch.setattr(openai_public, "load_tiktoken_bpe", load)
    assert getattr(openai_public, encoding)()["pat_str"] == _PATTERNS[encoding]
    ranks = _loaded(encoding)._mergeable_ranks
    lines = b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in ranks.items())
    assert hashlib.sha256(lines).hexdigest() == hashes[0]


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-4o", O200K), ("gpt-4o-mini-2024-07-18", O200K), ("openai/gpt-4.1-mini", O200K),
        ("gpt-4.5-preview", O200K), ("gpt-5", O200K), ("gpt-5.1-mini", O200K), ("o1", O200K),
        ("o3-mini", O200K), ("o4-mini", O200K), ("chatgpt-4o-latest", O200K), ("gpt-oss-120b", O200K),
        ("ft:gpt-4o-mini:acme::1", O200K), ("gpt-4", CL100K), ("gpt-4-turbo-preview", CL100K),
        ("ft:gpt-4-0613:acme::1", CL100K), ("gpt-3.5-turbo", CL100K), ("text-embedding-3-small", CL100K),
        ("text-embedding-ada-002", CL100K), ("claude-haiku-4-5", None), ("mistral-small", None),
        ("llama3.2", None), ("echo", None), ("", None),
    ],
)  # fmt: skip
def test_the_encoding_of_a_model(model: str, encoding: str | None) -> None:
    assert encoding_of(model) == encoding


def test_what_looks_like_a_special_token_is_text() -> None:
    assert count("<|endoftext|>", O200K) > 1


@pytest.mark.parametrize("text", ["a" * 400_000, " " * 400_000 + "x", "^" * 400_000, "👩‍👩‍👧" * 50_000])
def test_long_words_take_no_longer_than_prose(text: str) -> None:
    count("a", O200K)
    with within(5):
        assert 0 < count(text, O200K) <= len(text.encode())


@given(st.text(max_size=200))
def test_no_more_tokens_than_bytes(text: str) -> None:
    """Also of text that is no UTF-8."""
    for encoding in (CL100K, O200K):
        assert count(text, encoding) <= len(text.encode("utf-8", "replace")) * 3
        assert (count(text, encoding) == 0) == (text == "")


def test_an_ordinary_turn_loads_no_tokenizer(tmp_path: Path) -> None:
    """Nor do the ones after it, while the bytes of the conversation fit into the window."""
    code = f"""
import asyncio, sys
from prosa import Prosa
from prosa.adapters.models.fake.client import FakeModel

async def main():
    async with Prosa(models={{"openai": FakeModel(provider="openai")}}, default_provider="openai",
                     default_model="gpt-4o", database_url="sqlite:///{tmp_path / "a.db"}") as prosa:
        for number in range(10):
            answer = await prosa.process_user_chat_message(f"{{number}} " + "word " * 300)
        assert (answer.run.model, answer.run.context.estimated) == ("gpt-4o", True), answer.run
    print([name for name in sys.modules if "tiktoken" in name])

asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr

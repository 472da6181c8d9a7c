"""OpenAI's moderation endpoint, as it answers and as it fails."""

import msgspec
import pytest
from tests.unit.adapters.models.loopback import CUT, Loopback, Play

from prosa.adapters.moderation.openai import OpenAIModeration
from prosa.domain.errors import BrokenStream, MisconfiguredError, ProviderError, ProviderTimeout, RateLimited
from prosa.domain.moderation import Verdict

KEY = "sk-canary-of-the-moderation"


def reply(*results: object) -> Play:
    body = msgspec.json.encode({"id": "modr-1", "model": "omni-moderation-latest", "results": results})
    return Play((body,))


FINE = {
    "flagged": False,
    "categories": {"violence": False, "illicit": None},
    "category_scores": {"violence": 0.1},
}
RUDE = {"flagged": True, "categories": {"violence": True, "hate": True, "sexual": False}}


async def judged(play: Play, categories: tuple[str, ...] = ()) -> Verdict:
    async with Loopback(play).listening() as server:
        moderation = OpenAIModeration(
            KEY,
            model="omni-moderation-latest",
            base_url=f"{server.base}/v1",
            categories=categories,
        )
        try:
            return await moderation.judge("Olá", None, [].append)
        finally:
            await moderation.close()
            (seen,) = server.seen
            assert (seen.method, seen.path) == ("POST", "/v1/moderations")
            assert seen.headers["authorization"] == f"Bearer {KEY}"
            assert seen.body == {"model": "omni-moderation-latest", "input": "Olá"}


@pytest.mark.parametrize(
    ("results", "categories", "verdict"),
    [
        ([FINE], (), Verdict(flagged=False)),
        ([RUDE], (), Verdict(flagged=True, categories=("hate", "violence"))),
        ([FINE, RUDE], (), Verdict(flagged=True, categories=("hate", "violence"))),
        ([RUDE], ("sexual", "illicit"), Verdict(flagged=False)),
        ([RUDE], ("violence",), Verdict(flagged=True, categories=("violence",))),
    ],
)
async def test_verdicts(results: list[object], categories: tuple[str, ...], verdict: Verdict) -> None:
    assert await judged(reply(*results), categories) == verdict


@pytest.mark.parametrize(
    "play",
    [
        reply(), Play((b"{}",)), Play((b"not json",)), Play((b"\xff",)), Play((b'{"results": [{}]}',)),
        Play((b'{"results": [{"flagged": "no"}]}',)), Play((b'{"resul', CUT), headers={"content-length": "99"}),
    ],
)  # fmt: skip
async def test_what_is_no_verdict(play: Play) -> None:
    with pytest.raises(BrokenStream):
        await judged(play)


@pytest.mark.hostile(21)
async def test_an_error_does_not_tell_the_key() -> None:
    body = msgspec.json.encode({"error": {"message": f"slow down, {KEY}", "code": "rate_limit_exceeded"}})
    with pytest.raises(RateLimited) as raised:
        await judged(Play((body,), 429))
    assert KEY not in f"{raised.value} {raised.value.details}"


async def test_a_refusal() -> None:
    with pytest.raises(ProviderError):
        await judged(Play((b'{"error": {"message": "no"}}',), 401))


async def test_an_address_that_is_none() -> None:
    with pytest.raises(MisconfiguredError):
        OpenAIModeration(None, model="m", base_url="nonsense")


async def test_it_costs_nothing_and_needs_no_key_elsewhere() -> None:
    moderation = OpenAIModeration(None, model="m", base_url="http://127.0.0.1:9/v1", timeout=1)
    assert moderation.bound(1) is None
    with pytest.raises((ProviderError, ProviderTimeout)):
        await moderation.judge("x", None, [].append)
    await moderation.close()

"""One provider through several keys: who is asked, and what is told when none will do."""

import pytest
from tests.clock import now, timeless
from tests.unit.services.models.scripts import ASK, STOP, Scripted, hear

from prosa.domain.errors import (
    BrokenStream,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    QuotaExhausted,
    RateLimited,
)
from prosa.domain.models import Asked, EmbedRequest, TextDelta, Usage, UsageReport
from prosa.services.models.keyed import Keyed
from prosa.services.models.keyring import Key, KeyRing

EMBED = EmbedRequest("m", ("one",))
TURNED_AWAY = [ProviderKeyRefused("p", status=401), QuotaExhausted("p"), RateLimited("p", 5.0)]


def keyed(*models: Scripted) -> Keyed:
    return Keyed(KeyRing("p", [Key(f"k{place}", model) for place, model in enumerate(models)], clock=now))


@timeless
async def test_the_provider_is_asked_after_it_is_said() -> None:
    model = Scripted(["hi"])
    stream = keyed(model).stream(ASK)
    assert await anext(stream) == Asked("p", "m", "k0")
    assert model.asked == 0
    assert await anext(stream) == TextDelta("hi")
    await stream.aclose()
    assert model.calls[0].closed.is_set()


@pytest.mark.parametrize("error", TURNED_AWAY)
@timeless
async def test_the_next_key_answers(error: ProviderError) -> None:
    first, second = Scripted([UsageReport(Usage(1)), error]), Scripted(["hi"])
    model = keyed(first, second)
    heard = await hear(model)
    assert heard.events == [
        Asked("p", "m", "k0"),
        UsageReport(Usage(1)),
        Asked("p", "m", "k1", error.code),
        TextDelta("hi"),
        STOP,
    ]
    again = await hear(model)
    assert again.events[0] == Asked("p", "m", "k1")
    assert (first.asked, second.asked) == (1, 2)


@pytest.mark.parametrize("error", TURNED_AWAY)
@timeless
async def test_whatever_is_called(error: Exception) -> None:
    first, second = Scripted([error]), Scripted(())
    await keyed(first, second).embed(EMBED)
    assert (first.asked, second.asked) == (1, 1)
    assert await keyed(Scripted([error]), Scripted(())).count_tokens(ASK) == 1
    assert len(await keyed(Scripted([error]), Scripted(())).models()) == 1


@timeless
async def test_other_errors_are_not_the_keys() -> None:
    second = Scripted(["hi"])
    for error in (ProviderOverloaded("p"), BrokenStream("p")):
        assert (await hear(keyed(Scripted([error]), second))).error is error
    assert second.asked == 0


@timeless
async def test_nothing_is_repeated_once_it_was_said() -> None:
    second = Scripted(["hi"])
    heard = await hear(keyed(Scripted(["h", RateLimited("p", 1.0)]), second))
    assert (heard.text, heard.code, second.asked) == ("h", "rate_limited", 0)


@timeless
async def test_a_refusal_of_one_model_does_not_cost_the_key() -> None:
    model = Scripted([ProviderKeyRefused("p", status=403)], ["hi"])
    only = keyed(model)
    assert (await hear(only)).code == "provider_bad_key"
    assert (await hear(only)).text == "hi"


@timeless
async def test_a_key_that_is_set_aside_is_not_asked_by_the_next() -> None:
    model = Scripted([ProviderKeyRefused("p", status=401)])
    only = keyed(model)
    for _ in range(3):
        assert (await hear(only)).code == "provider_bad_key"
    assert model.asked == 1


@pytest.mark.parametrize(
    ("errors", "code", "wait"),
    [
        ((RateLimited("p", 9.0), RateLimited("p", 4.0)), "rate_limited", 4.0),
        ((RateLimited("p", 4.0), RateLimited("p", 9.0)), "rate_limited", 4.0),
        ((RateLimited("p", 9.0), QuotaExhausted("p")), "rate_limited", 9.0),
        ((QuotaExhausted("p"), RateLimited("p", 9.0)), "rate_limited", 9.0),
        ((RateLimited("p"), RateLimited("p")), "rate_limited", None),
        ((QuotaExhausted("p"), ProviderKeyRefused("p")), "provider_bad_key", None),
    ],
)
@timeless
async def test_what_all_keys_say_together(
    errors: tuple[Exception, ...], code: str, wait: float | None
) -> None:
    heard = await hear(keyed(*(Scripted([error]) for error in errors)))
    assert heard.error is not None
    assert (heard.code, heard.error.details.get("retry_after")) == (code, wait)
    assert len(heard.events) == len(errors)


@timeless
async def test_closing_closes_every_key() -> None:
    models = Scripted(()), Scripted(())
    await keyed(*models).close()
    assert [model.closings for model in models] == [1, 1]

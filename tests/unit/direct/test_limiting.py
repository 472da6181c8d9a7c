"""`check_usage_limit`: whether a user has something left, of what is given and of what holds anyway."""

from pathlib import Path
from typing import Any

import pytest

from prosa import Prosa, ProsaError, check_usage_limit
from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.models import Usage, UsageReport


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({}, True),
        ({"max_tokens_per_day": 15}, False),
        ({"max_tokens_per_day": 16, "max_cost_per_month": 50}, True),
        ({"max_tokens_per_day": 10**9, "max_cost_per_month": "0"}, False),
        ({"max_cost_per_month": 0.01}, True),
    ],
)
async def test_what_is_given_counts(tmp_path: Path, given: dict[str, Any], allowed: bool) -> None:
    model = FakeModel(lambda _: ["Oi", UsageReport(Usage(10, 5))])
    async with Prosa(
        models={"fake": model}, database_url=f"sqlite:///{tmp_path}/own.db", title_model="off"
    ) as prosa:
        async for _ in prosa.chat.send("Hello", user_id="ana"):
            pass
        assert await check_usage_limit("ana", **given) is allowed
        assert await check_usage_limit("bia", 1) is True


async def test_the_strictest_of_it_and_of_what_holds_counts(tmp_path: Path) -> None:
    async with Prosa(
        models={"fake": FakeModel()},
        database_url=f"sqlite:///{tmp_path}/own.db",
        max_tokens_per_day=0,
        title_model="off",
    ):
        assert await check_usage_limit("ana", max_tokens_per_day=100_000) is False


@pytest.mark.parametrize(
    "given", [{"max_tokens_per_day": -1}, {"max_cost_per_month": -1}, {"max_cost_per_month": "much"},
              {"max_cost_per_month": float("nan")}],
)  # fmt: skip
async def test_limits_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ProsaError, match="must be"):
        await check_usage_limit("ana", **given)

"""What every answer tells the browser that shows it."""

from pathlib import Path

import pytest
from tests.wire.house import SECRET, House, furnished


@pytest.mark.parametrize("path", ["/health", "/api/conversations", "/nowhere", "/", "/openapi.json"])
async def test_every_answer_is_what_it_says_and_tells_nobody_where_one_was(guarded: House, path: str) -> None:
    answer = await guarded.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in answer.headers


async def test_over_https_it_stays_so(tmp_path: Path) -> None:
    for seconds in (31_536_000, 0):
        async with furnished(tmp_path, jwt_secret=SECRET, hsts_seconds=seconds) as house:
            house.base_url = "https://localhost"
            told = (await house.get("/health")).headers.get("strict-transport-security")
            assert told == (f"max-age={seconds}" if seconds else None)


async def test_nobody_frames_the_page_but_whom_the_operator_names(tmp_path: Path) -> None:
    for given, said in (("", "'none'"), ("https://app.example, 'self'", "'self' https://app.example")):
        async with furnished(tmp_path, jwt_secret=SECRET, frame_ancestors=given) as house:
            policy = (await house.get("/")).headers["content-security-policy"]
            assert policy.endswith(f"frame-ancestors {said}")
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy


async def test_the_page_has_no_powers_that_it_does_not_need(guarded: House) -> None:
    powers = (await guarded.get("/")).headers["permissions-policy"]
    assert "camera=()" in powers
    assert "microphone=()" in powers

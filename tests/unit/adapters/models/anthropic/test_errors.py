"""What Anthropic complains of, how long it asks to wait, and what none of it ever tells."""

import traceback
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.json import encode
from structlog.testing import capture_logs
from tests.shared import RECORDINGS, body, needs_recordings, recording
from tests.unit.adapters.models.loopback import CUT, Loopback, Play
from tests.unit.adapters.models.speech import HELLO, KEY, SPEECHES, message, told

from prosa.adapters.models.anthropic.client import AnthropicModel
from prosa.adapters.models.anthropic.errors import fault, midstream
from prosa.adapters.models.anthropic.limits import until_reset
from prosa.adapters.models.faults import Reply
from prosa.domain.errors import (
    ContentRefused,
    ContextTooLong,
    NoSuchModel,
    ProviderError,
    ProviderKeyRefused,
    ProviderOverloaded,
    ProviderRefused,
    ProviderTimeout,
    QuotaExhausted,
    RateLimited,
)
from prosa.domain.models import ChatRequest, Role, Turn


def complaint(kind: str, said: str = "x", code: str | None = None) -> bytes:
    details = {"error_code": code} if code else None
    return encode({"type": "error", "error": {"type": kind, "message": said, "details": details}})


JUDGED: list[tuple[int, str, str, type[ProviderError]]] = [
    (400, "invalid_request_error", "messages.0: bad", ProviderRefused),
    (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", ContextTooLong),
    (
        400,
        "invalid_request_error",
        "input length and `max_tokens` exceed context limit: 9 + 1 > 8",
        ContextTooLong,
    ),
    (400, "invalid_request_error", "Your credit balance is too low", QuotaExhausted),
    (400, "invalid_request_error", "You have reached your specified API usage limits.", QuotaExhausted),
    (400, "invalid_request_error", "This organization has been disabled.", ProviderKeyRefused),
    (400, "invalid_request_error", "Output blocked by content filtering policy", ContentRefused),
    (400, "invalid_request_error", "max_tokens: 9 > 8, the maximum for this model: m", ProviderRefused),
    (400, "exceed_context_size_error", "the request exceeds the available context size", ContextTooLong),
    (401, "authentication_error", "invalid x-api-key", ProviderKeyRefused),
    (402, "billing_error", "x", QuotaExhausted),
    (403, "permission_error", "x", ProviderKeyRefused),
    (404, "not_found_error", "model: claude-0", NoSuchModel),
    (404, "not_found_error", "File not found: file_1", ProviderRefused),
    (413, "request_too_large", "x", ContextTooLong),
    (429, "rate_limit_error", "x", RateLimited),
    (500, "api_error", "Internal server error", ProviderError),
    (504, "timeout_error", "x", ProviderTimeout),
    (529, "overloaded_error", "Overloaded", ProviderOverloaded),
    (529, "yet_to_come", "x", ProviderOverloaded),
    (418, "yet_to_come", "x", ProviderError),
]


@pytest.mark.parametrize(("status", "kind", "said", "expected"), JUDGED)
def test_each_complaint(status: int, kind: str, said: str, expected: type[ProviderError]) -> None:
    error = fault(Reply(status, complaint(kind, said)), "claude-0")
    assert type(error) is expected
    assert error.details.get("model", "claude-0") == "claude-0"


@pytest.mark.parametrize(
    ("status", "kind", "said", "expected"), [row for row in JUDGED if "come" not in row[1]]
)
def test_in_mid_stream_by_type(status: int, kind: str, said: str, expected: type[ProviderError]) -> None:
    """There is no status there; what only a status told is a plain failure."""
    refused = {ProviderRefused, ProviderError} if expected is ProviderRefused else {expected}
    assert type(midstream(complaint(kind, said))) in refused, status


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("contract_spend_limit_reached", QuotaExhausted),
        ("enforced_spend_limit_reached", QuotaExhausted),
        ("ramp_limit_exceeded", RateLimited),
    ],
)
def test_a_code_tells_more_than_a_type(code: str, expected: type[ProviderError]) -> None:
    assert type(fault(Reply(429, complaint("rate_limit_error", code=code)))) is expected


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
SERVER = {"date": "Sat, 21 Nov 2026 12:00:00 GMT"}


def limit(name: str, remaining: str, reset: str) -> dict[str, str]:
    prefix = f"anthropic-ratelimit-{name}"
    return {f"{prefix}-remaining": remaining, f"{prefix}-reset": reset}


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        (limit("requests", "0", "2026-11-21T12:00:30Z"), 30.0),
        (limit("tokens", "0", "2026-11-21T09:00:30.5-03:00"), 30.5),
        (limit("requests", "0", "2026-11-21T12:00:09Z") | limit("tokens", "9", "2026-11-21T12:01:00Z"), 9.0),
        (
            limit("input-tokens", "0", "2026-11-21T12:00:09Z") | limit("tokens", "0", "2026-11-21T12:01:00Z"),
            60.0,
        ),
        (limit("requests", "1", "2026-11-21T12:00:09Z") | limit("tokens", "9", "2026-11-21T12:01:00Z"), 60.0),
        (limit("requests", "0", "2026-11-21T11:59:59Z"), None),
        (limit("requests", "0", "soon"), None),
        (limit("requests", "0", "2026-11-21T12:00:30"), None),
        (limit("requests", "0", "2027-11-21T12:00:00Z"), 86_400.0),
    ],
)
def test_the_wait_until_a_limit_is_full_again(headers: dict[str, str], wait: float | None) -> None:
    assert until_reset(headers, NOW) == wait
    if wait is not None:
        assert until_reset({**headers, **SERVER}) == wait


def test_what_is_told_outright_goes_before() -> None:
    headers = limit("requests", "0", "2026-11-21T12:00:30Z") | SERVER
    for told_, wait in ((7.0, 7.0), (None, 30.0)):
        error = fault(Reply(429, complaint("rate_limit_error"), told_, headers))
        assert error.details["retry_after"] == wait


def test_limits_that_are_told_beside_a_failure_are_no_wait() -> None:
    headers = limit("tokens", "9", "2026-11-21T12:05:00Z") | SERVER
    for status, name in ((500, "api_error"), (529, "overloaded_error")):
        assert "retry_after" not in fault(Reply(status, complaint(name), None, headers)).details


async def test_the_wait_is_read_from_a_response() -> None:
    headers = limit("requests", "0", "2026-11-21T12:00:30Z") | SERVER
    async with Loopback(Play((complaint("rate_limit_error"),), 429, headers)).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        _, error = await told(model)
        await model.close()
    assert isinstance(error, RateLimited)
    assert error.details["retry_after"] == 30.0


OTHER = "sk-ant-api03-other_secret-0123456789"
ECHO = f"bad key {KEY} (Bearer {KEY}) at https://me:{KEY}@h.example/v1?key={KEY}, or {OTHER}"
SPEECH = SPEECHES["anthropic"]


def plays() -> dict[str, Play]:
    """Ways to fail, each of which says the key wherever it can."""
    headers = {"x-api-key": KEY, "www-authenticate": f"Bearer {KEY}", "location": f"https://h.example/{KEY}"}
    kinds = {(status, kind) for status, kind, *_ in JUDGED}
    made = {
        f"{status} {kind}": Play((complaint(kind, ECHO, code=KEY),), status, headers)
        for status, kind in kinds
    }
    made |= {
        f"status {status}": Play((ECHO.encode(),), status, headers)
        for status in (302, 307, 400, 401, 404, 429, 502)
    }
    event = message("error", error={"type": "invalid_request_error", "message": ECHO})
    made |= {
        "mid": Play((SPEECH.opening, SPEECH.text("Oi"), event)),
        "first": Play((event,)),
        "json": Play((complaint("invalid_request_error", ECHO),)),
        "garbage": Play((b"data: " + ECHO.encode() + b"\n\n",)),
        "cut": Play((SPEECH.opening, CUT), headers=headers),
        "gzip": Play((ECHO.encode(),), headers={"content-encoding": "gzip"}),
        "typed": Play((encode({"error": {"type": ECHO, "message": [ECHO]}}),), 400),
        "nested": Play((encode({"error": {"type": "not_found_error", "message": f"model: {ECHO}"}}),), 404),
    }
    for path in sorted((RECORDINGS / "reported").glob("anthropic_*.json")):
        found = recording(f"reported/{path.stem}")
        made[path.stem] = Play(
            (body(found).replace(b"verloaded", KEY.encode()),), found["response"]["status"]
        )
    return made


@needs_recordings
@pytest.mark.hostile(21)
@pytest.mark.parametrize("whole", [False, True])
async def test_no_failure_tells_a_key(whole: bool) -> None:
    failures = plays()
    assert len(failures) >= 30
    request = ChatRequest("some-model", HELLO.turns, whole=whole)
    failed = 0
    async with Loopback(*failures.values()).listening() as provider:
        address = provider.base.replace("http://", "http://user:secret-word@") + "?token=other-secret"
        model = AnthropicModel(api_key=KEY, base_url=address)
        for name in failures:
            with capture_logs() as logs:
                error = await failure(model, request)
            failed += error is not None
            seen = f"{name} {logs} {shown(error)}"
            for secret in (KEY, OTHER, "other_secret", "secret-word", "other-secret", provider.base):
                assert secret not in seen
        await model.close()
    assert failed >= len(failures) - 1  # a refusal that was reported is an answer


async def failure(model: AnthropicModel, request: ChatRequest) -> ProviderError | None:
    try:
        async for _ in model.stream(request):
            pass
    except ProviderError as error:
        return error
    return None


def shown(error: Any) -> str:
    if error is None:
        return ""
    return f"{error!r} {error.details} {error.sentence('pt')} {''.join(traceback.format_exception(error))}"


async def test_counting_and_listing_keep_the_secret_too() -> None:
    failing = Play((complaint("invalid_request_error", ECHO),), 400)
    async with Loopback(failing).listening() as provider:
        model = AnthropicModel(api_key=KEY, base_url=provider.base)
        for asked in (model.count_tokens(ChatRequest("m", (Turn(Role.USER, "Oi"),))), model.models()):
            with pytest.raises(ProviderRefused) as raised:
                await asked
            assert KEY not in shown(raised.value)
        await model.close()

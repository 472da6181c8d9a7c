"""`/health`, `/ready`, `/metrics` and `/openapi.json`."""

from pathlib import Path

import pytest
from tests.wire.house import SECRET, House, furnished

from prosa import __version__


async def test_health_and_readiness_need_no_token(guarded: House) -> None:
    assert (await guarded.get("/health")).json() == {"status": "ok", "version": __version__}
    assert (await guarded.get("/ready")).json() == {"status": "ready", "version": __version__}


async def test_metrics_in_the_form_of_prometheus(local: House) -> None:
    answer = await local.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "# TYPE " in answer.text


@pytest.mark.parametrize("secret", [None, SECRET])
async def test_the_description_knows_whether_tokens_are_needed(tmp_path: Path, secret: str | None) -> None:
    async with furnished(tmp_path, jwt_secret=secret) as house:
        described = (await house.get("/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    secured = {"security" in operation for path in described["paths"].values() for operation in path.values()}
    assert secured == ({False} if secret is None else {True, False})
    schemes = described["components"]["securitySchemes"]
    assert schemes.keys() == (set() if secret is None else {"bearer", "cookie"})
    if secret is not None:
        assert schemes["cookie"] == {"type": "apiKey", "in": "cookie", "name": "prosa_session"}
        needed = described["paths"]["/api/conversations"]["get"]["security"]
        assert needed == [{"bearer": []}, {"cookie": []}]
    send = described["paths"]["/api/chat/send"]["post"]
    name = send["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    provider = described["components"]["schemas"][name]["properties"]["provider"]
    assert provider["anyOf"][0]["enum"] == ["fake", "local"]
    assert set(send["responses"]) >= {
        "200",
        "400",
        "402",
        "403",
        "404",
        "409",
        "413",
        "415",
        "422",
        "429",
        "500",
        "503",
    }


async def test_the_description_is_in_groups(local: House) -> None:
    described = (await local.get("/openapi.json")).json()["paths"]
    tags = {path: operation["tags"] for path, one in described.items() for operation in one.values()}
    assert {tag for (tag,) in tags.values()} == {
        "admin",
        "api-keys",
        "chat",
        "conversations",
        "embed-tokens",
        "export",
        "feedback",
        "files",
        "import",
        "models",
        "openai",
        "operations",
        "search",
        "session",
        "templates",
        "tickets",
        "users",
        "usage",
    }
    assert tags["/api/conversations/{conversationId}/messages"] == ["conversations"]
    assert tags["/api/chat"] == tags["/api/chat/runs/{runId}/events"] == ["chat"]
    assert tags["/health"] == ["operations"]

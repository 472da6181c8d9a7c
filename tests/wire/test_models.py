"""`GET /api/models`, and names of routes and aliases in requests."""

from pathlib import Path

import pytest
from tests.wire.house import furnished


@pytest.fixture
def _described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GROQ_API_KEY", "canary-key")
    (tmp_path / "prosa.toml").write_text("""
        [routes.default]
        targets = ["fake/one", "local"]
        [aliases]
        quick = "fake/two"
        [models."fake/one"]
        prices = {input = 0.10, output = 0.4, cached = 0.025}
        context_window = 9_000
        shutdown_at = 2999-12-31
        successor = "two"
        [providers.groq]
        base_url = "http://127.0.0.1:9/v1"
    """)


@pytest.mark.usefixtures("_described")
async def test_the_list(tmp_path: Path) -> None:
    async with furnished(tmp_path) as house:
        answer = await house.get("/api/models")
        assert answer.status_code == 200
        assert "canary" not in answer.text
        body = answer.json()
        assert body["nextCursor"] is None
        items = {item["id"]: item for item in body["items"]}
        price = {"input": "0.1", "output": "0.4", "cached": "0.025", "cacheWrite": None, "reasoning": None,
                 "request": None, "above": []}  # fmt: skip
        assert items["fake/one"] == {
            "id": "fake/one", "provider": "fake", "model": "one", "name": None, "kind": "model", "contextWindow": 9_000,
            "capabilities": ["unknown"], "prices": price, "shutdownAt": "2999-12-31", "successor": "two", "targets": [],
            "default": False, "available": True,
        }  # fmt: skip
        assert items["default"]["default"] is True
        assert items["default"]["targets"] == ["fake/one", "local/smollm2-135m"]
        assert items["quick"]["kind"] == "alias"
        assert items["local/local"]["prices"]["output"] == "0"
        assert any(name.startswith("groq/") for name in items)  # it can't be reached, and the list knows it


@pytest.mark.usefixtures("_described")
@pytest.mark.parametrize(
    ("asked", "model"),
    [({}, "one"), ({"model": "quick"}, "two"), ({"model": "fake/three"}, "three"), ({"model": "default"}, "one"),
     ({"provider": "fake", "model": "quick"}, "two"), ({"provider": "fake", "model": "a/b"}, "a/b")],
)  # fmt: skip
async def test_names_in_requests(tmp_path: Path, asked: dict[str, str], model: str) -> None:
    async with furnished(tmp_path) as house:
        happened = await house.send(await house.conversation(), "x", **asked)
        assert happened[-1]["status"] == "completed"
        assert house.calls[-1].request.model == model
        run = (await house.get(f"/api/chat/runs/{happened[0]['runId']}")).json()
        assert (run["provider"], run["model"]) == ("fake", model)


@pytest.mark.usefixtures("_described")
async def test_tokens_are_needed_where_there_are_any(tmp_path: Path) -> None:
    async with furnished(tmp_path, jwt_secret="a-secret-of-more-than-thirty-two-bytes") as house:
        assert (await house.get("/api/models")).status_code == 401
        assert (await house.get("/api/models", user="ana")).status_code == 200

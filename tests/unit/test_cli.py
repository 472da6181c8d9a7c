"""The command: it starts only safely, says why not, and prints no secret."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest
from tests.copies import ran

SECRET = "canary-0123456789abcdef0123456789abcdef"


def environment(**given: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PYTHONPATH")
    }
    return kept | given


def prosa(folder: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    return ran(words, environment(**given), folder)


@pytest.mark.hostile(7)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"PROSA_HOST": "0.0.0.0"}, "without tokens Prosa serves this machine only. Set PROSA_JWT_SECRET"),
        ({"PROSA_JWT_SECRET": "changeme"}, "PROSA_JWT_SECRET: must have at least 32 bytes"),
        (
            {"PROSA_HOST": "0.0.0.0", "PROSA_JWT_SECRET": "short"},
            "PROSA_JWT_SECRET: must have at least 32 bytes",
        ),
    ],
)
def test_it_does_not_start_unsafely(tmp_path: Path, given: dict[str, str], said: str) -> None:
    done = prosa(tmp_path, "serve", **given)
    assert done.returncode != 0
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_doctor_tells_no_secret(tmp_path: Path) -> None:
    (tmp_path / "prosa.toml").write_text('language = "pt"\n')
    done = prosa(
        tmp_path, "doctor", OPENAI_API_KEY="canary-key", PROSA_JWT_SECRET=SECRET, PROSA_ALLOWED_ORIGINS="*"
    )
    assert done.returncode == 0
    assert "canary" not in done.stdout + done.stderr
    assert re.search(r"OPENAI_API_KEY +\(set\) +\(environment\)", done.stdout)
    assert re.search(r"PROSA_LANGUAGE +pt +\(prosa.toml\)", done.stdout)
    assert "* allows none" in done.stdout
    assert "Files can't be kept" not in done.stdout
    assert not (tmp_path / "prosa-files").exists()
    done = prosa(tmp_path, "doctor", PROSA_FILES_DIR="prosa.toml/below", PROSA_JWT_SECRET=SECRET)
    assert "! Files can't be kept in prosa.toml/below. Set PROSA_FILES_DIR" in done.stdout


def test_a_token_and_a_link(tmp_path: Path) -> None:
    from prosa.transport.identity import Identity

    done = prosa(
        tmp_path,
        "token",
        "--user",
        "ana",
        "--client",
        "acme",
        "--days",
        "2",
        "--url",
        "https://chat.example/",
        PROSA_JWT_SECRET=SECRET,
    )
    assert done.returncode == 0, done.stderr
    token, link = done.stdout.split()[1], done.stdout.split("#sign-in=")[1].split()[0]
    assert "https://chat.example/#sign-in=" in done.stdout
    scope = {"headers": [(b"authorization", f"Bearer {token}".encode())]}
    who = asyncio.run(Identity(SECRET, "c").of(scope)).principal
    assert (who.user_id, who.client_id) == ("ana", "acme")
    assert Identity(SECRET, "c").claims(link)["aud"] == "prosa-sign-in"
    assert SECRET not in done.stdout


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "localhost"), ("::", "localhost"), ("::1", "[::1]"), ("10.0.0.7", "10.0.0.7")],
)
def test_a_link_that_a_browser_can_open(tmp_path: Path, host: str, shown: str) -> None:
    done = prosa(tmp_path, "token", "--user", "ana", PROSA_JWT_SECRET=SECRET, PROSA_HOST=host)
    assert f"http://{shown}:8000/#sign-in=" in done.stdout


def test_no_token_without_a_secret(tmp_path: Path) -> None:
    done = prosa(tmp_path, "token", "--user", "ana")
    assert (done.returncode, "PROSA_JWT_SECRET is not set" in done.stderr) == (1, True)


def test_the_database_is_brought_up_to_date(tmp_path: Path) -> None:
    done = prosa(tmp_path, "migrate", PROSA_DATABASE_URL="sqlite:///made.db")
    assert (done.returncode, done.stdout) == (0, "The database is up to date.\n")
    assert (tmp_path / "made.db").exists()


async def test_it_serves_and_ends_with_a_signal(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prosa", "serve", cwd=tmp_path, env=environment(PROSA_PORT="0", OLLAMA_SERVER="http://127.0.0.1:9"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
    url = line.removeprefix("Prosa is at ").strip()
    async with httpx2.AsyncClient(base_url=url, trust_env=False, timeout=20) as client:
        assert (await client.get("/health")).json()["status"] == "ok"
        assert (await client.get("/api/session")).json()["local"] is True
        assert (await client.get("/health", headers={"Host": "evil.example"})).status_code == 403
        other = await asyncio.to_thread(
            prosa, tmp_path, "serve", PROSA_PORT=url.rpartition(":")[2].strip("/")
        )
        assert (other.returncode, "can't listen" in other.stderr) == (1, True)
    process.send_signal(signal.SIGTERM)
    _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, errors
    assert b"Traceback" not in errors


def test_the_models_are_listed_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "prosa.toml").write_text('[aliases]\nfast = "openai/gpt-4o"\n')
    done = prosa(tmp_path, "models", OPENAI_API_KEY="canary-key")
    assert done.returncode == 0, done.stderr
    assert "canary" not in done.stdout + done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert re.search(r"128000 +2\.5 +10 +1\.25 .*alias of openai/gpt-4o", lines["fast"])
    assert re.search(r"shut down on 2026-10-23, then gpt-4.1-mini", lines["openai/gpt-3.5-turbo"])
    assert "local/smollm2-135m" in lines
    one = prosa(tmp_path, "models", "local", OPENAI_API_KEY="canary-key")
    assert [line.split()[0] for line in one.stdout.splitlines()] == ["model", "local/smollm2-135m"]
    assert list(tmp_path.iterdir()) == [tmp_path / "prosa.toml"]

"""`prosa export` and `prosa import`: files, sentences, statuses, with a server beside them and without."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.services.imports.samples import CHATGPT, chatgpt, raw
from tests.unit.test_cli import environment, prosa

SECRET = "a-secret-of-more-than-thirty-two-bytes-for-tests"


def test_there_and_back(tmp_path: Path) -> None:
    (tmp_path / "chatgpt.json").write_bytes(raw([CHATGPT]))
    done = prosa(tmp_path, "import", "chatgpt.json")
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "",
        "Imported 1 conversation with 6 messages.\n",
    )
    done = prosa(tmp_path, "import", "chatgpt.json", "--source", "chatgpt")
    assert done.stderr == "Imported 0 conversations with 0 messages; 1 conversation was there already.\n"
    done = prosa(tmp_path, "export", "--output", "out.json")
    assert (done.returncode, done.stderr) == (0, "Exported 1 conversation (0.0 MB) to out.json.\n")
    document = (tmp_path / "out.json").read_bytes()
    (one,) = json.loads(document)["conversations"]
    piped = prosa(
        tmp_path, "export", "--conversation", one["id"], "--format", "markdown", PROSA_LANGUAGE="pt"
    )
    assert piped.stdout.startswith("# Lisbon\n")
    assert "## Assistente" in piped.stdout
    other = tmp_path / "other"
    other.mkdir()
    assert prosa(other, "import", "../out.json").returncode == 0
    assert prosa(other, "export").stdout.encode() == document
    assert sorted(each.name for each in tmp_path.iterdir() if "json" in each.name) == [
        "chatgpt.json",
        "out.json",
    ]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("import",), 2, "Missing argument"),
        (("import", "none.json"), 1, "There is no file none.json."),
        (("import", "strange.json"), 1, "This is no file that can be imported."),
        (("import", "some.json"), 3, "! x: The conversation has no messages that can be shown."),
        (("import", "some.json", "--source", "word"), 2, "--source"),
        (("export", "--format", "pdf"), 2, "--format"),
        (("export", "--conversation", "x"), 1, "There is no conversation with this id."),
        (
            ("export", "--output", "none/out.json"),
            1,
            "none/out.json can't be written: No such file or directory.",
        ),
        (("export", "--url", "http://127.0.0.1:9"), 1, "no Prosa answers at http://127.0.0.1:9"),
    ],
)
def test_what_does_not_do(tmp_path: Path, words: tuple[str, ...], status: int, told: str) -> None:
    (tmp_path / "strange.json").write_text("[1, 2]")
    (tmp_path / "some.json").write_bytes(raw([CHATGPT, chatgpt(id="x", conversation_id="x")]))
    done = prosa(tmp_path, *words, COLUMNS="200")
    assert done.returncode == status
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_where_there_are_tokens_somebody_must_be_named(tmp_path: Path) -> None:
    (tmp_path / "chatgpt.json").write_bytes(raw([CHATGPT]))
    for words in (("export",), ("import", "chatgpt.json")):
        done = prosa(tmp_path, *words, PROSA_JWT_SECRET=SECRET)
        assert (done.returncode, "--user" in done.stderr) == (1, True)
    prosa(tmp_path, "import", "chatgpt.json", "--user", "ana", PROSA_JWT_SECRET=SECRET)
    assert "Lisbon" in prosa(tmp_path, "export", "--user", "ana", PROSA_JWT_SECRET=SECRET).stdout
    assert "Lisbon" not in prosa(tmp_path, "export", "--user", "bia", PROSA_JWT_SECRET=SECRET).stdout


def test_through_the_server_that_has_the_database(tmp_path: Path) -> None:
    (tmp_path / "chatgpt.json").write_bytes(raw([CHATGPT]))
    given = {
        "PROSA_JWT_SECRET": SECRET,
        "PROSA_PORT": "0",
        "OPENAI_API_KEY": "x",
        "DEFAULT_AI_PROVIDER": "openai",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "prosa", "serve"], cwd=tmp_path, env=environment(**given), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        done = prosa(tmp_path, "import", "chatgpt.json", "--user", "ana", "--url", url, **given)
        assert (done.returncode, done.stderr) == (0, "Imported 1 conversation with 6 messages.\n")
        locked = prosa(tmp_path, "export", "--user", "ana", **given)
        assert "no Prosa answers at" in locked.stderr
        found = prosa(tmp_path, "export", "--user", "ana", "--url", url, "--format", "csv", **given)
        assert found.stderr == "Exported 1 conversation (0.0 MB).\n"
        assert found.stdout.count("gpt-4o") == 1
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait(30)
        if server.stdout is not None:
            server.stdout.close()

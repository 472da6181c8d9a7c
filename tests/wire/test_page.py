"""The page and the API's description: files of our own, with headers that let nothing else in."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.wire.house import House, furnished, refused

from prosa.domain import errors as e
from prosa.transport import page


@pytest.fixture
async def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """A house whose page is built."""
    folder = tmp_path / "package" / "page"
    for name, text in (
        ("index.html", "<!doctype html><title>Prosa</title><script src=assets/a-1.js></script>"),
        ("assets/a-1.js", "console.log('é')"),
        ("assets/style.css", "body{}"),
        ("docs/index.html", "<!doctype html><title>API</title>"),
        ("favicon.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("odd.name", "x"),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(page, "files", lambda _: tmp_path / "package")
    async with furnished(tmp_path) as house:
        yield house


@pytest.mark.parametrize(
    ("path", "kind", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/assets/a-1.js", "text/javascript; charset=utf-8", "max-age=31536000, immutable"),
        ("/assets/style.css", "text/css; charset=utf-8", "max-age=31536000, immutable"),
        ("/docs/", "text/html; charset=utf-8", "no-cache"),
        ("/favicon.svg", "image/svg+xml; charset=utf-8", "no-cache"),
        ("/odd.name", "application/octet-stream", "no-cache"),
    ],
)
async def test_a_file_and_its_headers(built: House, path: str, kind: str, cache: str) -> None:
    answer = await built.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == cache
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";")
    )
    assert (
        policy["default-src"]
        == policy["frame-ancestors"]
        == policy["base-uri"]
        == policy["form-action"]
        == "'none'"
    )
    assert policy["script-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["style-src"] == "'self'"
    assert not re.search(
        r"https?:|\*|unsafe-eval|script-src[^;]*unsafe", answer.headers["content-security-policy"]
    )
    again = await built.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await built.call("HEAD", path)).headers["content-length"] == answer.headers["content-length"]


async def test_the_docs_have_their_folder(built: House) -> None:
    answer = await built.get("/docs")
    assert (answer.status_code, answer.headers["location"]) == (307, "docs/")


@pytest.mark.parametrize(
    "path",
    [
        "/other",
        "/assets/",
        "/../prosa.db",
        "/%2e%2e/prosa.db",
        "/assets/..%2f..%2fprosa.db",
        "/%00",
        "/index.html/",
    ],
)
async def test_nothing_but_the_files(built: House, path: str) -> None:
    refused(await built.get(path), 404, e.NoSuchRoute())


async def test_a_page_takes_no_post(built: House) -> None:
    for path in ("/", "/favicon.svg"):
        answer = await built.post(path, {})
        refused(answer, 405, e.MethodNotAllowed())
        assert answer.headers["allow"] == "GET, HEAD"


async def test_an_unbuilt_page_says_how_to_build_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "files", lambda _: tmp_path / "nothing")
    async with furnished(tmp_path) as house:
        answer = await house.get("/")
        assert (answer.status_code, "make setup" in answer.text) == (503, True)


@pytest.mark.skipif(
    not page.files("prosa").joinpath("page", "docs").is_dir(),
    reason="The page is not built: run `make setup`.",
)
async def test_the_real_docs_load_nothing_from_elsewhere(local: House) -> None:
    answer = await local.get("/docs/")
    assert answer.status_code == 200
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", answer.text)
    for name in re.findall(r"""(?:src|href)=["']?([^"' >]+)""", answer.text):
        assert (await local.get("/docs/" + name)).status_code == 200, name

"""Files are handed out as what no browser runs, under names that are labels."""

import re
from urllib.parse import unquote

import pytest
from tests.pictures import png
from tests.wire.house import House
from tests.wire.uploads import blobs, pieces, upload
from tests.work import within

from prosa.domain import files as f
from prosa.domain.principal import LOCAL


@pytest.mark.hostile(36)
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("x.png", b"<!doctype html><script>alert(1)</script>"), ("x.html", b"<html><script>alert(1)</script>"),
        ("x.xhtml", b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>"), ("x.js", b"alert(1)"),
    ],
)  # fmt: skip
async def test_what_could_run_is_text(local: House, name: str, data: bytes) -> None:
    made = await upload(local, data, name)
    answer = await local.get(f"/api/files/{made['id']}/content")
    assert answer.content == data
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.hostile(33)
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../x", "x"), ("C:\\x", "x"), ("..\\..\\x.txt", "x.txt"), ("/etc/passwd", "passwd"), ("a\0.png", "a.png"), ("CON", "CON"),
        ("\u202egnp.exe", "gnp.exe"), ('"\r\nX: y', '" X: y'), ("..", "file"), ("", "file"), ("/", "file"), ("\u2028a\u200b", "a"),
        ("é" * 4_096 + ".png", "é" * 196 + ".png"), ("a" * 4_096, "a" * 200), ("férias 🏖️ .png", "férias 🏖️ .png"),
        ("{{7*7}}.txt", "{{7*7}}.txt"), ("<img onerror=x>.png", "<img onerror=x>.png"), ("\u200d", "file"), ("a\ud800b", "ab"),
    ],
)  # fmt: skip
async def test_names_are_labels(local: House, given: str, kept: str) -> None:
    made = await local.chat.files.add(LOCAL, given, pieces(b"words"))
    assert made.name == kept
    assert f.label(kept) == kept
    answer = await local.get(f"/api/files/{made.id}/content")
    shown = answer.headers["content-disposition"]
    plain, _, encoded = shown.removeprefix('attachment; filename="').partition("\"; filename*=UTF-8''")
    assert re.fullmatch(r"[A-Za-z0-9 ._-]+", plain)
    assert unquote(encoded) == kept
    assert not set(encoded) & set("\"';\\ \r\n")
    assert [path.name for path in blobs(local)] == [made.id]


async def test_ranges_and_what_is_known_already(local: House) -> None:
    data = bytes(range(256)) * 1_000
    made = await upload(local, png(after=data))
    whole = await local.get(f"/api/files/{made['id']}/content")
    size = len(whole.content)
    for asked, status, part in (
        ("bytes=0-", 206, slice(0, None)), ("bytes=5-9", 206, slice(5, 10)), ("bytes=-7", 206, slice(-7, None)),
        ("bytes=200000-900000000", 206, slice(200_000, None)), (f"bytes=-{size + 5}", 206, slice(0, None)),
        (f"bytes={size}-", 416, None), ("bytes=9-5", 416, None), ("bytes=-0", 416, None), ("bytes=x", 200, slice(None)),
        ("items=0-1", 200, slice(None)), ("bytes=0-1,3-4", 200, slice(None)), ("bytes=0-" + "9" * 400, 200, slice(None)),
    ):  # fmt: skip
        answer = await local.get(f"/api/files/{made['id']}/content", headers={"Range": asked})
        assert answer.status_code == status, asked
        assert answer.content == (b"" if part is None else whole.content[part]), asked
        if status == 206:
            start, stop, _ = part.indices(size)
            assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
    headers = {"If-None-Match": whole.headers["etag"]}
    known = await local.get(f"/api/files/{made['id']}/content", headers=headers)
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.hostile(39)
async def test_ten_thousand_ranges(local: House) -> None:
    made = await upload(local)
    asked = "bytes=" + ",".join(f"{place}-{place}" for place in range(10_000))
    with within(0.05):
        answer = await local.get(f"/api/files/{made['id']}/content", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, png())

"""The fetch of published keys: one answer, bounded in size and time, and from nowhere else."""

import socket

import pytest
from tests.keyhost import keyhost, published

from prosa.adapters.jwks import http
from prosa.adapters.jwks.http import HttpKeyHost


async def test_the_set_as_it_is() -> None:
    with keyhost() as host:
        assert await HttpKeyHost(host.url).fetch() == published()
        assert host.asked == 1


@pytest.mark.parametrize(
    "answer",
    [(404, {}, b"{}"), (500, {}, b""), (204, {}, b""), (200, {}, b" " * (http.MOST + 1)),
     (200, {"Content-Encoding": "gzip"}, b"no gzip"), (200, {"Content-Length": "90"}, b"short")],
    ids=["missing", "broken", "empty", "too large", "no gzip", "cut off"],
)  # fmt: skip
async def test_what_is_no_answer(answer: tuple[int, dict[str, str], bytes]) -> None:
    with keyhost() as host:
        host.answer = answer
        with pytest.raises((OSError, ValueError)):
            await HttpKeyHost(host.url).fetch()


@pytest.mark.hostile(3)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_it_goes_nowhere_else(status: int) -> None:
    with keyhost() as host, keyhost() as elsewhere:
        host.answer = status, {"Location": elsewhere.url}, b""
        with pytest.raises(ValueError, match="not found"):
            await HttpKeyHost(host.url).fetch()
        assert (host.asked, elsewhere.asked) == (1, 0)


async def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PATIENCE", 0.1)

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(TimeoutError):
            await HttpKeyHost(f"http://127.0.0.1:{silent.getsockname()[1]}/").fetch()


async def test_nobody_there() -> None:
    with pytest.raises(OSError):
        await HttpKeyHost("http://127.0.0.1:9/").fetch()

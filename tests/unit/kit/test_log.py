"""Lines of a Prosa that is a guest in somebody else's program: they tell no more than those of its own."""

import pytest
import structlog

from prosa.kit import secrets
from prosa.kit.log import Log

KEY = "sk-a-canary-of-a-key-1234567890"
WORDS = "the words of a user"


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(secrets, "_known", set())
    secrets.remember(KEY)
    structlog.reset_defaults()
    return Log()


def fail() -> None:
    local = KEY + WORDS
    raise ValueError(local)


@pytest.mark.hostile(21)
@pytest.mark.parametrize("level", ["exception", "error", "warning"])
def test_neither_content_nor_secrets(guest: Log, capsys: pytest.CaptureFixture[str], level: str) -> None:
    try:
        fail()
    except ValueError as error:
        more = {} if level == "exception" else {"exc_info": error}
        getattr(guest, level)("it_broke", address=f"http://x/?key={KEY}", **more)
    told = capsys.readouterr().out
    assert "it_broke" in told
    assert "in fail" in told
    assert "ValueError" in told
    assert KEY not in told
    assert WORDS not in told


def test_content_where_it_is_asked_for(guest: Log, capsys: pytest.CaptureFixture[str]) -> None:
    guest.content = True
    try:
        fail()
    except ValueError:
        guest.exception("it_broke")
    told = capsys.readouterr().out
    assert WORDS in told
    assert KEY not in told

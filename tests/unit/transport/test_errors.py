"""Every error has a status, a code of its own, and a sentence in both languages that its details fill."""

import inspect
import string
from typing import Any

import msgspec
import pytest

from prosa.domain import errors as e
from prosa.domain import files as f  # whose errors belong to the tree, too
from prosa.transport.errors import body_of, headers_of, language_of, status_of

EXAMPLES: dict[str, Any] = {
    "detail": "why", "what": "`x`", "limit": 9, "run_id": "r", "provider": "acme", "setting": "ACME_KEY",
    "code": "some_code", "message": "It broke.", "remedy": "Install it.",
    "model": "m", "retry_after": 3, "name": "a.png", "width": 1, "height": 2, "side": 3, "pixels": 4, "used": 5,
}  # fmt: skip
MORE: dict[type[e.ProsaError], dict[str, Any]] = {
    e.TokenLimitReached: {"remaining": 3, "resetsAt": "2026-11-22T00:00:00.000000Z"},
    e.CostLimitReached: {"remaining": "0.5", "resetsAt": "2026-12-01T00:00:00.000000Z"},
    e.PriceUnknown: {"model": "m"},
    e.StoreLocked: {"path": "prosa.db"},
    e.NoSuchProvider: {"known": "fake, local"},
    e.ProviderRefused: {"detail": "why"},
    e.NoSuchModel: {"model": "m"},
}


def every(kind: type[e.ProsaError] = e.ProsaError) -> list[type[e.ProsaError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in every(below))]


def example(kind: type[e.ProsaError]) -> e.ProsaError:
    """An error with every detail that its constructor and its sentences need."""
    wanted = inspect.signature(kind.__init__).parameters.values()
    given = {each.name: EXAMPLES[each.name] for each in wanted
             if each.name != "self" and each.kind is not each.VAR_KEYWORD and each.default is each.empty}  # fmt: skip
    return kind(**given, **MORE.get(kind, {}))


KINDS = [kind for kind in every() if kind.__module__ in ("prosa.domain.errors", "prosa.domain.files")]


@pytest.mark.parametrize("kind", KINDS)
def test_status_and_sentences(kind: type[e.ProsaError]) -> None:
    error = example(kind)
    assert 400 <= status_of(kind) <= 503
    for language in ("en", "pt"):
        body = msgspec.json.decode(body_of(error, language))
        assert body["success"] is False
        assert body["code"] == error.code
        assert body["message"]
        assert "{" not in body["message"]
        assert set(body) - {"success", "code", "message"} == {
            name for name in error.shown if name in error.details
        }
    assert dict(headers_of(error))[b"content-type"] == b"application/json"
    assert str(error) == error.sentence("en") == error.sentence("fr")


@pytest.mark.parametrize("kind", KINDS)
def test_both_sentences_say_the_same_details(kind: type[e.ProsaError]) -> None:
    def named(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    details = set(example(kind).details)
    assert named(kind.en) <= details
    assert named(kind.pt) <= details


def test_codes_are_unique() -> None:
    codes = [kind.code for kind in KINDS if "code" in vars(kind)]
    assert len(set(codes)) == len(codes)


def test_details_are_never_templates() -> None:
    assert e.InvalidRequest("{0.__class__} %s {detail}").sentence("en").endswith("{0.__class__} %s {detail}")


@pytest.mark.parametrize(
    ("kind", "status"),
    [(e.InvalidRequest, 400), (e.NotAuthenticated, 401), (e.CostLimitReached, 402), (e.OriginRefused, 403),
     (e.RunNotFound, 404), (e.MethodNotAllowed, 405), (e.RunInProgress, 409), (e.TooLarge, 413),
     (e.UnsupportedMediaType, 415), (e.IdempotencyMismatch, 422), (e.TokenLimitReached, 429), (e.ProsaError, 500),
     (e.RateLimited, 502), (f.UploadTooSlow, 408), (f.FileSent, 409), (f.FilesFull, 413), (f.FileTooLarge, 413),
     (f.FileRefused, 415), (f.EmptyFile, 422), (f.ModelTakesNoDocuments, 422), (f.TooManyUploads, 429),
     (f.FilesUnavailable, 503), (e.ShuttingDown, 503), (e.StoreUnavailable, 503), (e.NoSuchProvider, 400)],
)  # fmt: skip
def test_statuses(kind: type[e.ProsaError], status: int) -> None:
    assert status_of(kind) == status


@pytest.mark.parametrize("error", [e.ShuttingDown(), e.StoreUnavailable()])
def test_what_passes_by_itself_says_when(error: e.ProsaError) -> None:
    assert int(dict(headers_of(error))[b"retry-after"]) > 0


@pytest.mark.parametrize(
    ("accept", "language"),
    [(None, "pt"), ("", "pt"), ("en", "en"), ("pt-BR,pt;q=0.9,en;q=0.8", "pt"), ("en-US,en;q=0.5", "en"),
     ("fr, de", "pt"), ("en;q=0.1, pt;q=0.2", "pt"), ("en;q=0.2, pt; q=0.1", "en"), ("en;q=0", "pt"), ("*", "pt"),
     ("EN", "en"), ("en;q=x", "pt"), ("en;q=nan", "pt"), ("enx", "pt"), (",;;=,", "pt"), ("en;q=1e400", "en")],
)  # fmt: skip
def test_the_language_of_a_reader(accept: str | None, language: str) -> None:
    assert language_of(accept, "pt") == language

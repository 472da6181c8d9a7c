"""The settings: every name, where its value comes from, and what is refused."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from prosa import config
from prosa.domain.errors import MisconfiguredError

STRONG = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shown(value: Any) -> Any:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value


def test_the_defaults() -> None:
    settings = config.load()
    assert (settings.host, settings.port, settings.language) == ("127.0.0.1", 8000, "en")
    assert shown(settings.database_url) == "sqlite:///prosa.db"
    assert (
        settings.jwt_secret
        is settings.openai_api_key
        is settings.ollama_server
        is settings.default_provider
        is None
    )
    assert (settings.max_tokens_per_day, settings.max_cost_per_month, settings.max_output_tokens) == (
        None,
        None,
        4096,
    )
    assert settings.allowed_origins == frozenset()


NAMES = [
    ("PROSA_HOST", "localhost", "localhost"), ("PROSA_PORT", "9000", 9000),
    ("PROSA_DATABASE_URL", "sqlite:///x.db", "sqlite:///x.db"),
    ("PROSA_DATABASE_OWNER_URL", "postgresql://o", "postgresql://o"),
    ("PROSA_DATABASE_ENGINE_URL", "postgresql://e", "postgresql://e"),
    ("PROSA_JWT_SECRET", STRONG, STRONG), ("PROSA_JWT_ISSUER", "https://id", "https://id"),
    ("PROSA_JWT_AUDIENCE", "a", "a"), ("PROSA_JWT_COOKIE", "c", "c"),
    ("PROSA_JWKS_URL", "https://id/keys", "https://id/keys"), ("PROSA_JWT_AZP", "https://a, b", frozenset({"https://a", "b"})),
    ("PROSA_JWT_USER_CLAIM", "u.id", "u.id"), ("PROSA_JWT_CLIENT_CLAIM", "org", "org"),
    ("PROSA_JWT_ROLES_CLAIM", "r", "r"), ("PROSA_ADMIN_ROLE", "owner", "owner"),
    ("PROSA_FRAME_ANCESTORS", "https://a, 'self'", frozenset({"https://a", "'self'"})), ("PROSA_HSTS_SECONDS", "0", 0),
    ("PROSA_ALLOWED_ORIGINS", "https://a, https://b/,", frozenset({"https://a", "https://b"})),
    ("PROSA_SECRET_KEY", STRONG, STRONG), ("PROSA_SECRET_KEY_OLD", STRONG, STRONG),
    ("OPENAI_API_KEY", "k", "k"), ("OPENAI_BASE_URL", "http://x/v1", "http://x/v1"),
    ("ANTHROPIC_API_KEY", "k", "k"), ("ANTHROPIC_BASE_URL", "http://x", "http://x"),
    ("MISTRAL_API_KEY", "k", "k"), ("MISTRAL_BASE_URL", "http://x", "http://x"),
    ("OLLAMA_SERVER", "http://x:11434", "http://x:11434"), ("PROSA_LOCAL_MODEL", "/m.gguf", Path("/m.gguf")),
    ("DEFAULT_AI_PROVIDER", "openai", "openai"), ("DEFAULT_AI_MODEL", "gpt-4o", "gpt-4o"),
    ("PROSA_SYSTEM_PROMPT", "Be kind.", "Be kind."), ("PROSA_MAX_TOKENS_PER_DAY", "100000", 100_000),
    ("PROSA_MAX_COST_PER_MONTH", "0.10", Decimal("0.10")), ("PROSA_MAX_OUTPUT_TOKENS", "99", 99),
    ("PROSA_MAX_TOOL_ROUNDS", "3", 3), ("PROSA_ACTION_SECONDS", "1.5", 1.5),
    ("PROSA_REDIS_URL", "redis://x", "redis://x"), ("PROSA_MAX_REQUESTS_PER_MINUTE", "60", 60), ("PROSA_MAX_RUNS_AT_ONCE", "5", 5),
    ("PROSA_MAX_SOCKETS_PER_USER", "7", 7), ("PROSA_SOCKET_MESSAGES_PER_SECOND", "0.5", 0.5),
    ("PROSA_SUMMARY_MODEL", "off", "off"), ("PROSA_LANGUAGE", "pt", "pt"), ("PROSA_TIMEZONE", "America/Sao_Paulo", "America/Sao_Paulo"), ("PROSA_DRAIN_SECONDS", "1.5", 1.5), ("PROSA_MAX_TOOL_ROUNDS", "3", 3), ("PROSA_ACTION_SECONDS", "60", 60.0), ("PROSA_EMBEDDINGS_KEPT", "9", 9), ("PROSA_LOG_FORMAT", "json", "json"),
    ("PROSA_LOG_LEVEL", "error", "error"), ("PROSA_LOG_FILE", "prosa.log", Path("prosa.log")), ("PROSA_LOG_CONTENT", "true", True), ("PROSA_METRICS", "open", "open"),
    ("PROSA_OTLP_ENDPOINT", "http://t", "http://t"), ("PROSA_SENTRY_DSN", "http://s@t/1", "http://s@t/1"),
    ("PROSA_TITLE_MODEL", "off", "off"),
    ("PROSA_FILES_DIR", "/f", Path("/f")), ("PROSA_MAX_FILE_BYTES", "1000", 1_000),
    ("PROSA_MAX_FILES_BYTES_PER_USER", "5000", 5_000),
]  # fmt: skip


def field_of(name: str) -> str:
    return next(
        field for field, info in config.Settings.model_fields.items() if info.validation_alias == name
    )


def test_every_setting_is_tried() -> None:
    assert {name for name, _, _ in NAMES} == {
        str(info.validation_alias) for info in config.Settings.model_fields.values()
    }


@pytest.mark.parametrize(("name", "given", "value"), NAMES)
def test_from_the_environment_and_from_the_file(
    name: str, given: str, value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = field_of(name)
    if name == "PROSA_SECRET_KEY_OLD":  # it goes with the new one
        monkeypatch.setenv("PROSA_SECRET_KEY", STRONG)
    for key in {name.lower(), name.lower().removeprefix("prosa_")}:
        config.FILE.write_text(f'{key} = "{given}"\n', encoding="utf-8")
        assert shown(getattr(config.load(), field)) == value
    config.FILE.write_text("", encoding="utf-8")
    monkeypatch.setenv(name, given)
    assert shown(getattr(config.load(), field)) == value


@pytest.mark.parametrize("name", [name for name, _, _ in NAMES])
def test_empty_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    assert config.load() == config.load(
        **{field_of(name): config.Settings.model_fields[field_of(name)].default}
    )


def test_which_source_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    config.FILE.write_text('language = "pt"\nport = 7000\nhost = "localhost"\n', encoding="utf-8")
    monkeypatch.setenv("PROSA_PORT", "7001")
    settings = config.load(host="::1")
    assert (settings.language, settings.port, settings.host) == ("pt", 7001, "::1")
    rows = {name: (value, where) for name, value, where in config.in_force(config.load())}
    assert rows["PROSA_PORT"] == ("7001", "environment")
    assert rows["PROSA_LANGUAGE"] == ("pt", "prosa.toml")
    assert rows["PROSA_DATABASE_URL"] == ("sqlite:///prosa.db", "default")
    assert rows["OPENAI_API_KEY"] == ("-", "default")


@pytest.mark.parametrize(
    "text", ["colour = 'red'", "prosa_colour = 1", "[prosa]\nport = 1", "port = ", "port = 'x'", "\x00"]
)
def test_a_file_that_does_not_do(text: str) -> None:
    config.FILE.write_text(text, encoding="utf-8")
    with pytest.raises(MisconfiguredError) as caught:
        config.load()
    assert "{" not in str(caught.value)


@pytest.mark.hostile(7)
@pytest.mark.parametrize(
    "secret",
    [
        "changeme",
        "secret",
        "x",
        "x" * 31,
        "password!",
        "changeme" * 4,
        "a" * 64,
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQ",
    ],
)
def test_a_weak_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROSA_JWT_SECRET", secret)
    with pytest.raises(MisconfiguredError, match="PROSA_JWT_SECRET") as caught:
        config.load()
    assert len(secret) < 8 or secret not in str(caught.value)


@pytest.mark.hostile(7)
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "chat.example", "127.0.0.2", ""])
def test_beyond_loopback_only_with_tokens(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host:
        with pytest.raises(MisconfiguredError, match="PROSA_JWT_SECRET"):
            config.load(host=host)
        assert config.load(host=host, jwt_secret=STRONG).host == host
        assert config.load(host=host, jwks_url="https://id.example/keys").host == host
    else:
        with pytest.raises(MisconfiguredError):
            config.load(host=host)


@pytest.mark.parametrize(
    ("name", "value"),
    [("PROSA_PORT", "x"), ("PROSA_PORT", "70000"), ("PROSA_PORT", "-1"), ("PROSA_LANGUAGE", "fr"), ("PROSA_TIMEZONE", "Mars/Olympus"), ("PROSA_MAX_OUTPUT_TOKENS", "1"),
     ("PROSA_MAX_TOKENS_PER_DAY", "-1"), ("PROSA_MAX_COST_PER_MONTH", "-0.01"), ("PROSA_MAX_COST_PER_MONTH", "NaN"),
     ("PROSA_MAX_COST_PER_MONTH", "Infinity"), ("PROSA_DRAIN_SECONDS", "-1"), ("PROSA_DRAIN_SECONDS", "nan"), ("PROSA_LOG_FORMAT", "xml"),
     ("PROSA_FRAME_ANCESTORS", "https://a; script-src *"), ("PROSA_FRAME_ANCESTORS", "a b"), ("PROSA_JWKS_URL", "id.example/keys"), ("PROSA_JWKS_URL", "ftp://id.example/keys"), ("PROSA_JWKS_URL", "https://a:b@id.example/keys")],
)  # fmt: skip
def test_a_value_that_does_not_do_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(MisconfiguredError, match=name):
        config.load()


def test_they_are_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        config.load().port = 1  # type: ignore[misc]


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, given, _ in NAMES:
        monkeypatch.setenv(name, given)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "MISTRAL_API_KEY"):
        monkeypatch.setenv(name, "canary-key")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:canary@gate.example:81/v1")
    monkeypatch.setenv("MISTRAL_BASE_URL", "https://gate.example/v1?key=canary&api-version=canary")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "https://gate.example/@v1")
    monkeypatch.setenv("OLLAMA_SERVER", "me:canary@home:11434")
    monkeypatch.setenv("PROSA_JWT_SECRET", "canary-" + STRONG)
    monkeypatch.setenv("PROSA_DATABASE_URL", "postgresql://user:canary@host/db")
    settings = config.load()
    shown = {name: value for name, value, _ in config.in_force(settings)}
    assert "canary" not in str(shown)
    assert shown["OPENAI_BASE_URL"] == "https://…@gate.example:81/v1"
    assert shown["MISTRAL_BASE_URL"] == "https://gate.example/v1?…"
    assert shown["OLLAMA_SERVER"] == "…@home:11434"
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.delenv("MISTRAL_BASE_URL")
    monkeypatch.delenv("OLLAMA_SERVER")
    assert "canary" not in repr(config.load())
    assert ("OPENAI_API_KEY", "(set)", "environment") in config.in_force(settings)

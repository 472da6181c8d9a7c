"""The settings: the only reader of the environment and of prosa.toml, checked at the start, then frozen."""

import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from prosa import toml
from prosa.domain import calendar
from prosa.domain.errors import MisconfiguredError

FILE = Path("prosa.toml")

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
SHORTEST_SECRET = 32
ADDRESSES = ("_base_url", "_server")
SECRET_PARTS = re.compile(r"(?<![^/])[^/@]*(?=@)|(?<=\?).*")
"""Of an address: who asks, and what stands in its query."""
FEWEST_CHARACTERS = 9
"""Different ones: "changeme" four times over has seven."""


def _strong(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        secret = value.get_secret_value()
        if "-----BEGIN" in secret:
            raise ValueError("must be a secret, and not a key of a pair, which others may know")
        if len(secret.encode()) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS:
            raise ValueError(
                f"must have at least {SHORTEST_SECRET} bytes and be no repeated word, such as the output of "
                "`openssl rand -hex 32`"
            )
    return value


def _web_address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        raise ValueError("must be an address such as https://id.example/.well-known/jwks.json")
    return value


def _framers(value: frozenset[str]) -> frozenset[str]:
    for each in value:
        if not re.fullmatch(r"\*|'self'|https?://[A-Za-z0-9.*-]+(:[0-9*]+)?", each):
            raise ValueError("takes origins such as https://app.example, and 'self'")
    return value


def _several(value: object) -> object:
    if isinstance(value, str):
        return frozenset(each.strip().rstrip("/") for each in value.split(",") if each.strip())
    return value


def _named(name: str, **options: Any) -> Any:
    """A setting that the environment calls `name`, and prosa.toml the same in lower case."""
    return Field(validation_alias=name, **options)


class Settings(BaseSettings):
    """Every setting by its name in the environment. An empty value counts as none."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True, populate_by_name=True
    )

    host: str = _named("PROSA_HOST", default="127.0.0.1")
    port: int = _named("PROSA_PORT", default=8000, ge=0, le=65_535)
    database_url: SecretStr = _named("PROSA_DATABASE_URL", default=SecretStr("sqlite:///prosa.db"))
    database_owner_url: SecretStr | None = _named("PROSA_DATABASE_OWNER_URL", default=None)
    database_engine_url: SecretStr | None = _named("PROSA_DATABASE_ENGINE_URL", default=None)
    jwt_secret: Annotated[SecretStr | None, AfterValidator(_strong)] = _named(
        "PROSA_JWT_SECRET", default=None
    )
    jwt_issuer: str | None = _named("PROSA_JWT_ISSUER", default=None)
    jwt_audience: str | None = _named("PROSA_JWT_AUDIENCE", default=None)
    jwt_cookie: str | None = _named("PROSA_JWT_COOKIE", default=None)
    jwks_url: Annotated[str | None, AfterValidator(_web_address)] = _named("PROSA_JWKS_URL", default=None)
    jwt_azp: Annotated[frozenset[str], NoDecode, BeforeValidator(_several)] = _named(
        "PROSA_JWT_AZP", default=frozenset()
    )
    jwt_user_claim: str = _named("PROSA_JWT_USER_CLAIM", default="sub")
    jwt_client_claim: str = _named("PROSA_JWT_CLIENT_CLAIM", default="client_id")
    jwt_roles_claim: str = _named("PROSA_JWT_ROLES_CLAIM", default="roles")
    admin_role: str = _named("PROSA_ADMIN_ROLE", default="admin")
    frame_ancestors: Annotated[
        frozenset[str], NoDecode, BeforeValidator(_several), AfterValidator(_framers)
    ] = _named("PROSA_FRAME_ANCESTORS", default=frozenset())
    hsts_seconds: int = _named("PROSA_HSTS_SECONDS", default=31_536_000, ge=0)
    allowed_origins: Annotated[frozenset[str], NoDecode, BeforeValidator(_several)] = _named(
        "PROSA_ALLOWED_ORIGINS", default=frozenset()
    )
    secret_key: Annotated[SecretStr | None, AfterValidator(_strong)] = _named(
        "PROSA_SECRET_KEY", default=None
    )
    secret_key_old: Annotated[SecretStr | None, AfterValidator(_strong)] = _named(
        "PROSA_SECRET_KEY_OLD", default=None
    )
    openai_api_key: SecretStr | None = _named("OPENAI_API_KEY", default=None)
    openai_base_url: str | None = _named("OPENAI_BASE_URL", default=None)
    anthropic_api_key: SecretStr | None = _named("ANTHROPIC_API_KEY", default=None)
    anthropic_base_url: str | None = _named("ANTHROPIC_BASE_URL", default=None)
    mistral_api_key: SecretStr | None = _named("MISTRAL_API_KEY", default=None)
    mistral_base_url: str | None = _named("MISTRAL_BASE_URL", default=None)
    ollama_server: str | None = _named("OLLAMA_SERVER", default=None)
    local_model: Path | None = _named("PROSA_LOCAL_MODEL", default=None)
    default_provider: str | None = _named("DEFAULT_AI_PROVIDER", default=None)
    default_model: str | None = _named("DEFAULT_AI_MODEL", default=None)
    system_prompt: str | None = _named("PROSA_SYSTEM_PROMPT", default=None)
    max_tokens_per_day: int | None = _named("PROSA_MAX_TOKENS_PER_DAY", default=None, ge=0)
    max_cost_per_month: Decimal | None = _named("PROSA_MAX_COST_PER_MONTH", default=None, ge=0)
    redis_url: SecretStr | None = _named("PROSA_REDIS_URL", default=None)
    max_requests_per_minute: int | None = _named("PROSA_MAX_REQUESTS_PER_MINUTE", default=None, ge=0)
    max_runs_at_once: int | None = _named("PROSA_MAX_RUNS_AT_ONCE", default=None, ge=0)
    max_output_tokens: int = _named("PROSA_MAX_OUTPUT_TOKENS", default=4096, ge=16)
    title_model: str | None = _named("PROSA_TITLE_MODEL", default=None)
    summary_model: str | None = _named("PROSA_SUMMARY_MODEL", default=None)
    max_tool_rounds: int = _named("PROSA_MAX_TOOL_ROUNDS", default=16, ge=0)
    max_sockets_per_user: int = _named("PROSA_MAX_SOCKETS_PER_USER", default=100, ge=1)
    socket_messages_per_second: float = _named("PROSA_SOCKET_MESSAGES_PER_SECOND", default=100.0, gt=0)
    embeddings_kept: int = _named("PROSA_EMBEDDINGS_KEPT", default=0, ge=0, le=1_000_000)
    action_seconds: float = _named("PROSA_ACTION_SECONDS", default=600.0, gt=0)
    files_dir: Path | None = _named("PROSA_FILES_DIR", default=None)
    max_file_bytes: int = _named("PROSA_MAX_FILE_BYTES", default=33_554_432, ge=1, le=33_554_432)
    max_files_bytes_per_user: int | None = _named(
        "PROSA_MAX_FILES_BYTES_PER_USER", default=1_073_741_824, ge=0
    )
    timezone: Annotated[str, AfterValidator(calendar.check)] = _named("PROSA_TIMEZONE", default="UTC")
    language: Literal["en", "pt"] = _named("PROSA_LANGUAGE", default="en")
    drain_seconds: float = _named("PROSA_DRAIN_SECONDS", default=20.0, ge=0)
    log_format: Literal["console", "json"] = _named("PROSA_LOG_FORMAT", default="console")
    log_level: toml.Level = _named("PROSA_LOG_LEVEL", default="info")
    log_file: Path | None = _named("PROSA_LOG_FILE", default=None)
    log_content: bool = _named("PROSA_LOG_CONTENT", default=False)
    metrics: Literal["operator", "open", "off"] = _named("PROSA_METRICS", default="operator")
    otlp_endpoint: SecretStr | None = _named("PROSA_OTLP_ENDPOINT", default=None)
    sentry_dsn: SecretStr | None = _named("PROSA_SENTRY_DSN", default=None)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _Toml(settings_cls, FILE)


class _Toml(TomlConfigSettingsSource):
    """prosa.toml, whose keys are the environment's names in lower case, with or without `prosa_`; beside them
    it has tables, which are read elsewhere: `tables`."""

    def _read_file(self, file_path: Any) -> dict[str, Any]:
        return tomllib.loads(file_path.read_text(encoding="utf-8"), parse_float=Decimal)

    def __call__(self) -> dict[str, Any]:
        found = {
            str(name).upper(): value for name, value in super().__call__().items() if name not in toml.NAMES
        }
        known = {str(field.validation_alias) for field in self.settings_cls.model_fields.values()}
        settings = {}
        for name, value in found.items():
            alias = name if name in known else f"PROSA_{name}"
            if alias not in known:
                raise MisconfiguredError(f"{FILE} has a setting that does not exist: {name.lower()}.")
            settings[alias] = value
        return settings


def load(**given: Any) -> Settings:
    """The settings in force: `given` by their field names, else the environment, else prosa.toml, else the
    default. Raises MisconfiguredError."""
    for name in sorted(given.keys() - Settings.model_fields.keys()):
        raise MisconfiguredError(f"There is no setting called {name}.")
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise MisconfiguredError(f"{where}: {first['msg'].removeprefix('Value error, ')}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise MisconfiguredError(f"{FILE} can't be read: {error}.") from None
    _check(settings)
    return settings


def tables() -> toml.Tables:
    """The tables of prosa.toml as they are now: routes, aliases, models, providers, tools. Raises
    MisconfiguredError."""
    try:
        found = tomllib.loads(FILE.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        return toml.Tables()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise MisconfiguredError(f"{FILE} can't be read: {error}.") from None
    return toml.tables(found)


def variable(name: str) -> str | None:
    """A variable of the environment that no setting is called after: the key or the address of a provider.
    An empty one counts as none."""
    return os.environ.get(name) or None


def secret(name: str, where: str) -> str:
    """What the environment holds under `name`, for a value that prosa.toml only points to. Raises
    MisconfiguredError."""
    found = os.environ.get(name)
    if not found:
        raise MisconfiguredError(f"{name} is not set, and {where} needs it. Set it and restart.")
    return found


def _check(settings: Settings) -> None:
    if settings.jwt_secret is None and settings.jwks_url is None and settings.host not in LOOPBACK:
        raise MisconfiguredError(
            f"PROSA_HOST is {settings.host}, but without tokens Prosa serves this machine only. Set "
            "PROSA_JWT_SECRET (at least 32 bytes, for example the output of `openssl rand -hex 32`) or "
            "PROSA_JWKS_URL."
        )
    if settings.secret_key_old is not None and settings.secret_key is None:
        raise MisconfiguredError(
            "PROSA_SECRET_KEY_OLD is set and PROSA_SECRET_KEY is not. The old key goes with the new one: set "
            "both, run `prosa keys rotate --master`, then take the old one away."
        )


def secrets_in_file() -> list[str]:
    """The settings in prosa.toml that are secrets, by their names."""
    found = _Toml(Settings, FILE)() if FILE.exists() else {}
    fields = Settings.model_fields.values()
    return sorted(
        name
        for field in fields
        if "Secret" in str(field.annotation)
        and (name := str(field.validation_alias)) in found
        and not str(found[name]).startswith("sqlite:")
    )


def in_force(settings: Settings) -> list[tuple[str, str, str]]:
    """(name, value, where it comes from) of every setting; secrets are only said to be set."""
    file = {} if not FILE.exists() else _Toml(Settings, FILE)()
    rows = []
    for field, info in Settings.model_fields.items():
        name = str(info.validation_alias)
        where = "environment" if os.environ.get(name) else str(FILE) if name in file else "default"
        value = getattr(settings, field)
        if isinstance(value, str) and field.endswith(ADDRESSES):
            value = SECRET_PARTS.sub("…", value)
        rows.append((name, _shown(value), where))
    found = tables()
    for name in sorted(toml.NAMES):
        entries = shown if isinstance(shown := getattr(found, name), dict) else toml.said(shown)
        rows.append((f"[{name}]", ", ".join(entries) or "-", str(FILE) if entries else "default"))
    return rows


def _shown(value: object) -> str:
    if value is None or value == frozenset():
        return "-"
    if isinstance(value, SecretStr):
        secret = value.get_secret_value()
        return secret if secret.startswith("sqlite:") else "(set)"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)

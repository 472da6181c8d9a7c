"""Builds the house from the settings: adapters, services, application. The only importer of adapters."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import SecretStr

from prosa.config import Settings, load, tables, variable
from prosa.domain import limits as caps
from prosa.domain.calendar import Calendar
from prosa.domain.errors import MisconfiguredError
from prosa.domain.ids import new_id
from prosa.domain.limits import Cap, Limits, limits_of
from prosa.domain.money import from_dollars
from prosa.domain.principal import Principal
from prosa.kit.log import log
from prosa.messengers import messengers
from prosa.ports.alerts import Messenger
from prosa.ports.files import Blobs
from prosa.ports.keys import Vault as VaultPort
from prosa.ports.models import ChatModel
from prosa.ports.moderation import Moderation
from prosa.ports.store import Store
from prosa.ports.tools import Tool
from prosa.providers import Given as GivenProvider
from prosa.providers import Providers, alone
from prosa.services.audit import Audit
from prosa.services.chat import Chat
from prosa.services.erasure import Erasing
from prosa.services.export.exporter import Export
from prosa.services.files.files import Files
from prosa.services.files.rules import Rules
from prosa.services.guard.guard import Book as Guarding
from prosa.services.guard.guard import Guard, Others
from prosa.services.guard.remote import TIMEOUT
from prosa.services.guard.tables import CheckTable
from prosa.services.imports.importer import Import
from prosa.services.keys.keys import Keys
from prosa.services.limits import Allowances
from prosa.services.models.attached import Read
from prosa.services.models.catalogue import Book, Catalogue
from prosa.services.models.routes import Names
from prosa.services.runs.recover import Recovery
from prosa.services.runs.start import Defaults
from prosa.services.usage.reports import Reports
from prosa.toml import CapTable, Ceilings, Tables
from prosa.tools import toolbox

if TYPE_CHECKING:
    from prosa.ports.rates import Rates
    from prosa.services.access.keyset import KeySet
    from prosa.transport.app import App
    from prosa.transport.identity import Identity

SESSION_COOKIE = "prosa_session"
SQLITE = "sqlite:///"
FILES = "prosa-files"


class Built(Struct, frozen=True):
    """What a program of its own needs of the house: the services, the language, and the application."""

    chat: Chat
    language: str
    app: Callable[[], "App"]


class Models(Struct, frozen=True):
    """What it takes to ask models with no store beside them: who there is, how long an answer that nobody
    bounds may be (in tokens), and the language of errors."""

    catalogue: Catalogue
    max_output_tokens: int
    language: str


def models(
    provider: str | ChatModel | None = None, *, api_key: str | None = None, base_url: str | None = None
) -> Models:
    """The models by the settings, with the keys of the environment alone. A `provider` is offered, too, with
    this key and at this address in place of its settings; or it is a model of the program's own.

    Raises MisconfiguredError, NoSuchProvider, ProviderNotConfigured.
    """
    settings = load()
    if provider is None or isinstance(provider, str):
        given = {} if provider is None else {provider: GivenProvider(api_key, base_url)}
        supply = Supply(settings, given=given)
    else:
        supply = Supply(settings, models={provider.provider: provider})
    return Models(supply.catalogue, settings.max_output_tokens, settings.language)


def build(
    models: Mapping[str, ChatModel] | None = None,
    tools: Iterable[Tool | Callable[..., Any]] = (),
    **given: Any,
) -> Built:
    """The house by settings that are given by their field names; what is not, as everywhere. Raises
    MisconfiguredError."""
    settings = load(**given)
    log.content = settings.log_content
    services = chat(settings, models, tools)
    return Built(services, settings.language, partial(application, settings, services))


def chat(
    settings: Settings,
    models: Mapping[str, ChatModel] | None = None,
    tools: Iterable[Tool | Callable[..., Any]] = (),
) -> Chat:
    """The services. `models` are offered beside those of the settings, the first as the default; so are
    `tools`, and functions that become tools."""
    opened = store(settings)
    sealer = vault(settings)
    keys = Keys(opened, sealer)
    kept = files(settings, opened)
    supply = Supply(settings, keys, models, read=kept.read)
    limits, named = _limits(settings, tables().limits)

    def reload() -> None:
        supply.reload()
        built.limits.settle(*_limits(settings, tables().limits))

    built = Chat(
        opened,
        supply.catalogue,
        Defaults(
            settings.system_prompt,
            settings.max_output_tokens,
            limits,
            settings.max_tool_rounds,
            settings.action_seconds,
            settings.summary_model,
            settings.title_model,
            Calendar(settings.timezone),
            named,
        ),
        keys,
        kept,
        sealer,
        tools=toolbox(tools),
        vectors=settings.embeddings_kept,
        reload=reload,
        alerting=tables().alerts.rules,
        messengers=messengers(settings, tables().alerts),
        retention=tables().retention,
        guard=supply.guard,
        rates=_rates(settings),
    )
    return built


def _rates(settings: Settings) -> "Rates | None":
    """In Redis where there is one; else the store counts."""
    url = _secret(settings.redis_url)
    if url is None:
        return None
    from prosa.adapters.rates.falling import FallingRates
    from prosa.adapters.rates.redis import RedisRates

    try:
        return FallingRates(RedisRates(url))
    except ValueError as error:
        raise MisconfiguredError(f"PROSA_REDIS_URL is no address of a Redis: {error}.") from None


def _limits(settings: Settings, said: Ceilings) -> tuple[Limits, dict[tuple[caps.Scope, str], Cap]]:
    """What holds for each user, for each client and for everyone; and for those that are named."""
    cost = settings.max_cost_per_month
    user = Cap(
        settings.max_tokens_per_day,
        None if cost is None else from_dollars(cost),
        settings.max_requests_per_minute,
        settings.max_runs_at_once,
        settings.max_sockets_per_user,
    ).tightened(_cap(said.user))
    usual = limits_of(user, _cap(said.client), _cap(said.everyone), Calendar(settings.timezone))
    named = {(caps.Scope.USER, name): _cap(table) for name, table in said.users.items()}
    return usual, named | {(caps.Scope.CLIENT, name): _cap(table) for name, table in said.clients.items()}


def _cap(said: CapTable) -> Cap:
    cost = said.cost_per_month
    dollars = None if cost is None else from_dollars(cost)
    return Cap(said.tokens_per_day, dollars, said.requests_per_minute, said.runs_at_once, said.sockets)


def told() -> list[Messenger]:
    """Those who are told of alerts, by the settings. Raises MisconfiguredError."""
    return messengers(load(), tables().alerts)


def files(settings: Settings, opened: Store) -> Files:
    """The files of users, beside the store."""
    rules = Rules(settings.max_file_bytes, settings.max_files_bytes_per_user)
    return Files(opened, _blobs(settings), rules)


class Supply:
    """The catalogue of models, and how it is read anew. `models` are the program's own."""

    def __init__(
        self,
        settings: Settings,
        keys: Keys | None = None,
        models: Mapping[str, ChatModel] | None = None,
        given: Mapping[str, GivenProvider] | None = None,
        read: Read | None = None,
    ) -> None:
        """Raises MisconfiguredError, NoSuchProvider, ProviderNotConfigured."""
        self._keys = keys
        self._models = models or {}
        self._providers = Providers(settings, alone if keys is None else keys.ring, given, read)
        self._own = settings.system_prompt
        found = tables()
        self.guard = Guard(self._guarding(found), read, Others(self._named, _moderation))
        offers = self._providers.offers(self._providers.draft(found.providers), found.providers, self._models)
        self.catalogue = Catalogue(
            offers, settings.default_provider, settings.default_model, _book(found), around=self.guard
        )
        _check_judges(found, self.catalogue.names)

    def reload(self) -> None:
        """Takes over what prosa.toml says now of routes, aliases, models and providers; runs that go on are
        as they were. Raises MisconfiguredError, NoSuchProvider: then nothing has changed."""
        found = tables()
        drafts = self._providers.draft(found.providers)
        defaults = {draft.plan.provider: draft.default_model for draft in drafts}
        names = self.catalogue.check(
            _book(found), {"local": "", **defaults, **{name: name for name in self._models}}
        )
        _check_judges(found, names)
        plans = self.guard.draft(self._guarding(found))
        self.catalogue.reload(self._providers.offers(drafts, found.providers, self._models), _book(found))
        self.guard.take(plans)
        if self._keys is not None:
            self._keys.heard()

    def _named(self, name: str) -> tuple[ChatModel, str]:
        """Whom a check asks, which nobody checks."""
        choice = self.catalogue.choose((None, name))
        return self.catalogue.unguarded(choice), choice.model

    def _guarding(self, found: Tables) -> Guarding:
        return Guarding(found.routes, found.masking, found.moderation, self._own)


def _moderation(name: str, table: CheckTable) -> Moderation:
    from prosa.adapters.moderation.openai import OpenAIModeration

    key = variable(table.api_key_env)
    if key is None and table.base_url is None:
        raise MisconfiguredError(
            f"{table.api_key_env} is not set, and [moderation.{name}] needs it. Set it and restart."
        )
    return OpenAIModeration(
        key,
        model=table.model,
        base_url=table.base_url,
        categories=table.categories,
        timeout=table.timeout or TIMEOUT,
    )


def _check_judges(found: Tables, names: Names) -> None:
    """Raises MisconfiguredError."""
    for name, table in found.moderation.items():
        if table.judge is not None:
            names.check(table.judge, f"[moderation.{name}] judge")


def _book(found: Tables) -> Book:
    return Book(found.routes, found.aliases, found.models)


@asynccontextmanager
async def keys(settings: Settings) -> AsyncIterator[Keys]:
    """The operator's keys, straight in the store, where no server needs to run; what needs no master key can
    be done without the right one. Raises StoreLocked where a server runs that can't share its store,
    MisconfiguredError, StoreUnavailable."""
    opened = store(settings)
    kept = Keys(opened, vault(settings))
    async with AsyncExitStack() as left:
        left.push_async_callback(opened.close)
        left.push_async_callback(Supply(settings, kept).catalogue.close)
        await opened.open(lambda _kind, _ids: None)
        left.push_async_callback(kept.close)
        yield kept


@asynccontextmanager
async def audit(settings: Settings) -> AsyncIterator[Audit]:
    """The audit log, straight in the store, where no server needs to run. Raises StoreLocked where one runs
    that can't share its store, MisconfiguredError, StoreUnavailable."""
    opened = store(settings)
    try:
        await opened.open(lambda _kind, _ids: None)
        yield Audit(opened)
    finally:
        await opened.close()


@asynccontextmanager
async def erasing(settings: Settings) -> AsyncIterator[Erasing]:
    """Erasure, straight in the store, where no server needs to run. Raises StoreLocked where one runs that
    can't share its store, MisconfiguredError, StoreUnavailable."""
    opened = store(settings)
    boot = new_id()
    recovery = Recovery(opened.engine, boot)

    async def stop(principal: Principal, run_id: str) -> None:
        await opened.of(principal).runs.cancel(run_id)
        await recovery.run()

    async with AsyncExitStack() as left:
        left.push_async_callback(opened.close)
        await opened.open(lambda _kind, _ids: None)
        made = Erasing(opened, files(settings, opened), stop, boot)
        left.push_async_callback(made.close)
        yield made


@asynccontextmanager
async def moves(settings: Settings) -> AsyncIterator[tuple[Export, Import, Audit]]:
    """Exports and imports, and where they are put down, straight in the store, where no server needs to run.
    Raises StoreLocked where one runs that can't share its store, MisconfiguredError, StoreUnavailable."""
    opened = store(settings)
    try:
        await opened.open(lambda _kind, _ids: None)
        yield Export(opened), Import(opened), Audit(opened)
    finally:
        await opened.close()


@asynccontextmanager
async def reports(settings: Settings) -> AsyncIterator[Reports]:
    """What was used, straight from the store, as `moves`."""
    opened = store(settings)
    limits = Allowances(opened, *_limits(settings, tables().limits))
    try:
        await opened.open(lambda _kind, _ids: None)
        yield Reports(opened, limits, Calendar(settings.timezone))
    finally:
        await opened.close()


def store(settings: Settings) -> Store:
    url = settings.database_url.get_secret_value()
    if url.startswith(SQLITE):
        from prosa.adapters.store.sqlite.store import SqliteStore

        return SqliteStore(_file(url))
    if url.startswith(("postgresql://", "postgres://")):
        from prosa.adapters.store.postgres.store import PostgresStore

        return PostgresStore(url, _secret(settings.database_engine_url))
    raise MisconfiguredError("PROSA_DATABASE_URL must begin with sqlite:/// or postgresql://.")


async def migrate(settings: Settings) -> None:
    """Brings the database to the newest revision. Raises MisconfiguredError, StoreUnavailable."""
    if settings.database_url.get_secret_value().startswith(SQLITE):
        opened = store(settings)
        await opened.open(lambda _kind, _ids: None)
        await opened.close()
        return
    owner, engine = _secret(settings.database_owner_url), _secret(settings.database_engine_url)
    if owner is None or engine is None:
        raise MisconfiguredError(
            "To migrate a Postgres database, set PROSA_DATABASE_OWNER_URL (the role that owns the tables), "
            "PROSA_DATABASE_URL (the application's) and PROSA_DATABASE_ENGINE_URL (the engine's)."
        )
    from prosa.adapters.store.postgres.migrate import migrate as migrate_postgres

    await migrate_postgres(owner, settings.database_url.get_secret_value(), engine)


def stands(settings: Settings) -> bool:
    """Whether the store is there and up to date, so that opening it changes nothing; of Postgres nobody knows
    before it is opened, which changes nothing either."""
    url = settings.database_url.get_secret_value()
    if not url.startswith(SQLITE):
        return True
    from prosa.adapters.store.migrations import HEAD
    from prosa.adapters.store.sqlite.schema import current_revision

    return _file(url).is_file() and current_revision(_file(url)) == HEAD


def misplaced(settings: Settings) -> str | None:
    """What is wrong with the place of files, if anything is."""
    return _blobs(settings).complaint()


def identity(settings: Settings, services: Chat | None = None) -> "Identity":
    """Who is calling; without the services, API keys are nobody's."""
    from prosa.transport.identity import Claims, Identity

    claims = Claims(
        settings.jwt_user_claim,
        settings.jwt_client_claim,
        settings.jwt_roles_claim,
        settings.admin_role,
        settings.jwt_issuer,
        settings.jwt_audience,
        settings.jwt_azp,
    )
    return Identity(
        _secret(settings.jwt_secret),
        settings.jwt_cookie or SESSION_COOKIE,
        claims,
        _published(settings.jwks_url),
        None if services is None else services.access.checks,
    )


def _published(url: str | None) -> "KeySet | None":
    if url is None:
        return None
    from prosa.adapters.jwks.http import HttpKeyHost
    from prosa.services.access.keyset import KeySet

    return KeySet(HttpKeyHost(url))


def application(settings: Settings, services: Chat) -> "App":
    """The ASGI application over `services`."""
    from prosa.transport.app import App
    from prosa.transport.crowd import SocketLimits
    from prosa.transport.security import Security

    return App(
        services,
        identity(settings, services),
        language=settings.language,
        origins=settings.allowed_origins,
        metrics=settings.metrics,
        limits=SocketLimits(settings.max_sockets_per_user, messages=settings.socket_messages_per_second),
        security=Security(settings.frame_ancestors, settings.hsts_seconds),
    )


def vault(settings: Settings) -> VaultPort:
    from prosa.adapters.vault.vault import Vault

    url = settings.database_url.get_secret_value()
    beside = Path(f"{_file(url)}.key") if url.startswith(SQLITE) else None
    return Vault(_secret(settings.secret_key), _secret(settings.secret_key_old), beside)


def _blobs(settings: Settings) -> Blobs:
    """In the folder that is set; else beside the database's file, or where the server was started."""
    from prosa.adapters.blobs.folder import Folder

    url = settings.database_url.get_secret_value()
    if not url.startswith(SQLITE):
        address = urlsplit(url)
        name = f"{address.hostname or ''}:{address.port or ''}{address.path}"
        return Folder(settings.files_dir or Path(FILES), name)
    file = _file(url)
    folder = settings.files_dir or file.parent / FILES
    return Folder(folder, os.path.relpath(file, folder))  # both may move, as long as they stay together


def _file(url: str) -> Path:
    return Path(url.removeprefix(SQLITE)).expanduser()


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()

"""Builds the providers, each behind its policies: those of the environment and those of prosa.toml."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from prosa.config import Settings, secret, variable
from prosa.domain.errors import MisconfiguredError, ProviderError, ProviderNotConfigured
from prosa.ports.models import ChatModel
from prosa.services.models.attached import Attached, Read
from prosa.services.models.catalogue import Offer
from prosa.services.models.handling import Handling
from prosa.services.models.keyring import Key, KeyRing
from prosa.services.models.policy import Policy
from prosa.services.models.shutdowns import Notices, lasting
from prosa.services.models.stack import stack
from prosa.toml import ProviderTable, Times

if TYPE_CHECKING:
    from prosa.adapters.models.http import Timeouts

DEFAULT_MODELS = {
    "openai": "gpt-4o-mini",
    "anthropic": "claude-haiku-4-5",
    "mistral": "mistral-small-latest",
    "ollama": "llama3.2",
    "local": "smollm2-135m",
}

HANDLING = {
    # A model that is not in memory yet is loaded first, and others may be waiting before this request.
    "ollama": Handling(first=600, whole=1_800),
    "local": Handling(first=1_200, silence=600, whole=3_600),
}
"""Of providers at home, which are slow where the others would be broken."""

Speaks = Callable[[str | None], ChatModel]
"""Makes the provider's model that speaks with a key, or with none."""

Rings = Callable[[str, Speaks, ChatModel | None], KeyRing]
"""Makes a provider's ring of keys; the model speaks with the key of the environment."""


def alone(provider: str, speaks: Speaks, own: ChatModel | None) -> KeyRing:
    """A ring with no key but the environment's."""
    del speaks
    return KeyRing(provider, [] if own is None else [Key(None, own)])


class Given(Struct, frozen=True):
    """What a program itself says of a provider, in place of its settings."""

    api_key: str | None = None
    base_url: str | None = None

    def __repr__(self) -> str:  # a trace may show it
        return "Given(…)"


class Plan(Struct, frozen=True):
    """What a provider is built from: two that are equal need not be built twice. Without a `key` it can do
    with none, or needs one of the store's."""

    provider: str
    dialect: str | None
    base_url: str | None
    key: str | None
    needs_key: bool
    setting: str
    times: Times
    caching: bool = False

    def __repr__(self) -> str:  # a trace may show it
        return f"Plan({self.provider!r}, …)"


class Made(Struct, frozen=True):
    plan: Plan
    handling: Handling
    ring: KeyRing
    model: Policy


class Draft(Struct, frozen=True):
    """A provider that is about to be set up. `own` speaks with the key of the environment; `missing` is what
    keeps it from being used as long as its ring is empty."""

    plan: Plan
    handling: Handling
    default_model: str | None
    own: ChatModel | None
    missing: Callable[[], ProviderError]
    listed_as: str | None


class Providers:
    """`rings` is where keys come from, `given` what the program says of providers by their names, `read` how
    the bytes of users' files are had. What was built stays, until something of it changes."""

    def __init__(
        self,
        settings: Settings,
        rings: Rings = alone,
        given: Mapping[str, Given] | None = None,
        read: Read | None = None,
    ) -> None:
        self._settings = settings
        self._rings = rings
        self._given = given or {}
        self._read = read
        self._made: dict[str, Made] = {}
        self._local: Offer | None = None

    def draft(self, tables: Mapping[str, ProviderTable]) -> list[Draft]:
        """All that there are but `local`, those that need a key and have none among them. Raises
        MisconfiguredError; then nothing has changed."""
        from prosa.adapters.models.openai.dialect import ROWS

        at_home = [name for name, row in ROWS.items() if not row.needs_key]
        named = ["openai", "anthropic", "mistral", "ollama", *(name for name in ROWS if name not in at_home)]
        used = [
            name
            for name in at_home
            if name in tables or name in self._given or variable(_setting(name, "BASE_URL"))
        ]
        names = [name for name in dict.fromkeys([*named, *used, *tables]) if name != "local"]
        return [self._drafted(name, tables.get(name, ProviderTable())) for name in names]

    def offers(
        self,
        drafts: Sequence[Draft],
        tables: Mapping[str, ProviderTable],
        own: Mapping[str, ChatModel] | None = None,
    ) -> dict[str, Offer]:
        """Sets them up. `own` are models of the program's, which come first; a table of theirs puts them
        behind policies."""
        own = own or {}
        offers = {
            name: Offer(name, self._own(name, model, tables.get(name)), tells=True)
            for name, model in own.items()
        }
        offers |= {
            draft.plan.provider: self._offer(draft) for draft in drafts if draft.plan.provider not in own
        }
        if "local" not in own:
            offers["local"] = self._embedded(tables.get("local", ProviderTable()))
        return offers

    def _drafted(self, name: str, table: ProviderTable) -> Draft:
        plan = _plan(name, table, self._settings, self._given.get(name, Given()))
        own: ChatModel | None = None
        missing: Callable[[], ProviderError] = partial(ProviderNotConfigured, name, plan.setting)
        made = self._made.get(name)
        if (made is None or made.plan != plan) and (plan.key is not None or not plan.needs_key):
            try:
                own = _speaks(plan, plan.key)
            except ProviderNotConfigured as error:  # an address is missing
                missing = partial(ProviderNotConfigured, name, str(error.details["setting"]))
        return Draft(plan, _handling(name, table), _default(name, table), own, missing, table.dialect)

    def _offer(self, draft: Draft) -> Offer:
        plan, handling, name = draft.plan, draft.handling, draft.plan.provider
        made = self._made.get(name)
        if made is None or made.plan != plan:
            ring = self._rings(name, partial(_speaks, plan), draft.own)
            if draft.own is not None and not ring:  # the store's keys come later, and nobody waits for them
                ring.replace([Key(None, draft.own)])
            made = Made(plan, handling, ring, stack(ring, handling, self._read))
        elif made.handling != handling:
            made = structs.replace(made, handling=handling, model=stack(made.ring, handling, self._read))
        self._made[name] = made
        return Offer(
            draft.default_model,
            made.model,
            missing=draft.missing,
            ready=partial(bool, made.ring),
            tells=name not in ("openai", "anthropic", "mistral") or plan.base_url is not None,
            listed_as=draft.listed_as,
        )

    def _own(self, name: str, model: ChatModel, table: ProviderTable | None) -> ChatModel:
        if table is None:
            return model if self._read is None else Attached(model, self._read)
        return stack(KeyRing(name, [Key(None, model)]), _handling(name, table), self._read)

    def _embedded(self, table: ProviderTable) -> Offer:
        if self._local is None:
            self._local = _local(self._settings, _handling("local", table), self._read)
        return structs.replace(self._local, default_model=_default("local", table))


def _plan(name: str, table: ProviderTable, settings: Settings, given: Given) -> Plan:
    """Raises MisconfiguredError."""
    from prosa.adapters.models.openai.dialect import ROWS

    where = f"[providers.{name}]"
    setting = _setting(name, "API_KEY")
    row = ROWS.get(table.dialect or name)
    if row is None and table.dialect is not None:
        raise MisconfiguredError(
            f"prosa.toml, {where}: there is no dialect called {table.dialect}. Use one of: {', '.join(ROWS)}."
        )
    base_url = given.base_url or table.base_url or _address(name, settings)
    key = given.api_key or _key(name, setting, table, settings)
    native = name in ("anthropic", "mistral", "ollama")
    if row is None and not native and base_url is None:
        raise MisconfiguredError(f"prosa.toml, {where}: say its `base_url`, or a `dialect` that is known.")
    needs_key = name in ("anthropic", "mistral") or (row is not None and row.needs_key)
    if name == "openai" and base_url is not None:  # a server that only resembles it may want none
        needs_key = False
    if name == "ollama":
        needs_key, setting = base_url is None, "OLLAMA_SERVER"
    if table.caching and name != "anthropic":
        raise MisconfiguredError(f"prosa.toml, {where}: only Anthropic is told what to cache. Leave it out.")
    dialect = None if native or name == "openai" else (row.name if row else "")
    setting = table.api_key_env or setting
    return Plan(name, dialect, base_url, key, needs_key, setting, table.timeouts, table.caching)


def _address(name: str, settings: Settings) -> str | None:
    match name:
        case "openai":
            return settings.openai_base_url
        case "anthropic":
            return settings.anthropic_base_url
        case "mistral":
            return settings.mistral_base_url
        case "ollama":
            return settings.ollama_server
    return variable(_setting(name, "BASE_URL"))


def _key(name: str, setting: str, table: ProviderTable, settings: Settings) -> str | None:
    """Raises MisconfiguredError."""
    if table.api_key_env:
        return secret(table.api_key_env, f"[providers.{name}]")
    given = {
        "openai": settings.openai_api_key,
        "anthropic": settings.anthropic_api_key,
        "mistral": settings.mistral_api_key,
    }
    if name in given:
        found = given[name]
        return None if found is None else found.get_secret_value()
    return variable(setting)


def _setting(name: str, what: str) -> str:
    return f"{name.upper().replace('-', '_')}_{what}"


def _default(name: str, table: ProviderTable) -> str | None:
    usual = DEFAULT_MODELS.get(name)
    return table.default_model or (None if usual is None else lasting(name, usual, Notices().today))


def _handling(name: str, table: ProviderTable) -> Handling:
    given: dict[str, Any] = {
        field: getattr(table, field)
        for field in ("concurrency", "waiting", "waiting_each", "retries", "patience", "failures", "cooldown")
    }
    given |= {field: getattr(table.timeouts, field) for field in ("first", "silence", "whole")}
    told = {field: value for field, value in given.items() if value is not None}
    return structs.replace(HANDLING.get(name, Handling()), **told)


def _speaks(plan: Plan, key: str | None) -> ChatModel:
    """The provider's adapter. Raises MisconfiguredError, ProviderNotConfigured."""
    if plan.provider == "anthropic":
        from prosa.adapters.models.anthropic.client import AnthropicModel

        times = _timeouts(plan.times)
        return AnthropicModel(api_key=key or "", base_url=plan.base_url, caching=plan.caching, timeouts=times)
    if plan.provider == "mistral":
        from prosa.adapters.models.mistral.client import MistralModel

        return MistralModel(api_key=key or "", base_url=plan.base_url, timeouts=_timeouts(plan.times))
    if plan.provider == "ollama":
        from prosa.adapters.models.ollama.client import PATIENT, OllamaModel

        times = _timeouts(plan.times, PATIENT)
        return OllamaModel(base_url=plan.base_url or "", api_key=key, timeouts=times)
    from prosa.adapters.models.openai.client import OpenAIModel
    from prosa.adapters.models.openai.dialect import OPENAI, ROWS, Dialect

    dialect = OPENAI
    if plan.dialect:
        dialect = structs.replace(ROWS[plan.dialect], name=plan.provider)
    elif plan.dialect is not None:
        dialect = Dialect(plan.provider, plan.base_url or "", cap="max_tokens", needs_key=False)
    return OpenAIModel(api_key=key, base_url=plan.base_url, dialect=dialect, timeouts=_timeouts(plan.times))


def _timeouts(times: Times, usual: "Timeouts | None" = None) -> "Timeouts":
    from prosa.adapters.models.http import IN_GENERAL

    told = {field: value for field, value in structs.asdict(times).items() if value is not None}
    return structs.replace(usual or IN_GENERAL, **told)


def _local(settings: Settings, handling: Handling, read: Read | None) -> Offer:
    from prosa.adapters.models.local.model import LocalModel
    from prosa.adapters.models.local.server import CONTEXT, LocalServer

    def connect(base_url: str, api_key: str) -> ChatModel:
        from prosa.adapters.models.http import Timeouts
        from prosa.adapters.models.openai.client import OpenAIModel
        from prosa.adapters.models.openai.dialect import ROWS

        row = structs.replace(ROWS["llamacpp"], name="local", base_url=base_url)
        # One thread reads about a hundred tokens a second, and others may be waiting before this one.
        return OpenAIModel(api_key=api_key, dialect=row, timeouts=Timeouts(first=600))

    server = LocalServer(settings.local_model)
    model = stack(KeyRing("local", [Key(None, LocalModel(server, connect))]), handling, read)
    return Offer(DEFAULT_MODELS["local"], model, warm=server.warm, window=CONTEXT)

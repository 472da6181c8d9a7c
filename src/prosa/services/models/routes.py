"""Names for models: a route with its targets in order, an alias, and how such a name is read."""

from collections.abc import Container, Mapping
from typing import Annotated

from msgspec import Meta, Struct

from prosa.domain.answers import Caching
from prosa.domain.errors import MisconfiguredError

DEFAULT = "default"
"""The route that answers where nothing is asked for."""

LONGEST = 200
"""Characters of a name: what a request may hold as its model."""


class Target(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider, and one of its models; without one, the provider's default."""

    provider: str
    model: str | None = None


class Route(Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers, in this order: each as "provider/model", "provider", or a table of the two.

    `masking` names the table that holds here (true: the one called "default"; false: none), `restore` says
    otherwise than that table whether readers get the values again. `moderation` names the checks (true: all
    that are made `always`; false: none). With `cache` its answers are kept.
    """

    targets: tuple[str | Target, ...]
    masking: bool | str = True
    restore: bool | None = None
    moderation: bool | tuple[str, ...] = True
    cache: Caching | None = None
    step_down: str | None = None
    """What answers instead once so much of a limit is used: a route, an alias, or "provider/model"."""
    step_down_at: Annotated[float, Meta(gt=0, le=1)] = 0.8

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError("`targets` must name at least one model")


def target_of(written: str | Target) -> Target:
    """Reads "provider/model"; the model's own name may have slashes, too."""
    if isinstance(written, Target):
        return written
    provider, _, model = written.partition("/")
    return Target(provider, model or None)


class Names:
    """Routes and aliases by their names, checked against the providers that there are. `default` holds the
    model of each provider that says no other; None for one that has none."""

    def __init__(
        self, routes: Mapping[str, Route], aliases: Mapping[str, str], default: Mapping[str, str | None]
    ) -> None:
        """Raises MisconfiguredError, which names the place."""
        self._default = default
        self.routes = {
            name: tuple(self._checked(target_of(each), f"[routes.{name}]") for each in route.targets)
            for name, route in routes.items()
        }
        self.aliases: dict[str, Target | str] = {}
        for name, meaning in aliases.items():
            where = f"[aliases] {name}"
            if name in routes:
                raise MisconfiguredError(f"prosa.toml, {where}: there is a route of this name, too.")
            if meaning in routes:
                self.aliases[name] = meaning
            else:
                self.aliases[name] = self._checked(target_of(meaning), where)
        self.steps: dict[str, tuple[str, float]] = {}
        for name, route in routes.items():
            if route.step_down is not None:
                self.check(route.step_down, f"[routes.{name}] step_down")
                self.steps[name] = (route.step_down, route.step_down_at)
            if route.cache is not None and route.cache.semantic is not None:
                self.check(route.cache.semantic, f"[routes.{name}] cache.semantic")
        for name in (*routes, *aliases):
            if not name or len(name) > LONGEST or "\0" in name:
                raise MisconfiguredError(f"prosa.toml: {name[:50]!r} can't be a name for a model.")

    def check(self, name: str, where: str) -> None:
        """Raises MisconfiguredError where `name` is no route, no alias, and no model of a provider."""
        if name not in self.routes and name not in self.aliases:
            self._checked(target_of(name), where)

    def route_of(self, name: str) -> str | None:
        """The route of this name, be it an alias of one."""
        if name in self.routes:
            return name
        meaning = self.aliases.get(name)
        return meaning if isinstance(meaning, str) else None

    def alias_of(self, name: str) -> Target | None:
        meaning = self.aliases.get(name)
        return meaning if isinstance(meaning, Target) else None

    def _checked(self, target: Target, where: str) -> Target:
        check_provider(target.provider, self._default, where)
        model = target.model or self._default[target.provider]
        if model is None:
            raise MisconfiguredError(
                f"prosa.toml, {where}: {target.provider} has no default model. Write "
                f'"{target.provider}/" and the name of one.'
            )
        return Target(target.provider, model)


def check_provider(name: str, known: Container[str], where: str) -> None:
    """Raises MisconfiguredError where nobody is called so."""
    if name not in known:
        raise MisconfiguredError(
            f"prosa.toml, {where}: there is no provider called {name}. Set its key in the environment, or "
            f"describe it in [providers.{name}]."
        )

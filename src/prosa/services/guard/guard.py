"""The guard: what stands around whom, by the operator's tables and by what each route says of them."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.errors import MisconfiguredError
from prosa.ports.models import ChatModel
from prosa.services.guard.guarded import Guarded, Plan
from prosa.services.guard.rules import Rule
from prosa.services.guard.tables import DEFAULT, CheckTable, MaskingTable
from prosa.services.models.attached import Read
from prosa.services.models.routes import Route


class Book(Struct, frozen=True):
    """What prosa.toml says of it, and the operator's own instructions."""

    routes: Mapping[str, Route] = {}
    masking: Mapping[str, MaskingTable] = {}
    moderation: Mapping[str, CheckTable] = {}
    own: str | None = None


class Plans(Struct, frozen=True):
    """The plan of each route, and the one that holds elsewhere."""

    routes: Mapping[str, Plan]
    usual: Plan


class Guard:
    """Puts itself around models, where there is anything to guard."""

    def __init__(self, book: Book | None = None, read: Read | None = None) -> None:
        """Raises MisconfiguredError."""
        self._read = read
        self._plans = self.draft(book or Book())

    def __call__(self, model: ChatModel, route: str | None) -> ChatModel:
        """`model` as it answers for a route; for a `route` of None where none was asked."""
        plan = self.plan(route)
        return Guarded(model, plan, self._read) if plan else model

    def plan(self, route: str | None) -> Plan:
        plans = self._plans
        return plans.usual if route is None else plans.routes.get(route, plans.usual)

    def draft(self, book: Book) -> Plans:
        """What would hold. Raises MisconfiguredError for a list that can't be read, and for a route that
        names what there is not."""
        rules = {name: Rule(name, table) for name, table in book.moderation.items()}
        usual = tuple(rule for rule in rules.values() if rule.table.always)
        planner = _Planner(book, rules, usual)
        routes = {name: planner.plan(name, route) for name, route in book.routes.items()}
        return Plans(routes, Plan(book.masking.get(DEFAULT), usual, book.own))

    def take(self, plans: Plans) -> None:
        """From now on these; what goes on is as it was."""
        self._plans = plans


class _Planner(Struct):
    book: Book
    rules: Mapping[str, Rule]
    usual: tuple[Rule, ...]

    def plan(self, name: str, route: Route) -> Plan:
        return Plan(self._masking(name, route), self._checks(name, route), self.book.own)

    def _checks(self, name: str, route: Route) -> tuple[Rule, ...]:
        match route.moderation:
            case True:
                return self.usual
            case False:
                return ()
        for check in route.moderation:
            if check not in self.rules:
                raise _missing(name, "moderation", check)
        return tuple(self.rules[check] for check in route.moderation)

    def _masking(self, name: str, route: Route) -> MaskingTable | None:
        if route.masking is False:
            return None
        wanted = DEFAULT if route.masking is True else route.masking
        masking = self.book.masking.get(wanted)
        if masking is None:
            if wanted != DEFAULT:
                raise _missing(name, "masking", wanted)
            return None
        return masking if route.restore is None else replace(masking, restore=route.restore)


def _missing(route: str, table: str, name: str) -> MisconfiguredError:
    return MisconfiguredError(
        f"prosa.toml, [routes.{route}]: there is no [{table}.{name}]. Write it, or name another."
    )

"""The guard: what stands around whom, by the operator's tables and by what each route says of them."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from prosa.domain.errors import MisconfiguredError
from prosa.domain.models import Aside, ChatRequest, Origin
from prosa.ports.models import ChatModel
from prosa.ports.moderation import Moderation
from prosa.services.guard.guarded import Guarded
from prosa.services.guard.judge import Ask, Judge, Resolve, unpaid
from prosa.services.guard.plan import Plan
from prosa.services.guard.remote import Remote
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
    checks: Mapping[str, Rule | Remote] = {}


class Others(Struct, frozen=True):
    """Whom checks ask: `resolve` tells the model of a name and what it is called there, `endpoint` makes what
    speaks with a moderation endpoint (raises MisconfiguredError)."""

    resolve: Resolve
    endpoint: Callable[[str, CheckTable], Moderation]


class Guard:
    """Puts itself around models, where there is anything to guard. `ask` is how judges are asked."""

    def __init__(
        self, book: Book | None = None, read: Read | None = None, others: Others | None = None
    ) -> None:
        """Raises MisconfiguredError."""
        self.ask: Ask = unpaid
        self._read = read
        self._others = others
        self._remotes: dict[str, Remote] = {}
        self._left: list[Remote] = []
        self._plans, self._admits = Plans({}, Plan()), False
        if book is not None:
            self.take(self.draft(book))

    def __call__(self, model: ChatModel, route: str | None) -> ChatModel:
        """`model` as it answers for a route; for a `route` of None where none was asked."""
        plan = self.plan(route)
        return Guarded(model, plan, self._read) if plan else model

    def plan(self, route: str | None) -> Plan:
        plans = self._plans
        return plans.usual if route is None else plans.routes.get(route, plans.usual)

    @property
    def admits(self) -> bool:
        """Whether messages have to be looked at before they are taken, on any route."""
        return self._admits

    def draft(self, book: Book) -> Plans:
        """What would hold. Raises MisconfiguredError for a list that can't be read, and for a route that
        names what there is not."""
        checks = {name: self._check(name, table) for name, table in book.moderation.items()}
        usual = [name for name, table in book.moderation.items() if table.always]
        planner = _Planner(book, checks, usual)
        routes = {name: planner.plan(name, route) for name, route in book.routes.items()}
        return Plans(routes, planner.plan("", Route(("",))), checks)

    def take(self, plans: Plans) -> None:
        """From now on these; what goes on is as it was."""
        self._plans = plans
        self._admits = any(plan.admits for plan in (plans.usual, *plans.routes.values()))
        kept = {name: check for name, check in plans.checks.items() if isinstance(check, Remote)}
        self._left += [check for name, check in self._remotes.items() if kept.get(name) is not check]
        self._remotes = kept

    async def close(self) -> None:
        for check in (*self._remotes.values(), *self._left):
            await check.moderation.close()

    def _check(self, name: str, table: CheckTable) -> Rule | Remote:
        """The one that there is, if it is the same: it knows what it was asked before."""
        known = self._remotes.get(name)
        if known is not None and known.table == table:
            return known
        if table.judge is not None and self._others is not None:
            return Remote(name, table, Judge(table.judge, table.policy, self._others.resolve, self._asked))
        if table.endpoint is not None and self._others is not None:
            return Remote(name, table, self._others.endpoint(name, table))
        return Rule(name, table)

    async def _asked(
        self,
        origin: Origin | None,
        model: ChatModel,
        request: ChatRequest,
        note: Callable[[Aside], None],
    ) -> str:
        return await self.ask(origin, model, request, note)


class _Planner(Struct):
    book: Book
    checks: Mapping[str, Rule | Remote]
    usual: Sequence[str]

    def plan(self, name: str, route: Route) -> Plan:
        checks = [self.checks[each] for each in self._names(name, route)]
        return Plan(
            self._masking(name, route),
            tuple(check for check in checks if isinstance(check, Rule)),
            tuple(check for check in checks if isinstance(check, Remote)),
            self.book.own,
        )

    def _names(self, name: str, route: Route) -> Sequence[str]:
        if isinstance(route.moderation, bool):
            return self.usual if route.moderation else ()
        for check in route.moderation:
            if check not in self.checks:
                raise _missing(name, "moderation", check)
        return route.moderation

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

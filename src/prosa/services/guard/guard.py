"""The guard: what stands around whom, by the operator's tables and by what each route says of them."""

from collections.abc import Mapping

from msgspec.structs import replace

from prosa.domain.errors import MisconfiguredError
from prosa.ports.models import ChatModel
from prosa.services.guard.guarded import Guarded, Plan
from prosa.services.guard.tables import DEFAULT, MaskingTable
from prosa.services.models.attached import Read
from prosa.services.models.routes import Route


class Guard:
    """Puts itself around models, where there is anything to guard; `None` is a model that is asked by no
    route."""

    def __init__(
        self, routes: Mapping[str, Route], masking: Mapping[str, MaskingTable], read: Read | None = None
    ) -> None:
        """Raises MisconfiguredError for a route that names what there is not."""
        self._masking = masking
        self._read = read
        self._plans = {name: self._plan(name, route) for name, route in routes.items()}
        self._usual = Plan(masking.get(DEFAULT))

    def __call__(self, model: ChatModel, route: str | None) -> ChatModel:
        plan = self.plan(route)
        return Guarded(model, plan, self._read) if plan else model

    def plan(self, route: str | None) -> Plan:
        return self._usual if route is None else self._plans.get(route, self._usual)

    def _plan(self, name: str, route: Route) -> Plan:
        masking: MaskingTable | None = None
        if route.masking is not False:
            wanted = DEFAULT if route.masking is True else route.masking
            masking = self._masking.get(wanted)
            if masking is None and wanted != DEFAULT:
                raise MisconfiguredError(
                    f"prosa.toml, [routes.{name}]: there is no [masking.{wanted}]. Write it, or name another."
                )
        if masking is not None and route.restore is not None:
            masking = replace(masking, restore=route.restore)
        return Plan(masking)

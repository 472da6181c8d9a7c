"""What stands around the models of a route."""

from msgspec import Struct

from prosa.services.guard.remote import Remote
from prosa.services.guard.rules import Rule
from prosa.services.guard.tables import MaskingTable, Side


class Plan(Struct, frozen=True):
    """`own` are the operator's instructions, which nobody checks."""

    masking: MaskingTable | None = None
    rules: tuple[Rule, ...] = ()
    remotes: tuple[Remote, ...] = ()
    own: str | None = None

    def __bool__(self) -> bool:
        return self.masking is not None or bool(self.rules or self.remotes)

    @property
    def admits(self) -> bool:
        """Whether a message has to be looked at before it is taken."""
        return any(check.table.action == "block" and "input" in check.table.on for check in self.checks)

    @property
    def checks(self) -> tuple[Rule | Remote, ...]:
        return (*self.rules, *self.remotes)

    def rules_on(self, side: Side) -> list[Rule]:
        return [rule for rule in self.rules if side in rule.table.on]

    def remotes_on(self, side: Side) -> list[Remote]:
        return [remote for remote in self.remotes if side in remote.table.on]

    def masking_on(self, side: Side) -> MaskingTable | None:
        return self.masking if self.masking is not None and side in self.masking.on else None

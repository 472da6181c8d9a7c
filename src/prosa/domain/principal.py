"""Who is calling."""

from msgspec import Struct


class Principal(Struct, frozen=True):
    """`user_id` is the token's `sub`; `client_id` the tenant or customer account, "" where there is none;
    `roles` what the token says that he may do beside what every user may."""

    user_id: str
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    acting: str = ""
    """Who it is that acts as this one, if somebody else does."""

    @property
    def actor(self) -> str:
        """Who answers for what is done."""
        return self.acting or self.user_id

    @property
    def is_operator(self) -> bool:
        """May see and change what belongs to no user."""
        return ADMIN in self.roles

    @property
    def desk(self) -> "Principal":
        """Who owns what the caller shares with all of his client: tickets, their conversations, shared
        templates. Where there is no client, the caller himself."""
        return Principal(DESK + self.client_id, self.client_id, acting=self.actor) if self.client_id else self


ADMIN = "admin"

RESERVED = "prosa:"
"""No user's id begins with this: what does is an owner that Prosa made."""

DESK = RESERVED + "desk:"

COMMAND = Principal(RESERVED + "cli", roles=frozenset({ADMIN}))
"""Who is at the machine itself: the command, straight in the store."""

LOCAL = Principal("local", roles=frozenset({ADMIN}))
"""The one user of a Prosa without tokens, and of the library: the operator, too."""

"""Who is calling."""

from msgspec import Struct


class Principal(Struct, frozen=True):
    """`user_id` is the token's `sub`; `client_id` the tenant or customer account, "" where there is none;
    `roles` what the token says that he may do beside what every user may."""

    user_id: str
    client_id: str = ""
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    @property
    def is_operator(self) -> bool:
        """May see and change what belongs to no user."""
        return ADMIN in self.roles


ADMIN = "admin"

LOCAL = Principal("local", roles=frozenset({ADMIN}))
"""The one user of a Prosa without tokens, and of the library: the operator, too."""

"""Who is calling."""

from msgspec import Struct


class Principal(Struct, frozen=True):
    """`user_id` is the token's `sub`; `client_id` the tenant or customer account, "" where there is none."""

    user_id: str
    client_id: str = ""
    scopes: frozenset[str] = frozenset()


LOCAL = Principal("local")
"""The one user of a Prosa without tokens, and of the library."""

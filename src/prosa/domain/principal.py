"""Who is calling."""

from msgspec import Struct

from prosa.domain.limits import Cap

CHAT, READ, EMBED, OPERATE, ACCOUNT = "chat", "read", "embed", "admin", "account"
"""What a credential may be good for: to talk (and so to read), only to read, to make embed tokens, to do what
the operator does; and what only the user himself may, of which no key is capable: to make keys."""

OWN = frozenset({CHAT, READ, OPERATE, ACCOUNT})
"""What a user's own token is good for; to operate only where it says that he is an operator."""

ADMIN = "admin"

RESERVED = "prosa:"
"""No user's id begins with this: what does is an owner that Prosa made."""

DESK = RESERVED + "desk:"

GUEST = RESERVED + "guest:"
"""The end users of a host application, who are nobody elsewhere."""


class Principal(Struct, frozen=True):
    """`user_id` is the token's `sub`; `client_id` the tenant or customer account, "" where there is none;
    `scopes` what his credential is good for; `roles` what the token says that he may do beside what every
    user may; `key_id` the API key that he came with, "" where he came with none."""

    user_id: str
    client_id: str = ""
    scopes: frozenset[str] = OWN
    roles: frozenset[str] = frozenset()
    key_id: str = ""
    acting: str = ""
    """Who it is that acts as this one, if somebody else does."""
    limits: Cap | None = None
    """What the token says that he may use: it only takes from what he may otherwise."""

    @property
    def actor(self) -> str:
        """Who answers for what is done: of the programs of a user each by its key."""
        if self.acting:
            return self.acting
        return f"key:{self.key_id}" if self.key_id and not self.is_guest else self.user_id

    @property
    def is_operator(self) -> bool:
        """May see and change what belongs to no user."""
        return ADMIN in self.roles and OPERATE in self.scopes

    @property
    def is_guest(self) -> bool:
        """Whether a host application vouches for him, and nobody else."""
        return self.user_id.startswith(GUEST)

    @property
    def desk(self) -> "Principal":
        """Who owns what the caller shares with all of his client: tickets, their conversations, shared
        templates. Where there is no client, and for guests, who share nothing, the caller himself."""
        if not self.client_id or self.is_guest:
            return self
        return Principal(DESK + self.client_id, self.client_id, acting=self.actor)


LOCAL = Principal("local", scopes=OWN | {EMBED}, roles=frozenset({ADMIN}))
"""The one user of a Prosa without tokens, and of the library: the operator, too."""

COMMAND = Principal(RESERVED + "cli", roles=frozenset({ADMIN}))
"""Who is at the machine itself: the command, straight in the store."""

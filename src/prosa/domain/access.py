"""API keys and suspensions: what they are, how a key is written, and what can be wrong with either."""

import re
import secrets
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from prosa.domain.errors import NotFound, ProsaError
from prosa.domain.ids import parse_id
from prosa.domain.keys import OPERATOR, Place, Sealed, hint_of
from prosa.domain.limits import Cap
from prosa.domain.principal import ADMIN, CHAT, EMBED, GUEST, OPERATE, READ, Principal
from prosa.domain.time import Instant

PREFIX = "prosa-"
"""How every API key begins."""

SIGNER = "embed-"
"""How the `kid` of every embed token begins."""

SCOPES = (CHAT, READ, EMBED, OPERATE)
"""What a key may be good for."""

OWN_SCOPES = frozenset({CHAT, READ})
"""What a user may give to a key of his own; an operator may give the others, too."""

MOST_KEYS = 100
"""Keys of one user that are good at the same time."""

LONGEST_EMBED = 3_600
"""Seconds that an embed token may be good for."""

_FORM = re.compile(r"prosa-([0-9a-f]{32})-([A-Za-z0-9_-]{43})")


class ApiKey(Struct, frozen=True):
    """What may be told of a key. `hint` is its end; `created_by` who made it, if not its user; `limits` what
    the token said that it was made with: no key is a way around them."""

    id: str
    user_id: str
    client_id: str
    name: str
    hint: str
    scopes: tuple[str, ...]
    created_at: Instant
    created_by: str
    expires_at: Instant | None = None
    last_used_at: Instant | None = None
    revoked_at: Instant | None = None
    limits: Cap | None = None

    @property
    def principal(self) -> Principal:
        """Who calls with it."""
        scopes = frozenset(self.scopes) | ({READ} if CHAT in self.scopes else set())
        roles = frozenset({ADMIN}) if OPERATE in self.scopes else frozenset[str]()
        return Principal(self.user_id, self.client_id, scopes, roles, self.id, limits=self.limits)

    @property
    def kid(self) -> str:
        """What the tokens that are signed with it say in their header."""
        return SIGNER + self.id.replace("-", "")

    @property
    def place(self) -> Place:
        """What its sealed signing secret is bound to."""
        return Place("api_keys", self.id, "prosa", OPERATOR)

    def good(self, at: Instant) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)

    def guest(self, name: str, scopes: frozenset[str]) -> Principal:
        """The end user whom the host calls `name`: of its client, else (behind an @) of its own user, and the
        same one for all keys of it."""
        space = f"{GUEST}{quote(self.client_id, safe='')}:" if self.client_id else guests_of(self.user_id)
        return Principal(space + name, self.client_id, scopes, key_id=self.id)


def guests_of(user_id: str) -> str:
    """How the ids of those begin whom a host without a client lets in: they are his alone."""
    return f"{GUEST}@{quote(user_id, safe='')}:"


class StoredApiKey(Struct, frozen=True):
    """A key with what its secret is checked against, and what it signs with, sealed."""

    key: ApiKey
    hash: str
    sealed: Sealed | None = None


class Suspension(Struct, frozen=True):
    """A user or a client who may not call; with `part` "admin", who is no operator whatever his credentials
    say."""

    kind: Literal["user", "client"]
    subject: str
    part: Literal["", "admin"]
    reason: str
    created_at: Instant
    created_by: str

    @property
    def name(self) -> str:
        return subject_of(self.kind, self.subject)


def subject_of(kind: str, subject: str) -> str:
    """One name for a user or a client."""
    return f"{kind}:{subject}"


def new_secret() -> str:
    """43 characters by chance: 256 bits."""
    return secrets.token_urlsafe(32)


def written(key_id: str, secret: str) -> str:
    """The whole key, as its user gets it."""
    return f"{PREFIX}{key_id.replace('-', '')}-{secret}"


def read(text: str) -> tuple[str, str] | None:
    """(id, secret) of a whole key; None for what is none."""
    found = _FORM.fullmatch(text)
    identity = None if found is None else parse_id(found[1])
    return None if found is None or identity is None else (identity, found[2])


def hint(secret: str) -> str:
    return hint_of(secret)


def signer_of(kid: str) -> str | None:
    """The id of the key that an embed token names."""
    return parse_id(kid.removeprefix(SIGNER)) if kid.startswith(SIGNER) else None


class Suspended(ProsaError):
    code = "suspended"
    en = "This account is suspended. Ask whoever runs this service."
    pt = "Esta conta está suspensa. Fale com quem administra este serviço."


class ScopeMissing(ProsaError):
    code = "scope_missing"
    en = "This credential may not do that: it lacks the scope `{scope}`. Use another key, or your own token."
    pt = "Esta credencial não permite isso: falta o escopo `{scope}`. Use outra chave ou o seu próprio token."

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"
    en = "There is no such API key. List them to see which there are."
    pt = "Chave de API não encontrada. Liste-as para ver quais existem."


class TooManyApiKeys(ProsaError):
    code = "too_many_api_keys"
    en = "There are {limit} API keys already. Revoke some that are not needed any more."
    pt = "Já existem {limit} chaves de API. Revogue as que não são mais necessárias."

    def __init__(self) -> None:
        super().__init__(limit=MOST_KEYS)


class AlreadySuspended(ProsaError):
    """Taking a part away would give the rest back."""

    code = "already_suspended"
    en = "Everything was taken from them already. To take only a part, lift that suspension first."
    pt = "Já lhes foi retirado tudo. Para retirar só uma parte, remova antes essa suspensão."


class SuspensionNotFound(NotFound):
    code = "suspension_not_found"
    en = "Nobody of that name is suspended. List the suspensions to see who is."
    pt = "Ninguém com esse nome está suspenso. Liste as suspensões para ver quem está."


class AccessBusy(ProsaError):
    """More keys wait to be checked than anybody should have sent."""

    code = "access_busy"
    retryable = True
    en = "Too many API keys are being checked at once. Try again in a moment."
    pt = "Há chaves de API demais sendo verificadas ao mesmo tempo. Tente de novo em instantes."

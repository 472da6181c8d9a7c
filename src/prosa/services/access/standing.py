"""Whether a credential that was good still is: asked at each call, and by whatever lasts."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Any, Self

from msgspec import Struct, structs

from prosa.domain.access import ScopeMissing, Suspended, Suspension, subject_of
from prosa.domain.errors import Forbidden, NotAuthenticated, ProsaError
from prosa.domain.principal import ADMIN, LOCAL, Principal


class Credential:
    """The API key behind a pass. Once it is not `good`, for it was revoked, it never is again; how long it is
    good the pass says."""

    __slots__ = ("__weakref__", "good", "key_id")

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self.good = True


class Pass(Struct, frozen=True, eq=False):
    """What a credential that was checked is good for: `principal`, `until` then (seconds since 1970), unless
    one of `subjects` is suspended or its `credential` revoked."""

    principal: Principal
    until: float
    subjects: frozenset[str]
    credential: Credential | None = None


def pass_of(
    principal: Principal, until: float, credential: Credential | None = None, host: Principal | None = None
) -> Pass:
    """`host` is who vouches for a guest: his suspension is the guest's, too."""
    subjects = set(_subjects(principal)) | (set() if host is None else set(_subjects(host)))
    return Pass(principal, until, frozenset(subjects), credential)


def _subjects(principal: Principal) -> Iterator[str]:
    yield subject_of("user", principal.user_id)
    if principal.client_id:
        yield subject_of("client", principal.client_id)


LOCAL_PASS = Pass(LOCAL, float("inf"), frozenset())


class Standing:
    """Who is suspended. What lasts `attends`, and is cut off as soon as it may not go on."""

    def __init__(self) -> None:
        self._suspended: frozenset[str] = frozenset()
        self._demoted: frozenset[str] = frozenset()
        self._attending: set[Attendance] = set()

    def heard(self, suspensions: Iterable[Suspension]) -> None:
        """These, and no others, are suspended from now on."""
        found = list(suspensions)
        self._suspended = frozenset(each.name for each in found if not each.part)
        self._demoted = frozenset(each.name for each in found if each.part == ADMIN)

    def admit(self, given: Pass) -> Principal:
        """Who he is now. Raises NotAuthenticated, Suspended."""
        if given.until <= time.time():
            raise NotAuthenticated
        return self._standing_of(given)

    def _standing_of(self, given: Pass) -> Principal:
        if given.credential is not None and not given.credential.good:
            raise NotAuthenticated
        if self._suspended and not self._suspended.isdisjoint(given.subjects):
            raise Suspended
        principal = given.principal
        if self._demoted and principal.roles and not self._demoted.isdisjoint(given.subjects):
            return structs.replace(principal, roles=principal.roles - {ADMIN})
        return principal

    def check(self, given: Pass, principal: Principal) -> None:
        """Raises NotAuthenticated, Suspended, and Forbidden unless he is still all that `principal` is."""
        if self.admit(given) != principal:
            raise Forbidden

    def still(self, given: Pass, principal: Principal) -> None:
        """As `check`, but that time is no matter: a stream may outlast its token."""
        if self._standing_of(given) != principal:
            raise Forbidden

    def holds(self, given: Pass, principal: Principal) -> bool:
        try:
            self.check(given, principal)
        except ProsaError:
            return False
        return True

    def attending(self, given: Pass, principal: Principal) -> "Attendance":
        """While one is in it, the task that runs this is cancelled once he is not `still` let in."""
        return Attendance(self._attending, given, principal)

    def review(self) -> None:
        """Cuts off all that may not go on."""
        for each in list(self._attending):
            try:
                self.still(each.given, each.principal)
            except ProsaError:
                each.cut()


class Attendance:
    """One stream to one caller."""

    __slots__ = ("_among", "_task", "given", "over", "principal")

    def __init__(self, among: set["Attendance"], given: Pass, principal: Principal) -> None:
        self._among = among
        self.given = given
        self.principal = principal
        self.over = False
        self._task: asyncio.Task[Any] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._among.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._among.discard(self)

    def cancelled_by_others(self) -> bool:
        """To be asked by who was cancelled and `over`: takes our own cancellation back."""
        return self._task is not None and self._task.uncancel() > 0

    def cut(self) -> None:
        if not self.over and self._task is not None:
            self.over = True
            self._task.cancel()


def require(principal: Principal, scope: str) -> None:
    """Raises ScopeMissing."""
    if scope not in principal.scopes:
        raise ScopeMissing(scope)

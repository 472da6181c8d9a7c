"""Checks that somebody else makes: asked once about a text, in time, and what becomes of it if not."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from prosa.domain.errors import LimitReached, PriceUnknown, ProsaError
from prosa.domain.models import Aside, Origin
from prosa.domain.moderation import ModerationUnavailable, Verdict
from prosa.kit.log import log
from prosa.ports.moderation import Moderation
from prosa.services.guard.tables import CheckTable

TIMEOUT = 10.0
AT_ONCE = 8_000
"""Characters of what goes to a model that are asked about together."""
KNOWN = 1_024


class Verdicts:
    """The latest verdicts, so that nobody is asked twice about the same; by what can't be read back."""

    def __init__(self) -> None:
        self._key = token_bytes(32)
        self._known: OrderedDict[bytes, Verdict] = OrderedDict()

    def key(self, check: str, text: str) -> bytes:
        said = f"{check}\0{text}".encode("utf-8", "surrogatepass")
        return blake2b(said, digest_size=16, key=self._key).digest()

    def find(self, key: bytes) -> Verdict | None:
        if (found := self._known.get(key)) is not None:
            self._known.move_to_end(key)
        return found

    def keep(self, key: bytes, verdict: Verdict) -> None:
        self._known[key] = verdict
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)


class Remote:
    """The check of one table."""

    def __init__(self, name: str, table: CheckTable, moderation: Moderation) -> None:
        self.name = name
        self.table = table
        self.moderation = moderation
        self._verdicts = Verdicts()

    async def ask(self, text: str, origin: Origin | None, note: Callable[[Aside], None]) -> Verdict:
        """Raises ModerationUnavailable where there is no verdict in time, unless the operator lets pass what
        is not checked; LimitReached and PriceUnknown where `origin` can't pay for it."""
        if not text.strip():
            return Verdict(flagged=False)
        key = self._verdicts.key(self.name, text)
        verdict = self._verdicts.find(key)
        if verdict is None:
            try:
                async with asyncio.timeout(self.table.timeout or TIMEOUT):
                    verdict = await self.moderation.judge(text, origin, note)
            except (LimitReached, PriceUnknown):
                raise
            except (ProsaError, TimeoutError) as error:
                code = error.code if isinstance(error, ProsaError) else "timeout"
                log.warning("check_failed", check=self.name, reason=code)
                if self.table.fail == "closed":
                    raise ModerationUnavailable from None
                return Verdict(flagged=False)
            self._verdicts.keep(key, verdict)
        return verdict


def pieces(text: str) -> list[str]:
    """A text in pieces that can be asked about."""
    return [text[start : start + AT_ONCE] for start in range(0, len(text), AT_ONCE)]

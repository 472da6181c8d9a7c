"""OpenAI's moderation endpoint, or any server that speaks like it; it costs nothing."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from prosa.adapters.models.http import Timeouts, Wire, endpoint
from prosa.adapters.models.openai.errors import fault
from prosa.domain.errors import BrokenStream
from prosa.domain.limits import Bound
from prosa.domain.models import Aside, Origin
from prosa.domain.moderation import Verdict

BASE_URL = "https://api.openai.com/v1"
NAME = "openai"


class Result(Struct):
    flagged: bool
    categories: dict[str, bool | None] = {}


class Reply(Struct):
    results: list[Result]


_decode = msgspec.json.Decoder(Reply).decode


class OpenAIModeration:
    """`categories` are those that count ("violence", "sexual/minors", …); with none, whatever is flagged."""

    def __init__(
        self,
        api_key: str | None,
        *,
        model: str,
        base_url: str | None = None,
        categories: tuple[str, ...] = (),
        timeout: float = 10.0,
    ) -> None:
        """`timeout` in seconds. Raises MisconfiguredError."""
        self._model = model
        self._categories = frozenset(categories)
        self._url = endpoint(NAME, base_url or BASE_URL, "v1/moderations")
        self._wire = Wire(
            NAME,
            self._url,
            headers={"authorization": f"Bearer {api_key}"} if api_key else {},
            secrets=(api_key or "",),
            timeouts=Timeouts(connect=min(timeout, 10.0), first=timeout, whole=timeout),
        )

    def bound(self, _: int) -> Bound | None:
        return None

    async def judge(self, text: str, origin: Origin | None, note: Callable[[Aside], None]) -> Verdict:
        del origin, note
        body = msgspec.json.encode({"model": self._model, "input": text})
        return await self._wire.read(
            self._url, body, self._verdict, lambda reply: fault(NAME, reply, self._model)
        )

    async def close(self) -> None:
        await self._wire.close()

    def _verdict(self, body: bytes) -> Verdict:
        """Raises BrokenStream for what is no verdict."""
        try:
            results = _decode(body).results
        except (msgspec.MsgspecError, UnicodeDecodeError):
            results = []
        if not results:
            raise BrokenStream(NAME, reason="no verdict")
        met = {name for result in results for name, is_so in result.categories.items() if is_so}
        if self._categories:
            met &= self._categories
            return Verdict(bool(met), tuple(sorted(met)))
        return Verdict(any(result.flagged for result in results), tuple(sorted(met)))

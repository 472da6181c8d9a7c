"""An answer as the bytes of OpenAI's stream of chunks."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec

from prosa.direct.asking import Asking
from prosa.domain.errors import AnswerRestarted, ProsaError
from prosa.domain.ids import new_id, to_foreign
from prosa.domain.models import Reset, Usage
from prosa.services.models.generate import Gathering
from prosa.transport.openai.answers import Chunks, UsageChunk, head_of, usage_form
from prosa.transport.openai.completions import PREFIX
from prosa.transport.openai.errors import frame

_DONE = b"data: [DONE]\n\n"


async def chunks(asked: Asking, gathering: Gathering, language: str) -> AsyncGenerator[bytes, None]:
    """The chunks as they come, then `[DONE]`; `gathering` hears of everything. Raises what fails before the
    first of them; a later failure is an event, and the end."""
    writing = _Writing(asked, gathering)
    try:
        async with aclosing(asked.model.stream(asked.request)) as told:
            async for event in told:
                gathering.add(event)
                if type(event) is Reset and writing.begun:
                    raise AnswerRestarted
                if data := writing.encoder.encode(event):
                    writing.begun = True
                    yield data
    except ProsaError as error:
        if not writing.begun:
            raise
        yield frame(error, language)
    else:
        yield writing.end()


class _Writing:
    """One stream. Whose it is shows with the first chunk: until then another may take its place."""

    def __init__(self, asked: Asking, gathering: Gathering) -> None:
        self.begun = False
        self._asked = asked
        self._gathering = gathering
        self._identity = to_foreign(PREFIX, new_id())
        self._created = int(time.time())
        self._encoder: Chunks | None = None
        self._model = ""

    @property
    def encoder(self) -> Chunks:
        if self._encoder is None or not self.begun:
            self._model = self._gathering.model
            head = head_of(self._identity, self._created, self._model)
            self._encoder = Chunks(head, 0, usage=self._asked.counted, of_old=self._asked.of_old)
        return self._encoder

    def end(self) -> bytes:
        if not self._asked.counted:
            return _DONE
        usage = usage_form(self._gathering.completion.usage or Usage())
        last = UsageChunk(self._identity, self._created, self._model, usage)
        return b"data: %b\n\n%b" % (msgspec.json.encode(last), _DONE)

"""What of a conversation a model is shown: the messages of a branch, how much they are, what did not fit."""

from msgspec import Struct

from prosa.domain.errors import ContextTooLong
from prosa.domain.models import Turn


class Count(Struct, frozen=True):
    """So many tokens; `estimated` where the model's own way of counting is not known."""

    tokens: int
    estimated: bool = False


class Counts(Struct, frozen=True, rename="camel"):
    """The tokens of one message `by` encoding, without what stands around it. They hold as long as its text
    and parts are `size` bytes, as `services.context.window.size_of` measures them."""

    size: int
    by: dict[str, int]


class Shown(Struct, frozen=True):
    """A message as models see it: mostly one turn; several where tools were called, none where nothing was
    said. `counts` is the JSON of its `Counts`, where there are any. Of a branch only the first can be a
    summary. What no message stands for, such as a history that came with the request, has no `id`."""

    id: str
    turns: tuple[Turn, ...]
    counts: str | None = None
    summary: bool = False


class Sent(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a run sent of its branch: all from the message `first` down to the one that it answers, after the
    summary `summary`, without the `left_out` messages between them as far as they were read. Without `first`
    it sent the history that came with the request, but for the oldest `left_out` messages of that, and the
    message that it answers. `tokens` is how much all of it was, with instructions and tools, `most` the
    bound of the answer (0: nobody knows)."""

    tokens: int
    estimated: bool = True
    first: str | None = None
    summary: str | None = None
    left_out: int = 0
    most: int = 0


class DoesNotFit(ContextTooLong):
    """What must be sent is `over` tokens more than the `room` that there is for it."""

    en = (
        "What has to be sent is {over} tokens longer than the {room} that fit. Shorten the last message, or "
        "choose a model with a larger context window."
    )
    pt = (
        "O que precisa ser enviado passa em {over} tokens dos {room} que cabem. Encurte a última mensagem ou "
        "escolha um modelo com uma janela de contexto maior."
    )
    shown = ("over", "room")

    def __init__(self, provider: str, over: int, room: int) -> None:
        super().__init__(provider, over=over, room=max(room, 0))

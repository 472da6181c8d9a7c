"""What of a conversation a model is shown: the messages of a branch, how much they are, what did not fit."""

from msgspec import Struct

from prosa.domain.errors import ContextTooLong


class Count(Struct, frozen=True):
    """So many tokens; `estimated` where the model's own way of counting is not known."""

    tokens: int
    estimated: bool = False


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

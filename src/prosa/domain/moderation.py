"""What may not be said here, and what is told to who tried."""

from msgspec import Struct

from prosa.domain.errors import ProsaError


class Verdict(Struct, frozen=True):
    """Whether a text is against the rules, and what that is called, where there are words for it."""

    flagged: bool
    categories: tuple[str, ...] = ()


class ContentBlocked(ProsaError):
    """What goes to a model is against the operator's rules; no provider has seen it."""

    code = "content_blocked"
    en = (
        "This message is against the rules of this service, so nobody was asked. Change it and send it again."
    )
    pt = "Esta mensagem contraria as regras deste serviço e não foi enviada. Mude-a e envie de novo."


class AnswerBlocked(ContentBlocked):
    """What came from a model is; of what was blocked nothing was shown."""

    en = (
        "The answer was stopped: what followed is against the rules of this service. Ask in other words, or "
        "try again."
    )
    pt = (
        "A resposta foi interrompida: o que viria contraria as regras deste serviço. Pergunte com outras "
        "palavras ou tente de novo."
    )


class ModerationUnavailable(ProsaError):
    """A check can't be made, and without it nothing may pass."""

    code = "moderation_unavailable"
    retryable = True
    en = "It can't be checked at the moment whether this is allowed here. Try again soon."
    pt = "No momento não é possível verificar se isto é permitido aqui. Tente de novo em breve."

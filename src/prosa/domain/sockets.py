"""What can be wrong with a socket as a whole."""

from prosa.domain.errors import ProsaError


class TooManySockets(ProsaError):
    """One user has as many as he may, or those that have not said who they are fill all the places
    that there are for them."""

    code = "too_many_sockets"
    retryable = True
    en = "Too many sockets are open. Close some, or try again in a moment."
    pt = "Há conexões WebSocket demais abertas. Feche algumas ou tente de novo em instantes."


class TooManyMessages(ProsaError):
    """Messages that wait for their turn longer than anybody should."""

    code = "too_many_messages"
    retryable = True
    en = "Your messages come too fast for this server: this one was not heeded. Send it again in a moment."
    pt = "Suas mensagens chegam depressa demais: esta não foi atendida. Envie-a de novo em instantes."

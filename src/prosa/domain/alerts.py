"""Alerts: what operators are told of by themselves, once each."""

from enum import StrEnum

from msgspec import Struct

from prosa.domain.errors import ProsaError
from prosa.domain.limits import Scope
from prosa.domain.money import Picodollars
from prosa.domain.time import Instant

LEVELS = (50, 80, 100)
"""Percent of a limit."""


class Kind(StrEnum):
    TOKENS = "tokens"
    COST = "cost"
    ERRORS = "errors"
    LATENCY = "latency"
    KEY = "key"
    MODEL = "model"
    TEST = "test"


class NotDelivered(ProsaError):
    """Whoever was to get an alert did not take it."""

    code = "alert_not_delivered"
    retryable = True
    en = "The alert was not delivered: {reason}"
    pt = "O alerta não foi entregue: {reason}"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class Alert(Struct, frozen=True):
    """`subject` is what it is about ("user:ana", "client:acme", "everyone", "openai/gpt-4o"), `period` what
    it is told once in, with its `level`: percent of a limit or of answers that failed, milliseconds, or 0.
    `owed` names those who have not got it; `next_at` is when they are tried next, None once that is over."""

    id: str
    kind: Kind
    subject: str
    period: str
    level: int
    details: dict[str, str]
    at: Instant
    owed: tuple[str, ...] = ()
    attempts: int = 0
    next_at: Instant | None = None
    delivered_at: Instant | None = None

    def sentence(self, language: str) -> str:
        text = (_PT if language == "pt" else _EN)[self.kind]
        return text.format_map(_Told(self.details, subject=self.subject, level=str(self.level)))


class _Told(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"  # a row of another version


class Trouble(Struct, frozen=True):
    """A provider's key was set aside, or (where there is a `model`) a model is left alone for a while; `key`
    is None for the key of the environment, `code` that of the error."""

    provider: str
    code: str
    key: str | None = None
    model: str | None = None


Subject = tuple[Scope, str]
"""Whose limit it is: of a user, a client, or ("") everyone."""


class Spent(Struct, frozen=True):
    """Tokens of this day, and the cost of this month."""

    tokens: int = 0
    cost: Picodollars = Picodollars(0)


class Rules(Struct, frozen=True):
    """When to tell: at which percents of limits; from which share of failed answers on (0.2: one in five),
    and from which p95 of the wait for the first word, in seconds; counted over so many seconds and of so many
    answers at least. What is told once of rates, keys and models is not told again for `cooldown` seconds."""

    levels: tuple[int, ...] = LEVELS
    errors: float | None = 0.2
    latency: float | None = None
    window: float = 300.0
    least: int = 20
    cooldown: float = 3_600.0


_EN = {
    Kind.TOKENS: "{subject} has used {level} % of the tokens of {period}: {spent} of {limit}.",
    Kind.COST: "{subject} has used {level} % of the money of {period}: ${spent} of ${limit}.",
    Kind.ERRORS: "{subject}: {failed} of {answers} answers failed, the last with {code}.",
    Kind.LATENCY: "{subject}: of {answers} answers one in twenty waits {seconds} s or longer to begin.",
    Kind.KEY: "{subject}: the key {key} was set aside ({code}).",
    Kind.MODEL: "{subject} is left alone for a while: it failed again and again ({code}).",
    Kind.TEST: "This is a test: alerts of Prosa arrive here.",
}
_PT = {
    Kind.TOKENS: "{subject} usou {level} % dos tokens de {period}: {spent} de {limit}.",
    Kind.COST: "{subject} usou {level} % do dinheiro de {period}: US$ {spent} de US$ {limit}.",
    Kind.ERRORS: "{subject}: {failed} de {answers} respostas falharam, a última com {code}.",
    Kind.LATENCY: "{subject}: de {answers} respostas, uma em vinte espera {seconds} s ou mais para começar.",
    Kind.KEY: "{subject}: a chave {key} foi posta de lado ({code}).",
    Kind.MODEL: "{subject} fica de lado por um tempo: falhou repetidas vezes ({code}).",
    Kind.TEST: "Isto é um teste: os alertas do Prosa chegam aqui.",
}

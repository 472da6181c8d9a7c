"""Every failure that a caller can meet: one tree, each with a code and sentences in two languages."""

from typing import Any, ClassVar


class ProsaError(Exception):
    """The root of the tree.

    `code` is stable and machine-readable; `en` and `pt` are sentences for people, filled from the keyword
    arguments, which are kept in `details`. `retryable` says whether the same request may succeed later.
    """

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = False
    en: ClassVar[str] = "Something went wrong on our side. Try again; if it stays, look at the server's log."
    pt: ClassVar[str] = "Algo deu errado do nosso lado. Tente de novo; se continuar, veja o log do servidor."
    shown: ClassVar[tuple[str, ...]] = ()
    """Names of details that a caller may read as fields beside the message."""

    def __init__(self, **details: Any) -> None:
        self.details = details
        super().__init__(self.sentence("en"))

    def sentence(self, language: str) -> str:
        """The message in `language` ("pt", else English)."""
        text = self.pt if language == "pt" else self.en
        return text.format(**self.details) if self.details else text


# What the caller sent


class InvalidRequest(ProsaError):
    """Bad input. `detail` says which part and why."""

    code = "invalid_request"
    en = "The request is not valid: {detail}"
    pt = "Dados inválidos"
    shown = ("detail",)

    def __init__(self, detail: str) -> None:
        super().__init__(detail=detail)


class NotSupported(ProsaError):
    """A known field or route that this version does not build yet."""

    code = "not_supported"
    en = "{what} is not supported by this version of Prosa. Leave it out."
    pt = "{what} não é suportado por esta versão do Prosa. Retire-o do pedido."

    def __init__(self, what: str) -> None:
        super().__init__(what=what)


class TooLarge(ProsaError):
    code = "too_large"
    en = "The request is larger than {limit} bytes. Send less."
    pt = "O pedido passa de {limit} bytes. Envie menos."

    def __init__(self, limit: int) -> None:
        super().__init__(limit=limit)


class UnsupportedMediaType(ProsaError):
    code = "unsupported_media_type"
    en = "Send the body as JSON, with the header `Content-Type: application/json`."
    pt = "Envie o corpo como JSON, com o cabeçalho `Content-Type: application/json`."


class NoSuchRoute(ProsaError):
    code = "no_such_route"
    en = "There is nothing at this address. The API is described at /docs."
    pt = "Não há nada neste endereço. A API está descrita em /docs."


class MethodNotAllowed(ProsaError):
    code = "method_not_allowed"
    en = "This address does not take that method. The API is described at /docs."
    pt = "Este endereço não aceita esse método. A API está descrita em /docs."


# Who the caller is


class NotAuthenticated(ProsaError):
    code = "not_authenticated"
    en = "A valid token is needed: send it as `Authorization: Bearer …`, or sign in."
    pt = "É preciso um token válido: envie-o em `Authorization: Bearer …` ou entre de novo."


class Forbidden(ProsaError):
    """The caller is known, and this is not for him."""

    code = "forbidden"
    en = "This is for the operator: it needs a token whose `roles` contain `admin`."
    pt = "Isto é só para o operador: é preciso um token com `admin` em `roles`."


class OriginRefused(ProsaError):
    code = "origin_not_allowed"
    en = "Requests from this web origin are not allowed. The operator can add it to PROSA_ALLOWED_ORIGINS."
    pt = "Pedidos desta origem não são permitidos. O operador pode incluí-la em PROSA_ALLOWED_ORIGINS."


class HostRefused(ProsaError):
    code = "host_not_allowed"
    en = "Without tokens Prosa answers only to localhost. Set PROSA_JWT_SECRET to serve other names."
    pt = "Sem tokens o Prosa só responde a localhost. Defina PROSA_JWT_SECRET para servir outros nomes."


class ClientMismatch(ProsaError):
    code = "client_mismatch"
    en = "The clientId is not the one of your token. Leave it out or send your own."
    pt = "O clientId não é o do seu token. Retire-o ou envie o seu."


# What does not exist, or is not the caller's: the two look alike


class NotFound(ProsaError):
    code = "not_found"
    en = "There is nothing with this id."
    pt = "Não há nada com este id."


class ConversationNotFound(NotFound):
    code = "conversation_not_found"
    en = "There is no conversation with this id."
    pt = "Conversa não encontrada"


class MessageNotFound(NotFound):
    code = "message_not_found"
    en = "There is no message with this id in this conversation."
    pt = "Mensagem não encontrada"


class RunNotFound(NotFound):
    code = "run_not_found"
    en = "There is no run with this id."
    pt = "Execução não encontrada"


class KeyNotFound(NotFound):
    code = "key_not_found"
    en = "There is no provider key with this id."
    pt = "Chave de provedor não encontrada"


# What the state of things forbids


class Conflict(ProsaError):
    code = "conflict"
    en = "This can't be done in the present state."
    pt = "Isto não pode ser feito no estado atual."


class ConversationClosed(Conflict):
    code = "conversation_closed"
    en = "The conversation is closed. Open it again (PATCH status) or start another."
    pt = "Conversa encerrada"


class RunInProgress(Conflict):
    """An answer is still being written at the place where the caller wants to go on."""

    code = "run_in_progress"
    en = "An answer is still being written here. Wait for it, stop it, or name another parentId."
    pt = "Uma resposta ainda está sendo escrita aqui. Espere, pare-a ou indique outro parentId."
    shown = ("runId",)

    def __init__(self, run_id: str) -> None:
        super().__init__(runId=run_id)


class RunNotWaiting(Conflict):
    """The run goes on, has ended, or somebody else has answered already."""

    code = "run_not_waiting"
    en = "The run does not wait for this any more. Read it again to see where it stands."
    pt = "A execução não espera mais por isto. Leia-a de novo para ver em que ponto está."


class KeyRetired(Conflict):
    code = "key_retired"
    en = "This provider key is retired, and its secret is deleted. Add a new key."
    pt = "Esta chave de provedor foi retirada e seu segredo apagado. Adicione uma nova."


class IdempotencyMismatch(ProsaError):
    code = "idempotency_mismatch"
    en = "This key was used before with another body. Use a new clientMessageId or Idempotency-Key."
    pt = "Esta chave já foi usada com outro conteúdo. Use um novo clientMessageId ou Idempotency-Key."


# Limits and money


class LimitReached(ProsaError):
    code = "limit_reached"
    shown = ("remaining", "resetsAt", "scope")


class TokenLimitReached(LimitReached):
    code = "token_limit_reached"
    retryable = True
    en = "The daily token limit does not allow this request: {remaining} tokens remain until {resetsAt}."
    pt = "O limite diário de tokens não permite este pedido: restam {remaining} tokens até {resetsAt}."


class CostLimitReached(LimitReached):
    code = "cost_limit_reached"
    en = "The monthly cost limit does not allow this request: {remaining} US dollars remain until {resetsAt}."
    pt = "O limite mensal de custo não permite este pedido: restam {remaining} dólares até {resetsAt}."


class PriceUnknown(ProsaError):
    code = "price_unknown"
    en = "The price of {model} is not known, so it can't be used under a cost limit. Choose another model."
    pt = "O preço de {model} não é conhecido, e por isso não pode ser usado sob um limite de custo."


class CostUnknown(PriceUnknown):
    """Somebody wants to know what tokens of a model without a known price cost."""

    code = "cost_unknown"
    en = 'The price of {model} is not known. Write it into prosa.toml: [models."{provider}/{model}"].'
    pt = 'O preço de {model} não é conhecido. Escreva-o em prosa.toml: [models."{provider}/{model}"].'

    def __init__(self, provider: str, model: str) -> None:
        super().__init__(provider=provider, model=model)


# The server


class ShuttingDown(ProsaError):
    code = "shutting_down"
    retryable = True
    en = "The server is restarting. Try again in a few seconds."
    pt = "O servidor está reiniciando. Tente de novo em alguns segundos."


class StoreUnavailable(ProsaError):
    code = "store_unavailable"
    retryable = True
    en = "The database can't be used at the moment. Try again soon; nothing of yours was lost."
    pt = "O banco de dados não está disponível no momento. Tente de novo em breve; nada se perdeu."


class StoreLocked(ProsaError):
    code = "store_locked"
    en = "Another Prosa process uses {path}. Stop it, or use Postgres for several processes."
    pt = "Outro processo do Prosa usa {path}. Pare-o, ou use Postgres para vários processos."


class SealBroken(ProsaError):
    """A sealed secret was changed or moved, or another master key sealed it. Nothing of it is told."""

    code = "seal_broken"
    en = "A sealed provider key can't be opened: it was changed, moved, or sealed by another master key."
    pt = "Uma chave selada não pode ser aberta: foi alterada, movida ou selada com outra chave-mestra."


class MasterKeyMissing(SealBroken):
    code = "master_key_missing"
    en = "A provider key is sealed under a master key that this process has not got."
    pt = "Uma chave de provedor está selada com uma chave-mestra que este processo não tem."


class MisconfiguredError(ProsaError):
    """A setting keeps the server from starting. `detail` says which and what to set."""

    code = "misconfigured"
    en = "{detail}"
    pt = "{detail}"

    def __init__(self, detail: str) -> None:
        super().__init__(detail=detail)


# The providers


class ProviderError(ProsaError):
    """What a provider did wrong or refused. `provider` names it; nothing secret is ever in a detail."""

    code = "provider_error"
    retryable = True
    en = "{provider} failed to answer. Try again, or choose another model."
    pt = "{provider} não conseguiu responder. Tente de novo ou escolha outro modelo."

    def __init__(self, provider: str, **details: Any) -> None:
        super().__init__(provider=provider, **details)


class ProviderNotConfigured(ProviderError):
    code = "provider_not_configured"
    retryable = False
    en = "{setting} is not set, so {provider} can't be used. Set it and restart."
    pt = "{setting} não configurado"

    def __init__(self, provider: str, setting: str) -> None:
        super().__init__(provider, setting=setting)


class LocalModelMissing(ProviderNotConfigured):
    """Something that the embedded model needs is not installed. `remedy` says what to do."""

    code = "local_model_missing"
    en = "{what} is missing, so the local model can't answer. {remedy}"
    pt = "Falta {what}, e por isso o modelo local não pode responder. {remedy}"

    def __init__(self, provider: str, what: str, remedy: str) -> None:
        ProviderError.__init__(self, provider, what=what, remedy=remedy)


class NoUsableKey(ProviderNotConfigured):
    """All keys of the provider were taken out of use, or it never had one."""

    code = "no_usable_key"
    en = "{provider} has no key that can be used. The operator must add one."
    pt = "{provider} não tem uma chave utilizável. O operador deve adicionar uma."

    def __init__(self, provider: str) -> None:
        ProviderError.__init__(self, provider)


class NoSuchProvider(ProviderError):
    code = "no_such_provider"
    retryable = False
    en = "There is no provider called {provider}. Use one of: {known}."
    pt = "Não há um provedor chamado {provider}. Use um destes: {known}."


class ProviderRefused(ProviderError):
    """The provider says that the request is wrong (400, 422)."""

    code = "provider_bad_request"
    retryable = False
    en = "{provider} did not accept the request: {detail}"
    pt = "{provider} não aceitou o pedido: {detail}"


class ProviderKeyRefused(ProviderError):
    code = "provider_bad_key"
    retryable = False
    en = "{provider} refused the server's key. The operator must set a valid one."
    pt = "{provider} recusou a chave do servidor. O operador deve definir uma chave válida."


class NoSuchModel(ProviderError):
    code = "no_such_model"
    retryable = False
    en = "{provider} has no model called {model}. Choose another."
    pt = "{provider} não tem um modelo chamado {model}. Escolha outro."


class ContextTooLong(ProviderError):
    code = "context_too_long"
    retryable = False
    en = "The conversation is too long for this model. Shorten the message or start a new conversation."
    pt = "A conversa é longa demais para este modelo. Encurte a mensagem ou comece outra conversa."


class ContentRefused(ProviderError):
    code = "content_refused"
    retryable = False
    en = "{provider} refused this content. Rephrase the message."
    pt = "{provider} recusou este conteúdo. Reformule a mensagem."


class RateLimited(ProviderError):
    """`retry_after` in seconds where the provider told it, else None."""

    code = "rate_limited"
    en = "{provider} has too many requests at the moment. Try again in a while."
    pt = "{provider} está com pedidos demais no momento. Tente de novo daqui a pouco."

    def __init__(self, provider: str, retry_after: float | None = None) -> None:
        super().__init__(provider, retry_after=retry_after)


class QueueFull(ProviderError):
    """Too many requests wait for the provider already. `retryAfter` in whole seconds."""

    code = "queue_full"
    en = "Too many requests wait for {provider}. Try again in {retryAfter} seconds."
    pt = "Há pedidos demais esperando por {provider}. Tente de novo em {retryAfter} segundos."
    shown = ("retryAfter",)

    def __init__(self, provider: str, retry_after: int) -> None:
        super().__init__(provider, retryAfter=retry_after)


class ProviderSuspended(ProviderError):
    """The provider failed so often that it is left alone for a while. `retryAfter` in whole seconds."""

    code = "provider_suspended"
    en = "{provider} has failed repeatedly and is left alone for now. Try again in {retryAfter} seconds."
    pt = "{provider} falhou várias vezes e está em pausa. Tente de novo em {retryAfter} segundos."
    shown = ("retryAfter",)

    def __init__(self, provider: str, retry_after: int) -> None:
        super().__init__(provider, retryAfter=retry_after)


class QuotaExhausted(ProviderError):
    code = "quota_exhausted"
    retryable = False
    en = "The server's account at {provider} has no credit left. The operator must add some."
    pt = "A conta do servidor em {provider} está sem crédito. O operador deve adicionar."


class ProviderOverloaded(ProviderError):
    code = "overloaded"
    en = "{provider} is overloaded at the moment. Try again in a while."
    pt = "{provider} está sobrecarregado no momento. Tente de novo daqui a pouco."


class ProviderTimeout(ProviderError):
    code = "timeout"
    en = "{provider} took too long to answer. Try again."
    pt = "{provider} demorou demais para responder. Tente de novo."


class ProviderUnreachable(ProviderError):
    code = "unreachable"
    en = "{provider} can't be reached. Try again; the operator may check its address and the network."
    pt = "{provider} não está acessível. Tente de novo; o operador pode verificar o endereço e a rede."


class BrokenStream(ProviderError):
    """The connection ended, or said something unreadable, before the answer was complete."""

    code = "broken_stream"
    en = "The answer from {provider} broke off. Try again."
    pt = "A resposta de {provider} foi interrompida. Tente de novo."


class AnswerRestarted(ProsaError):
    """An answer began anew elsewhere: told to readers who can't forget what they have read."""

    code = "restarted"
    retryable = True
    en = "The answer broke off and began anew with another model. Ask again."
    pt = "A resposta foi interrompida e recomeçou com outro modelo. Pergunte de novo."


# Tools


class NoSuchTool(InvalidRequest):
    """A request names a tool that the server does not have."""

    code = "no_such_tool"
    en = "There is no tool called {detail}. Leave it out, or send it with its description and parameters."
    pt = "Não há uma ferramenta chamada {detail}. Retire-a ou envie-a com descrição e parâmetros."


class ToolFailed(ProsaError):
    """A call of a tool came to nothing. `detail` is a sentence for the model, with nothing secret in it."""

    code = "tool_failed"
    en = "{detail}"
    pt = "{detail}"

    def __init__(self, detail: str) -> None:
        super().__init__(detail=detail)


class InvalidArguments(ToolFailed):
    """The model called a tool with what its schema does not allow; the tool was not called."""

    code = "invalid_arguments"


class ActionRequired(RunInProgress):
    """Who waits for a whole answer can't get it: the run waits for a tool's output, or for leave to call."""

    code = "action_required"
    en = "The answer waits for a tool's output or for approval. Read the run to see what it needs."
    pt = "A resposta espera pelo resultado de uma ferramenta ou por aprovação. Leia a execução para saber."


class AnswerFailed(ProsaError):
    """A run that failed, told to somebody who waited for its whole answer: with the run's own code."""

    code = "answer_failed"
    retryable = True
    en = "{message}"
    pt = "{message}"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message=message)
        self.code = code  # type: ignore[misc]

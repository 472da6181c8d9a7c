"""What a caller asks of a run, and how that becomes the request to a provider."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from prosa.domain.calendar import Calendar
from prosa.domain.context import Shown
from prosa.domain.conversations import Conversation
from prosa.domain.errors import InvalidRequest
from prosa.domain.ids import new_id
from prosa.domain.limits import NONE, Cap, Limits, Remaining, Scope
from prosa.domain.models import ChatRequest, Role, ToolChoice, ToolSpec, Turn
from prosa.domain.opening import Opening, Prepare, Prepared
from prosa.domain.principal import Principal
from prosa.domain.time import SECOND, Instant, now
from prosa.services.context import window
from prosa.services.context.attachments import takeable
from prosa.services.context.encodings import encoding_of
from prosa.services.context.fitting import Frame, fit
from prosa.services.guard.guarded import judging
from prosa.services.models import prices
from prosa.services.models.catalogue import Catalogue, Choice
from prosa.services.models.policy import refusal
from prosa.services.tools.registry import Toolbox

LEASE = 6 * SECOND
"""How long a node keeps a run that it no longer speaks for."""

LEAST_ANSWER = 16
"""Tokens: less than this is no answer, so the limit refuses instead."""


class Send(Struct, frozen=True):
    """One message to answer. Exactly one of `content`, `regenerate` and `answering`; see `Opening`.

    `attachments` are ids of files that go with `content`. `history` stands in for the stored branch in this
    one call. `tools` names tools of the server (None: those that are always offered), `client_tools` are the
    caller's own. `fresh` asks for a new answer where the route keeps them; so does `regenerate`.
    """

    conversation_id: str
    content: str | None = None
    regenerate: str | None = None
    answering: str | None = None
    attachments: tuple[str, ...] = ()
    parent_id: str | UnsetType | None = UNSET
    provider: str | None = None
    model: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    history: tuple[Turn, ...] | None = None
    tools: tuple[str, ...] | None = None
    client_tools: tuple[ToolSpec, ...] = ()
    tool_choice: ToolChoice | None = None
    fresh: bool = False
    key: str | None = None
    body_hash: str = ""


class Defaults(Struct, frozen=True):
    """What holds where a request says nothing."""

    system_prompt: str | None = None
    max_output_tokens: int = 4096
    limits: Limits = NONE
    """The settings' for each user, for each client, and for everyone."""
    tool_rounds: int = 16
    """How often in one run a model may call tools and be told what they gave."""
    action_seconds: float = 600.0
    """How long a run waits for its caller."""
    summary_model: str | None = None
    """What writes summaries, or "off"; None: the model that answered."""
    title_model: str | None = None
    """What names conversations, or "off"; None: the model that answered."""
    calendar: Calendar = Calendar()
    """Whose days and months limits and sums are of."""
    named: Mapping[tuple[Scope, str], Cap] = {}
    """The settings' limits for one user or one client."""


def opening(send: Send, principal: Principal, boot: str, limits: Limits) -> Opening:
    moment = now()
    return Opening(
        user_id=principal.user_id,
        client_id=principal.client_id,
        conversation_id=send.conversation_id,
        run_id=new_id(),
        user_message_id=new_id(),
        message_id=new_id(),
        boot=boot,
        now=moment,
        lease_until=Instant(moment + LEASE),
        content=send.content,
        regenerate=send.regenerate,
        answering=send.answering,
        attachments=send.attachments,
        parent_id=send.parent_id,
        limits=limits,
        key=send.key,
        body_hash=send.body_hash,
    )


def tools_of(send: Send, toolbox: Toolbox) -> tuple[ToolSpec, ...]:
    """What the model is told of: the server's and the caller's. Raises NoSuchTool, InvalidRequest."""
    tools = (*toolbox.specs(send.tools), *send.client_tools)
    names = [tool.name for tool in tools]
    for name in {name for name in names if names.count(name) > 1}:
        raise InvalidRequest(f"the server has a tool called {name} already. Give yours another name.")
    choice = send.tool_choice
    if choice is not None and choice.mode == "tool" and choice.name not in names:
        raise InvalidRequest("toolChoice must name one of the tools.")
    if choice is not None and choice.mode == "required" and not tools:
        raise InvalidRequest("toolChoice is required, but there are no tools.")
    return tools


def said_in(send: Send) -> list[str]:
    """What the caller says in it that is not stored yet."""
    history = (turn.content for turn in send.history or () if turn.role is Role.USER)
    return [text for text in (send.content, send.system_prompt, *history) if text]


def preparation(
    send: Send,
    catalogue: Catalogue,
    defaults: Defaults,
    tools: tuple[ToolSpec, ...],
    user: str,
    counted: Mapping[str, int] | None = None,
) -> Prepare:
    """The function that, inside the first transaction, turns a branch into the request, with these tools. It
    raises Uncounted where tokens that are not in `counted` (None: estimates do) decide what fits."""

    def prepare(conversation: Conversation, branch: Sequence[Shown], remaining: Remaining) -> Prepared:
        choice = catalogue.choose((send.provider, send.model), (conversation.provider, conversation.model))
        if remaining.used:
            choice = catalogue.stepped(choice, remaining.used)
        model = catalogue.resolve(choice)
        if (full := refusal(model, user)) is not None:
            raise full
        system = send.system_prompt or conversation.system_prompt or defaults.system_prompt
        if send.history is not None:
            branch = (*_shown(send.history), *branch[-1:])
        branch = takeable(branch, catalogue.capabilities(choice), choice.model)
        context, encoding = catalogue.window(choice), encoding_of(choice.model)
        wanted = send.max_tokens or defaults.max_output_tokens
        fitted = fit(branch, Frame(choice.provider, context, wanted, system, tools, encoding), counted)
        taken = fitted.most + window.dearer(fitted.turns, choice.model)
        wanted, sent = fitted.wanted, fitted.sent
        if send.history is not None:
            sent = replace(sent, first=None, left_out=len(branch) - len(fitted.turns))
        usual, beside = wanted, judging(model)
        if send.max_tokens is None:
            left = remaining if beside is None else remaining.less(beside)
            wanted = _within(left, choice, taken, wanted)
        return Prepared(
            provider=choice.provider,
            request=ChatRequest(
                choice.model,
                fitted.turns,
                system,
                send.temperature,
                wanted,
                tools=tools,
                tool_choice=send.tool_choice if tools else None,
                user=user,
            ),
            tokens=taken + wanted,
            cost=prices.most(choice.provider, choice.model, taken, wanted),
            prompt=sent.tokens,
            route=choice.route,
            window=context,
            sent=replace(sent, most=wanted),
            untitled=conversation.untitled,
            fresh=send.fresh or send.regenerate is not None,
            stepped=choice.stepped,
            limited=wanted < usual,
            judging=beside,
        )

    return prepare


def _shown(history: Sequence[Turn]) -> list[Shown]:
    """What came with the request; its places stand for the ids that it has not got."""
    return [Shown(str(place), (turn,)) for place, turn in enumerate(history)]


def _within(remaining: Remaining, choice: Choice, taken: int, wanted: int) -> int:
    """`wanted` output tokens, or as many as the limits leave where that is less but still an answer."""
    if remaining.tokens is not None:
        wanted = _shrink(wanted, lambda tokens: taken + tokens <= (remaining.tokens or 0))
    if remaining.cost is not None:
        wanted = _shrink(wanted, lambda tokens: _costs(choice, taken, tokens) <= (remaining.cost or 0))
    return wanted


def _costs(choice: Choice, taken: int, wanted: int) -> int:
    return prices.most(choice.provider, choice.model, taken, wanted) or 0


def _shrink(wanted: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `wanted` that fits, or `wanted` itself where less than an answer would."""
    if fits(wanted) or not fits(LEAST_ANSWER):
        return wanted
    low, high = LEAST_ANSWER, wanted
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def system_turns_apart(turns: Sequence[Turn]) -> tuple[str | None, tuple[Turn, ...]]:
    """System messages as one prompt, and the other turns."""
    system = "\n\n".join(turn.content for turn in turns if turn.role is Role.SYSTEM)
    return system or None, tuple(turn for turn in turns if turn.role is not Role.SYSTEM)

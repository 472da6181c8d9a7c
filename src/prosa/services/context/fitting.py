"""Fitting: which messages of a branch are sent, so that they and the answer have room in a model's window."""

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from prosa.domain.context import Counts, DoesNotFit, Sent, Shown
from prosa.domain.models import ChatRequest, Role, ToolSpec, Turn
from prosa.services.context import window
from prosa.services.context.counts import ANSWER, MESSAGE, exact

SYSTEM = "system"
"""In place of a message's id: the instructions."""

_counts = msgspec.json.Decoder(Counts)


class Frame(Struct, frozen=True):
    """What stands around the messages. `window` is how much the model can take and `wanted` the bound of its
    answer, in tokens; `encoding` is None where tokens can only be estimated."""

    provider: str
    window: int
    wanted: int
    system: str | None = None
    tools: tuple[ToolSpec, ...] = ()
    encoding: str | None = None


class Fitted(Struct, frozen=True):
    """What is sent. `most` bounds its tokens, `wanted` those of the answer."""

    turns: tuple[Turn, ...]
    wanted: int
    most: int
    sent: Sent


class Uncounted(Exception):
    """It depends on the tokens of these texts whether they fit, and nobody has counted them yet."""

    def __init__(self, encoding: str, messages: Sequence[Shown], system: str | None) -> None:
        super().__init__()
        self.encoding = encoding
        self.messages = messages
        self.system = system


class _Measured(Struct):
    """The tokens of each message, and of the instructions; how many more to leave free, to be safe."""

    messages: list[int]
    system: int
    spare: int
    estimated: bool


def fit(branch: Sequence[Shown], frame: Frame, counted: Mapping[str, int] | None) -> Fitted:
    """The newest messages of `branch`, its last one in any case, that leave room for the answer: all, or from
    a message of the user on; after the summary at the top, if there is one and it fits.

    No text has more tokens than bytes: where those fit, nothing is counted. Else `counted`, by message, and
    the counts that are stored decide. Without `counted` estimates do. Raises Uncounted, and DoesNotFit where
    the last message has no room.
    """
    sizes = [size_of_message(each) for each in branch]
    said = window.size(frame.system or "")
    told = window.size_of_tools(frame.tools)
    most = sum(sizes) + sum(window.OVERHEAD * len(each.turns) for each in branch) + said + told
    if most + window.TEMPLATE + frame.wanted <= frame.window:
        measured = _estimated(branch, sizes, said)
        return _fitted(branch, sizes, frame, measured, frame.wanted)
    measured = _measured(branch, sizes, frame, counted)
    usable = frame.window - told // window.BYTES_A_TOKEN - measured.spare
    taken = measured.system + sum(measured.messages)
    wanted = min(frame.wanted, max(usable // 2, usable - taken))
    head, start = _newest(branch, measured, usable - wanted, frame.provider)
    kept = [*range(head), *range(start, len(branch))]
    measured.messages = [measured.messages[place] for place in kept]
    left_out = start - (1 if branch[0].summary else 0)
    return _fitted(
        [branch[place] for place in kept], [sizes[place] for place in kept], frame, measured, wanted, left_out
    )


def size_of_message(message: Shown) -> int:
    """The bytes of its turns, without what stands around them."""
    return sum(map(window.size_of, message.turns))


def stored_count(message: Shown, size: int, encoding: str) -> int | None:
    """What was counted of it before, if its text is still what it was then."""
    if message.counts is None:
        return None
    counts = _counts.decode(message.counts)
    return counts.by.get(encoding) if counts.size == size else None


def again(request: ChatRequest, said: Sequence[Turn], room: int, sent: int) -> tuple[Turn, ...]:
    """The turns of a later round in which `said` follows: all where `room` tokens are enough for them and the
    answer, else without the oldest exchanges. What is answered, and what was said on the way, stays. The
    first round had about `sent` tokens."""
    turns = (*request.turns, *said)
    left: float = room - request.max_tokens
    if not room or window.bound(turns, request.system, request.tools) <= left:
        return turns
    about = window.tokens(request.turns, request.system, request.tools)
    share = min(1.0, sent / about)  # where tokens were counted, the estimates are known to be too high
    last = max(place for place, each in enumerate(request.turns) if each.role is Role.USER or not place)
    top = 1 if last and turns[0].role is Role.SYSTEM else 0
    tokens = [window.estimate_of(each) * share for each in request.turns]
    tokens += map(window.estimate_of, said)
    left -= window.tokens((), request.system, request.tools) + sum(tokens[:top]) + sum(tokens[last:])
    start = _back(tokens, [each.role is Role.USER for each in turns], last, top, left)
    return (*turns[:top], *turns[start:])


def _newest(branch: Sequence[Shown], measured: _Measured, room: int, provider: str) -> tuple[int, int]:
    """How many messages stay at the top (the summary, or none), and from which one on the others do."""
    tokens = measured.messages
    last = len(branch) - 1
    room -= measured.system
    left = room - tokens[last]
    if left < 0:
        raise DoesNotFit(provider, over=-left, room=room)
    lowest = 1 if branch[0].summary and last else 0
    head = 1 if lowest and tokens[0] <= left else 0
    left -= sum(tokens[:head])
    return head, _back(tokens, [_begins(each) for each in branch], last, lowest, left)


def _back(tokens: Sequence[float], begins: Sequence[bool], start: int, lowest: int, left: float) -> int:
    """From which place on all fit: as far before `start` as `left` tokens reach, where an exchange begins or
    nothing is left out."""
    for place in range(start - 1, lowest - 1, -1):
        left -= tokens[place]
        if left < 0:
            break
        if place == lowest or begins[place]:
            start = place
    return start


def _begins(message: Shown) -> bool:
    """Whether an exchange begins with it."""
    return bool(message.turns) and message.turns[0].role is Role.USER


def _measured(
    branch: Sequence[Shown], sizes: Sequence[int], frame: Frame, counted: Mapping[str, int] | None
) -> _Measured:
    said = window.size(frame.system or "")
    encoding = frame.encoding
    if encoding is None or counted is None:
        return _estimated(branch, sizes, said)
    known = [
        counted[each.id] if each.id in counted else stored_count(each, size, encoding)
        for each, size in zip(branch, sizes, strict=True)
    ]
    most = [size if found is None else found for found, size in zip(known, sizes, strict=True)]
    tokens = [found + MESSAGE * len(each.turns) for found, each in zip(most, branch, strict=True)]
    system = counted.get(SYSTEM, said) + ANSWER + (MESSAGE if said else 0)
    missing = [each for each, found in zip(branch, known, strict=True) if found is None]
    if not missing and (not said or SYSTEM in counted):
        whole = not frame.tools and all(exact(each.turns) for each in branch)
        return _Measured(tokens, system, window.TEMPLATE, estimated=not whole)
    told = window.size_of_tools(frame.tools) + window.TEMPLATE
    if sum(tokens) + system + told + frame.wanted > frame.window:
        raise Uncounted(encoding, missing, frame.system)
    return _Measured(tokens, system, window.TEMPLATE, estimated=True)


def estimates(branch: Sequence[Shown], sizes: Sequence[int]) -> list[int]:
    """About how many tokens each message of these `sizes` is, with what stands around it."""
    return [
        size // window.BYTES_A_TOKEN + window.OVERHEAD * len(each.turns)
        for each, size in zip(branch, sizes, strict=True)
    ]


def _estimated(branch: Sequence[Shown], sizes: Sequence[int], said: int) -> _Measured:
    tokens = estimates(branch, sizes)
    system = said // window.BYTES_A_TOKEN + window.OVERHEAD if said else 0
    return _Measured(tokens, system, 0, estimated=True)


def _fitted(
    kept: Sequence[Shown],
    sizes: Sequence[int],
    frame: Frame,
    measured: _Measured,
    wanted: int,
    left_out: int = 0,
) -> Fitted:
    turns = tuple(turn for each in kept for turn in each.turns)
    told = window.size_of_tools(frame.tools)
    most = sum(sizes) + window.OVERHEAD * len(turns) + window.size(frame.system or "") + told
    tokens = sum(measured.messages) + measured.system + told // window.BYTES_A_TOKEN
    shown = [each for each in kept if not each.summary]
    sent = Sent(
        tokens,
        measured.estimated,
        shown[0].id,
        kept[0].id if kept[0].summary else None,
        left_out,
    )
    return Fitted(turns, wanted, most + window.beside(frame.tools), sent)

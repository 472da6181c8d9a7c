"""What one answer has told so far, in the words of the domain: every decoder writes into one of these."""

from uuid import uuid4

from prosa.domain.content import ThinkingPart
from prosa.domain.errors import BrokenStream, ProviderError
from prosa.domain.models import (
    Finish,
    FinishReason,
    ModelEvent,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    Thought,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)
from prosa.kit.text import REPLACEMENT, open_half, well_formed

MOST_TOKENS = 1_000_000_000
"""No count above this is believed."""

Delta = TextDelta | ThinkingDelta | RefusalDelta


_NOTHING = ""
"""The kind of what was said before anything was said. Kinds of deltas are their types; that of a tool call's
arguments is the call's id."""


class Answer:
    """Joins pieces that arrive together, keeps the reason of the end, and says when the answer is over.

    `fault` is why it broke, once it did; the events before it still count. With `returning`, thoughts that
    nothing signs are told as `Thought`s, too, for the servers that want them back.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.reason: FinishReason | None = None
        self.stop: str | None = None
        self.fault: ProviderError | None = None
        self.over = False
        self.returning = False
        self._events: list[ModelEvent] = []
        self._kind: type[Delta] | str = _NOTHING
        self._pieces: list[str] = []
        self._odd = False
        self._half = ""
        self._reported: Usage | None = None
        self._open: dict[object, str] = {}
        self._ids: set[str] = set()
        self._thoughts: list[str] = []
        self._signature: str | None = None

    def text(self, piece: str) -> None:
        if self._kind is not TextDelta:
            self._turn_to(TextDelta)
        self._pieces.append(piece)

    def thinking(self, piece: str) -> None:
        if self._kind is not ThinkingDelta:
            self._turn_to(ThinkingDelta)
        self._pieces.append(piece)

    def refusal(self, piece: str) -> None:
        if self._kind is not RefusalDelta:
            self._turn_to(RefusalDelta)
        self._pieces.append(piece)
        self.finish(FinishReason.REFUSAL)

    def thought(self, part: ThinkingPart) -> None:
        """A block of thinking is complete, and is to go back like this."""
        self._turn_to(_NOTHING)
        self._events.append(Thought(part))

    def sign(self, signature: str) -> None:
        """What goes back with the thought that is being told."""
        self._signature = signature

    def call(self, place: object, identity: str | None, name: str) -> None:
        """A tool call begins at `place`, which is how the wire tells calls apart. An id that is missing, or
        that another call has, is replaced."""
        self._turn_to(_NOTHING)
        self.called(place)
        identity = well_formed(identity or "")
        if not identity or identity in self._ids:
            identity = f"call_{uuid4().hex[:24]}"
        self._ids.add(identity)
        self._open[place] = identity
        self._events.append(ToolCallStart(identity, well_formed(name)))

    def arguments(self, place: object, piece: str) -> None:
        """The next piece of the arguments of the call at `place`; nothing where none was begun there."""
        identity = self._open.get(place)
        if identity is None or not piece:
            return
        if self._kind is not identity:
            self._turn_to(identity)
        self._pieces.append(piece)

    def called(self, place: object) -> None:
        """The call at `place`, if there is one, is complete."""
        identity = self._open.pop(place, None)
        if identity is not None:
            self._turn_to(_NOTHING)
            self._events.append(ToolCallEnd(identity))

    def calling(self, place: object) -> bool:
        """Whether a call was begun at `place` and is not complete."""
        return place in self._open

    def expect_oddities(self) -> None:
        """From here on pieces may hold lone surrogates, of which two in a row may be one character."""
        self._odd = True

    def usage(self, usage: Usage | None) -> None:
        if usage is not None and usage != self._reported:
            self._flush()
            self._reported = usage
            self._events.append(UsageReport(usage))

    def finish(self, reason: FinishReason, stop: str | None = None) -> None:
        """Notes the reason; a refusal stays one, whatever is said later."""
        if self.reason is not FinishReason.REFUSAL:
            self.reason = reason
            self.stop = stop

    def fail(self, fault: ProviderError) -> None:
        self.fault = fault
        self.over = True

    def take(self) -> list[ModelEvent]:
        """The events since the last call, adjacent pieces of one kind joined."""
        if self._pieces:
            self._flush()
        events, self._events = self._events, []
        return events

    def end(self) -> list[ModelEvent]:
        """The last events. Raises the fault, or `BrokenStream` where neither an end nor a reason was seen.

        An answer that stopped by itself after calling tools has TOOL_CALLS as its reason on every wire.
        """
        if self.fault is not None:
            raise self.fault
        if not self.over and self.reason is None:
            raise BrokenStream(self.provider)
        for place in list(self._open):
            self.called(place)
        self._turn_to(_NOTHING)
        reason = self.reason or FinishReason.STOP
        if self._ids and reason is FinishReason.STOP:
            reason = FinishReason.TOOL_CALLS
        if not self._ids and reason is FinishReason.TOOL_CALLS:
            reason = FinishReason.STOP
        return [*self.take(), Finish(reason, self.stop)]

    def _turn_to(self, kind: type[Delta] | str) -> None:
        """From here on pieces are of this kind; half a character that still waits for the other is lost."""
        self._flush()
        if self._half:
            self._half = ""
            self._tell(REPLACEMENT)
        if self._thoughts:
            text = "".join(self._thoughts)
            self._events.append(Thought(ThinkingPart(text, self._signature, provider=self.provider)))
            self._thoughts.clear()
            self._signature = None
        self._kind = kind

    def _flush(self) -> None:
        if not self._pieces:
            return
        pieces = self._pieces
        text = pieces[0] if len(pieces) == 1 else "".join(pieces)
        pieces.clear()
        if self._odd:
            text = self._half + text
            self._half = open_half(text)
            text = well_formed(text.removesuffix(self._half))
        elif "\0" in text:  # what the fast decoder lets through has no lone surrogates
            text = text.replace("\0", REPLACEMENT)
        if text:
            self._tell(text)

    def _tell(self, text: str) -> None:
        kind = self._kind
        if kind is TextDelta:
            self._events.append(TextDelta(text))
            return
        if self.returning and kind is ThinkingDelta:
            self._thoughts.append(text)
        self._events.append(ToolCallDelta(kind, text) if isinstance(kind, str) else kind(text))


def counted(
    prompt: object, completion: object, cached: object = 0, reasoning: object = 0, written: object = 0
) -> Usage | None:
    """A usage of counts that can be believed; None where one of the two that matter can't. `written` are the
    tokens of the prompt that went into the provider's cache."""
    prompt, completion = believed(prompt), believed(completion)
    if prompt is None or completion is None:
        return None
    cached, reasoning = believed(cached) or 0, believed(reasoning) or 0
    cached = min(cached, prompt)
    written = min(believed(written) or 0, prompt - cached)
    return Usage(prompt, completion, cached, min(reasoning, completion), written)


def believed(count: object) -> int | None:
    """`count` where it is a whole number that an answer can have, else None."""
    return count if type(count) is int and 0 <= count <= MOST_TOKENS else None

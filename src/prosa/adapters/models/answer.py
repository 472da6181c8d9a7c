"""What one answer has told so far, in the words of the domain: every decoder writes into one of these."""

from prosa.domain.errors import BrokenStream, ProviderError
from prosa.domain.models import Finish, FinishReason, ModelEvent, TextDelta, ThinkingDelta, Usage, UsageReport
from prosa.kit.text import REPLACEMENT, open_half, well_formed

MOST_TOKENS = 1_000_000_000
"""No count above this is believed."""


class Answer:
    """Joins pieces that arrive together, keeps the reason of the end, and says when the answer is over.

    `fault` is why it broke, once it did; the events before it still count.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self.reason: FinishReason | None = None
        self.fault: ProviderError | None = None
        self.over = False
        self._events: list[ModelEvent] = []
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._odd = False
        self._half = ""
        self._reported: Usage | None = None

    def text(self, piece: str) -> None:
        if self._thoughts:
            self._flush()
        self._texts.append(piece)

    def thinking(self, piece: str) -> None:
        if self._texts:
            self._flush()
        self._thoughts.append(piece)

    def expect_oddities(self) -> None:
        """From here on pieces may hold lone surrogates, of which two in a row may be one character."""
        self._odd = True

    def usage(self, usage: Usage | None) -> None:
        if usage is not None and usage != self._reported:
            self._flush()
            self._reported = usage
            self._events.append(UsageReport(usage))

    def finish(self, reason: FinishReason) -> None:
        """Notes the reason; a refusal stays one, whatever is said later."""
        if self.reason is not FinishReason.REFUSAL:
            self.reason = reason

    def fail(self, fault: ProviderError) -> None:
        self.fault = fault
        self.over = True

    def take(self) -> list[ModelEvent]:
        """The events since the last call, adjacent pieces of one kind joined."""
        self._flush()
        events = self._events
        self._events = []
        return events

    def end(self) -> list[ModelEvent]:
        """The last events. Raises the fault, or `BrokenStream` where neither an end nor a reason was seen."""
        if self.fault is not None:
            raise self.fault
        if not self.over and self.reason is None:
            raise BrokenStream(self.provider)
        events = self.take()
        if self._half:
            events.append(TextDelta(REPLACEMENT))
        return [*events, Finish(self.reason or FinishReason.STOP)]

    def _flush(self) -> None:
        if self._texts:
            text = "".join(self._texts)
            self._texts.clear()
            if self._odd:
                text = self._half + text
                self._half = open_half(text)
                text = text.removesuffix(self._half)
            if text := mended(text, odd=self._odd):
                self._events.append(TextDelta(text))
        elif self._thoughts:
            text = "".join(self._thoughts)
            self._thoughts.clear()
            if text := mended(text, odd=self._odd):
                self._events.append(ThinkingDelta(text))


def mended(text: str, *, odd: bool) -> str:
    """Only `odd` text needs the dear way: what the fast decoder lets through has no lone surrogates."""
    return well_formed(text) if odd else text.replace("\0", REPLACEMENT)


def counted(prompt: object, completion: object, cached: object = 0, reasoning: object = 0) -> Usage | None:
    """A usage of counts that can be believed; None where one of the two that matter can't."""
    prompt, completion = believed(prompt), believed(completion)
    if prompt is None or completion is None:
        return None
    cached, reasoning = believed(cached) or 0, believed(reasoning) or 0
    return Usage(prompt, completion, min(cached, prompt), min(reasoning, completion))


def believed(count: object) -> int | None:
    """`count` where it is a whole number that an answer can have, else None."""
    if isinstance(count, bool) or not isinstance(count, int):
        return None
    return count if 0 <= count <= MOST_TOKENS else None

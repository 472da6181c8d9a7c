"""An answer's parts: whoever looks at them while it goes on changes nothing."""

from prosa.domain.assembly import Assembly
from prosa.domain.content import TextPart, ThinkingPart, ToolCall
from prosa.domain.models import ModelEvent, TextDelta, ThinkingDelta, Thought, ToolCallDelta, ToolCallStart

SIGNED = ThinkingPart("Let me see.", "a signature")
EVENTS: tuple[ModelEvent, ...] = (
    ThinkingDelta("Let me "), ThinkingDelta("see."), Thought(SIGNED), TextDelta("It is "), TextDelta("warm."),
    ToolCallStart("1", "weather"), ToolCallDelta("1", '{"city"'), ToolCallDelta("1", ': "Lima"}'), TextDelta("Yes."),
)  # fmt: skip


def test_to_look_changes_nothing() -> None:
    unseen, seen = Assembly(), Assembly()
    for event in EVENTS:
        unseen.add(event)
        seen.add(event)
        assert seen.parts == seen.parts
    whole = (SIGNED, TextPart("It is warm."), ToolCall("1", "weather", '{"city": "Lima"}'), TextPart("Yes."))
    assert unseen.parts == seen.parts == whole


def test_what_goes_on_is_seen_as_far_as_it_is() -> None:
    answer = Assembly()
    answer.write("It ")
    assert answer.parts == (TextPart("It "),)
    answer.write("is.")
    assert answer.parts == (TextPart("It is."),)
    answer.add(ThinkingDelta("Hm"))
    assert answer.parts == (TextPart("It is."), ThinkingPart("Hm"))

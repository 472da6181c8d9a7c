"""What of a branch is sent: the newest that fits, in whole exchanges, after the summary; nothing counted in vain."""

import time

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from msgspec.structs import replace

from prosa.domain.content import ImagePart, TextPart, ToolCall, ToolResult
from prosa.domain.context import Counts, DoesNotFit, Shown
from prosa.domain.models import ChatRequest, Role, ToolSpec, Turn, turn
from prosa.services.context import encodings, window
from prosa.services.context.counts import count_parts
from prosa.services.context.encodings import O200K
from prosa.services.context.fitting import (
    SYSTEM,
    Fitted,
    Frame,
    Uncounted,
    again,
    fit,
    size_of_message,
    stored_count,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=90)
TOOL = ToolSpec("look", "Looks.", {"type": "object"})


@st.composite
def branches(draw: st.DrawFn) -> list[Shown]:
    """A branch that ends with a message of the user; perhaps with a summary at its top, or a greeting."""
    said: list[tuple[Turn, ...]] = []
    if draw(st.booleans()):
        said.append((Turn(Role.ASSISTANT, "Welcome."),))
    for _ in range(draw(st.integers(0, 6))):
        said.append((Turn(Role.USER, draw(texts)),))
        call = ToolCall("c", "look", '{"at": 1}')
        answer = Turn(Role.ASSISTANT, draw(texts))
        called = turn(Role.ASSISTANT, TextPart("Well."), call), turn(Role.TOOL, ToolResult("c", draw(texts)))
        said += [draw(st.sampled_from([(), (answer,), (*called, answer)]))]
    said.append((Turn(Role.USER, draw(texts)),))
    shown = [Shown(f"m{place}", turns) for place, turns in enumerate(said)]
    summary = Shown("s", (Turn(Role.SYSTEM, draw(texts)),), summary=True)
    return [summary, *shown] if draw(st.booleans()) else shown


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    return Frame(
        "fake",
        draw(st.integers(20, 900)),
        draw(st.integers(1, 300)),
        draw(st.none() | texts),
        draw(st.sampled_from([(), (TOOL,)])),
        draw(st.sampled_from([None, O200K])),
    )


def counted_in(branch: list[Shown], frame: Frame) -> dict[str, int]:
    if frame.encoding is None:
        return {}
    found = {each.id: count_parts(each.turns, frame.encoding) for each in branch}
    return {**found, SYSTEM: encodings.count(frame.system or "", frame.encoding)}


@given(branches(), frames())
def test_what_is_sent(branch: list[Shown], frame: Frame) -> None:
    counted = counted_in(branch, frame)
    try:
        fitted = fit(branch, frame, counted)
    except DoesNotFit as refused:
        event("does not fit")
        over = refused.details["over"]
        bigger = replace(frame, window=frame.window + 2 * over + 2)  # half of it may be the answer's
        assert fit(branch, bigger, counted).turns[-1] == branch[-1].turns[-1]
        return
    sent = fitted.sent
    whole = [each for each in branch if each.id == sent.summary]
    start = next(place for place, each in enumerate(branch) if each.id == sent.first)
    kept = [*whole, *branch[start:]]
    assert fitted.turns == tuple(turn for each in kept for turn in each.turns)
    event(f"{len(kept)} of {len(branch)}" if len(kept) < len(branch) else "all")
    if start > branch[0].summary:  # something was left out: then what stays begins with the user
        assert branch[start].turns[0].role is Role.USER
    calls = [part.id for each in fitted.turns for part in each.parts if isinstance(part, ToolCall)]
    results = [part.id for each in fitted.turns for part in each.parts if isinstance(part, ToolResult)]
    assert calls == results
    assert 0 < fitted.wanted <= frame.wanted
    assert sent.tokens + fitted.wanted <= frame.window
    assert sent.tokens <= fitted.most
    assert sent.estimated or (frame.encoding and not frame.tools)
    _no_more_would_fit(branch, start, frame, fitted)
    assert fit(kept, replace(frame, wanted=fitted.wanted), counted).turns == fitted.turns


def _no_more_would_fit(branch: list[Shown], start: int, frame: Frame, fitted: Fitted) -> None:
    lowest = 1 if branch[0].summary else 0
    earlier = [
        place
        for place in range(lowest, start)
        if place == lowest or (branch[place].turns and branch[place].turns[0].role is Role.USER)
    ]
    if not earlier:
        return
    more = branch[earlier[-1] : start]
    tokens = sum(
        count_parts(each.turns, frame.encoding) + 4 * len(each.turns)
        if frame.encoding
        else size_of_message(each) // 3 + 8 * len(each.turns)
        for each in more
    )
    assert fitted.sent.tokens + tokens + fitted.wanted > frame.window - window.TEMPLATE


@given(branches(), frames())
def test_where_bytes_fit_nothing_is_counted(branch: list[Shown], frame: Frame) -> None:
    roomy = replace(frame, window=20_000)
    fitted = fit(branch, roomy, {})
    assert fitted.turns == tuple(turn for each in branch for turn in each.turns)
    assert (fitted.wanted, fitted.sent.estimated) == (frame.wanted, True)
    assert fitted.most == window.bound(fitted.turns, frame.system, frame.tools)


LONG = [
    Shown(f"m{place}", (Turn(Role.ASSISTANT if place % 2 else Role.USER, "Say it again. " * 40),))
    for place in range(201)
]


def test_counts_are_asked_for_where_they_decide() -> None:
    frame = Frame("openai", 36_000, 1_000, "Be brief.", (), O200K)
    with pytest.raises(Uncounted) as asked:
        fit(LONG, frame, {})
    assert (asked.value.encoding, len(asked.value.messages), asked.value.system) == (O200K, 201, "Be brief.")
    counted = counted_in(LONG, frame)
    fitted = fit(LONG, frame, counted)
    assert not fitted.sent.estimated
    assert fitted.sent.first == "m0"
    assert fitted.sent.tokens == sum(counted.values()) + 4 * 202 + 3
    # One message that nobody has counted does not matter where its bytes fit beside the others' tokens.
    assert fit(LONG, frame, {**counted_in(LONG[:-1], frame)}).sent.estimated
    # Without counts the estimate leaves some out: bytes by three are more than prose has.
    assert fit(LONG, frame, None).sent.first != "m0"


def test_counting_200_messages_that_were_counted_costs_a_millisecond() -> None:
    stored = [
        replace(
            each,
            counts=f'{{"size":{size_of_message(each)},"by":{{"{O200K}":{count_parts(each.turns, O200K)}}}}}',
        )
        for each in LONG
    ]
    frame = Frame("openai", 36_000, 1_000, None, (), O200K)
    times = []
    for _ in range(20):
        began = time.thread_time()
        assert not fit(stored, frame, {}).sent.estimated
        times.append(time.thread_time() - began)
    assert min(times) <= 0.001


def test_a_count_of_another_text_does_not_count() -> None:
    shown = Shown("m", (Turn(Role.USER, "Hello"),), '{"size":5,"by":{"o200k_base":1}}')
    assert stored_count(shown, 5, O200K) == 1
    assert stored_count(shown, 6, O200K) is None
    assert stored_count(shown, 5, "cl100k_base") is None
    assert Counts(5, {}).size == size_of_message(shown)


def test_pictures_and_tools_make_it_an_estimate() -> None:
    picture = Shown("m", (turn(Role.USER, TextPart("What is this?"), ImagePart(url="https://x.org")),))
    for branch, tools in ([picture], ()), (LONG[:1], (TOOL,)):
        frame = Frame("openai", 5_000, 3_000, None, tools, O200K)
        counted = counted_in(branch, frame)
        assert fit(branch, replace(frame, window=window.bound(branch[0].turns, None)), counted).sent.estimated


@pytest.mark.parametrize("encoding", [None, O200K])
def test_a_message_that_can_not_fit_says_by_how_much(encoding: str | None) -> None:
    long = [Shown("m", (Turn(Role.USER, "word " * 5_000),))]
    frame = Frame("openai", 4_000, 1_000, None, (), encoding)
    counted = counted_in(long, frame)
    with pytest.raises(DoesNotFit) as refused:
        fit(long, frame, counted)
    over, room = refused.value.details["over"], refused.value.details["room"]
    tokens = counted.get("m", 25_000 // 3)
    assert tokens <= over + room <= tokens + 12
    assert f"{over} tokens" in str(refused.value)
    assert f"{over} tokens" in refused.value.sentence("pt")


def test_counts_of_the_first_round_tell_how_far_estimates_are_off() -> None:
    turns = tuple(turn for each in LONG for turn in each.turns)
    request = ChatRequest("gpt-4o", turns, max_tokens=100)
    exact_tokens = sum(count_parts(each.turns, O200K) + 4 for each in LONG)
    about = window.tokens(turns, None)
    assert exact_tokens < about
    said = [Turn(Role.ASSISTANT, "Well."), Turn(Role.USER, "Go on.")]
    room = exact_tokens + 200
    assert again(request, said, room, exact_tokens) == (*turns, *said)
    assert len(again(request, said, room, about)) < len(turns)
    assert again(request, said, about // 2, exact_tokens)[-2:] == tuple(said)


@given(branches(), st.integers(0, 700), st.lists(texts, min_size=1, max_size=3))
def test_later_rounds_are_fitted_again(branch: list[Shown], room: int, told: list[str]) -> None:
    """The question and all that was said on the way stay; older exchanges go, the oldest first."""
    turns = tuple(turn for each in branch for turn in each.turns)
    request = ChatRequest("m", turns, max_tokens=50)
    said = [
        each
        for text in told
        for each in (turn(Role.ASSISTANT, ToolCall("c", "f", "{}")), turn(Role.TOOL, ToolResult("c", text)))
    ]
    after = again(request, said, room, window.tokens(turns, None))
    assert after[-len(said) :] == tuple(said)
    if not room:
        assert after == (*turns, *said)
        return
    top = 1 if turns[0].role is Role.SYSTEM else 0
    kept = after[top:] if top and after[0] is turns[0] else after
    assert kept == (*turns, *said)[len(turns) + len(said) - len(kept) :]
    if len(after) < len(turns) + len(said):
        assert kept[0].role is Role.USER
        users = [place for place, each in enumerate(turns) if each.role is Role.USER]
        fits = window.tokens(after, None) <= room - 50
        assert fits or len(kept) - len(said) == len(turns) - users[-1]

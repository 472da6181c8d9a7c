"""`truncate_messages`: whole exchanges, the newest that fit, the system prompt, calls with their results."""

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

import prosa
from prosa.domain.context import DoesNotFit
from prosa.domain.errors import InvalidRequest

Message = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@st.composite
def exchanges(draw: st.DrawFn) -> list[Message]:
    """A message of the user, and rounds of calls and results in OpenAI's form or in Anthropic's."""
    found: list[Message] = [{"role": "user", "content": draw(texts)}]
    for place in range(draw(st.integers(0, 2))):
        ids = [f"c{place}_{number}" for number in range(draw(st.integers(1, 2)))]
        if draw(st.booleans()):
            calls = [
                {"id": each, "type": "function", "function": {"name": "f", "arguments": "{}"}} for each in ids
            ]
            found.append({"role": "assistant", "content": None, "tool_calls": calls})
            found += [{"role": "tool", "tool_call_id": each, "content": draw(texts)} for each in ids]
        else:
            uses = [{"type": "tool_use", "id": each, "name": "f", "input": {"x": 1}} for each in ids]
            found.append({"role": "assistant", "content": [{"type": "text", "text": "Well."}, *uses]})
            results = [{"type": "tool_result", "tool_use_id": each, "content": draw(texts)} for each in ids]
            found.append({"role": "user", "content": results})
    if draw(st.booleans()):
        found.append({"role": "assistant", "content": draw(texts)})
    return found


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    top = [{"role": "system", "content": draw(texts)} for _ in range(draw(st.integers(0, 2)))]
    first = [{"role": "assistant", "content": "Welcome."}] if draw(st.booleans()) else []
    return [*top, *first, *(each for one in draw(st.lists(exchanges(), max_size=5)) for each in one)]


def calls_and_results(messages: list[Message]) -> tuple[list[str], list[str]]:
    calls, results = [], []
    for message in messages:
        calls += [call["id"] for call in message.get("tool_calls") or ()]
        results += [message["tool_call_id"]] if message["role"] == "tool" else []
        for block in message["content"] if isinstance(message["content"], list) else ():
            calls += [block["id"]] if block["type"] == "tool_use" else []
            results += [block["tool_use_id"]] if block["type"] == "tool_result" else []
    return calls, results


@given(
    conversations(),
    st.integers(1, 400),
    st.booleans(),
    st.integers(0, 8),
    st.sampled_from([None, "gpt-4", "claude-haiku-4-5"]),
)
def test_what_stays(messages: list[Message], most: int, keep: bool, recent: int, model: str | None) -> None:
    top = next((at for at, each in enumerate(messages) if each["role"] != "system"), len(messages))
    try:
        kept = prosa.truncate_messages(messages, most, keep, recent, model=model)
    except DoesNotFit as refused:
        over = refused.details["over"]
        event("does not fit")
        assert prosa.truncate_messages(messages, most + over, keep, recent, model=model)
        with pytest.raises(DoesNotFit):
            prosa.truncate_messages(messages, most + over - 1, keep, recent, model=model)
        return
    assert prosa.count_tokens(kept, model).tokens <= most or not kept
    assert all(any(each is one for one in messages) for each in kept)
    below = [each for each in kept if each["role"] != "system"]
    assert below == (messages[len(messages) - len(below) :] if below else [])
    assert len(below) >= min(max(1, recent), len(messages) - top)
    if keep or len(kept) == len(messages):
        assert kept[: len(kept) - len(below)] == messages[:top]
    calls, results = calls_and_results(kept)
    assert calls == results
    if len(below) < len(messages) - top:
        assert below[0]["role"] == "user"
        assert calls_and_results(below[:1]) == ([], [])
    assert prosa.truncate_messages(kept, most, keep, recent, model=model) == kept


@given(conversations(), st.booleans())
def test_all_stay_where_they_fit(messages: list[Message], keep: bool) -> None:
    count = prosa.count_tokens(messages)
    assert prosa.truncate_messages(messages, count.tokens, keep) == messages


def test_seed_003s_call() -> None:
    messages = [{"role": "system", "content": "You are helpful."}]
    for number in range(40):
        messages.append({"role": "user", "content": f"Question {number}: " + "why? " * 100})
        messages.append({"role": "assistant", "content": f"Answer {number}."})
    kept = prosa.truncate_messages(messages, max_tokens=4000, keep_system_prompt=True, keep_recent_messages=5)
    assert kept[0] is messages[0]
    assert kept[1:] == messages[len(messages) - len(kept) + 1 :]
    assert kept[1]["role"] == "user"
    assert 3_000 < prosa.count_tokens(kept).tokens <= 4_000


def test_a_message_that_can_not_fit_says_by_how_much() -> None:
    long = [{"role": "user", "content": "word " * 1_000}]
    needed = prosa.count_tokens(long, "gpt-4o").tokens
    with pytest.raises(prosa.ProsaError) as refused:
        prosa.truncate_messages(long, 600, model="gpt-4o")
    assert refused.value.code == "context_too_long"
    assert refused.value.details["over"] == needed - 600
    assert f"{needed - 600} tokens longer" in str(refused.value)


def test_without_its_prompt() -> None:
    messages = [
        {"role": "system", "content": "long " * 200},
        {"role": "user", "content": "Hello!"},
    ]
    assert prosa.truncate_messages(messages, 100, keep_system_prompt=False) == messages[1:]
    with pytest.raises(DoesNotFit):
        prosa.truncate_messages(messages, 100)


@pytest.mark.parametrize(
    ("messages", "most", "recent"),
    [([], 0, 1), ([], 5, -1), (["text"], 5, 1), ([{"content": "no role"}], 5, 1), ([{"role": None}], 5, 1)],
)
def test_what_is_no_message_is_refused(messages: Any, most: int, recent: int) -> None:
    with pytest.raises(InvalidRequest):
        prosa.truncate_messages(messages, most, keep_recent_messages=recent)


def test_counts_are_openais_and_say_where_they_are_estimates() -> None:
    """By the cookbook's own example: gpt-4 and gpt-4o report these counts for these messages."""
    messages = [
        {
            "role": "system",
            "content": "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
        },
        {
            "role": "system",
            "name": "example_user",
            "content": "New synergies will help drive top-line growth.",
        },
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Things working well together will increase revenue.",
        },
        {
            "role": "system",
            "name": "example_user",
            "content": "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
        },
        {
            "role": "system",
            "name": "example_assistant",
            "content": "Let's talk later when we're less busy about how to do better.",
        },
        {
            "role": "user",
            "content": "This late pivot means we don't have time to boil the ocean for the client deliverable.",
        },
    ]
    assert prosa.count_tokens(messages, "gpt-4") == prosa.count_tokens(messages, "gpt-3.5-turbo")
    assert (prosa.count_tokens(messages, "gpt-4").tokens, prosa.count_tokens(messages, "gpt-4o").tokens) == (
        129,
        124,
    )
    assert not prosa.count_tokens(messages, "gpt-4").estimated
    assert prosa.count_tokens(messages, "claude-opus-4-5").estimated
    picture = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
    assert prosa.count_tokens(picture, "gpt-4o").estimated
    assert prosa.count_tokens("tiktoken is great!") == prosa.count_tokens("tiktoken is great!", "gpt-5")
    assert prosa.count_tokens("tiktoken is great!").tokens == 6

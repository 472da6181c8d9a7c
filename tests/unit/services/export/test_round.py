"""Whatever tree is exported, what is imported is the same tree, message by message."""

import io
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.stores import ANA, NOON, conversation, message

from prosa.domain.content import Part, TextPart, ThinkingPart, ToolCall, ToolResult, ToolStatus
from prosa.domain.conversations import ConversationStatus, Message, MessageStatus, TitleBy
from prosa.domain.feedback import Feedback
from prosa.domain.ids import id_at
from prosa.domain.imports import Told
from prosa.domain.models import Role
from prosa.domain.time import Instant
from prosa.domain.tree import Tree
from prosa.services.export.document import Document
from prosa.services.export.formats import Exported
from prosa.services.imports.plant import Owner, plant
from prosa.services.imports.sources import conversations

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
NAME = st.none() | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXT, lambda inner: st.lists(inner, max_size=3) |
    st.dictionaries(TEXT, inner, max_size=3), max_leaves=6)  # fmt: skip
PARTS: st.SearchStrategy[tuple[Part, ...]] = st.lists(
    st.builds(TextPart, TEXT)
    | st.builds(ThinkingPart, TEXT, NAME, NAME, TEXT)
    | st.builds(ToolCall, TEXT, TEXT, TEXT)
    | st.builds(ToolResult, TEXT, TEXT, TEXT, st.sampled_from(ToolStatus)),
    max_size=4,
).map(tuple)
TIME = st.integers(0, NOON).map(Instant)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Any, list[Exported]]:
    ticks = iter(
        sorted(draw(st.lists(st.integers(0, NOON // 1_000 << 26), min_size=13, max_size=13, unique=True)))
    )
    chat = conversation(
        ANA, id=id_at(next(ticks), 7), external_id=draw(NAME), title=draw(st.none() | TEXT), system_prompt=draw(st.none() | TEXT),
        provider=draw(NAME), model=draw(NAME), status=draw(st.sampled_from(ConversationStatus)), created_at=draw(TIME),
        updated_at=draw(TIME), metadata=draw(st.dictionaries(TEXT, JSON, max_size=3)), pinned=draw(st.booleans()),
        archived=draw(st.booleans()),
    )  # fmt: skip
    if chat.title is not None:
        chat = replace(chat, title_by=draw(st.none() | st.sampled_from([TitleBy.EXCERPT, TitleBy.MODEL])))
    messages: list[Message] = []
    for _ in range(draw(st.integers(0, 12))):
        parent = draw(st.none() | st.sampled_from([each.id for each in messages])) if messages else None
        made = message(
            chat, draw(TEXT), id=id_at(next(ticks), 9), parent_id=parent, role=draw(st.sampled_from(Role)),
            status=draw(st.sampled_from([MessageStatus.COMPLETED, MessageStatus.INCOMPLETE])), provider=draw(NAME), model=draw(NAME),
            created_at=draw(TIME), parts=draw(PARTS), metadata=draw(st.dictionaries(TEXT, TEXT, max_size=2)),
        )  # fmt: skip
        messages.append(made)
    said = [
        Exported(each, Feedback(each.id, "ana", chat.id, draw(st.sampled_from([None, "up", "down"])), 3, ("a",), draw(NAME), NOON, NOON)
                 if each.role is Role.ASSISTANT and draw(st.booleans()) else None, place)
        for place, each in enumerate(messages)
    ]  # fmt: skip
    tree = Tree((each.id, each.parent_id) for each in messages)
    return replace(chat, head_id=tree.leaf(None)), said


@settings(max_examples=300, phases=[Phase.explicit, Phase.generate])
@given(trees())
def test_the_same_tree(made: tuple[Any, list[Exported]]) -> None:
    chat, said = made
    form = Document()
    pieces = [
        form.begin(1, None),
        form.open(chat, 0),
        *(form.message(each, chat) for each in said),
        form.close(chat),
        form.end(),
    ]
    ((source, told),) = conversations(io.BytesIO(b"".join(pieces)), "auto")
    assert isinstance(told, Told)
    planting = plant(Owner(ANA, source, NOON), told)
    assert planting.conversation == chat
    found = {each.message.id: (each.message, each.feedback) for each in planting.seedlings}
    assert found == {each.message.id: (each.message, each.feedback) for each in said}

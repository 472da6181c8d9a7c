"""Templates and feedback as the stores keep them."""

import pytest
from msgspec.structs import replace
from tests.stores import ANA, BIA, NOON, conversation, message

from prosa.domain.conversations import Conversation
from prosa.domain.errors import InvalidRequest, MessageNotFound
from prosa.domain.feedback import Feedback, FeedbackNotFound
from prosa.domain.ids import new_id
from prosa.domain.models import Role
from prosa.domain.principal import Principal
from prosa.domain.templates import Template, TemplateNotFound, Variable
from prosa.domain.time import Instant
from prosa.ports.store import Store

LATER = Instant(NOON + 1)
PLACE = Variable("nome", "choice", "Nome", required=True, default="Ana", choices=("Ana", "Bia"))


def template(owner: Principal = ANA, name: str = "Olá") -> Template:
    return Template(
        new_id(), owner.user_id, owner.client_id, name, None, "Oi, {{nome}} \\u0000", (PLACE,), NOON, NOON
    )


async def test_a_template_is_kept_whole(store: Store) -> None:
    templates, made = store.of(ANA).templates, template()
    await templates.add(made)
    assert await templates.get(made.id) == made
    changed = await templates.update(made.id, {"name": "B", "variables": ()}, LATER)
    assert changed == replace(made, name="B", variables=(), updated_at=LATER)
    assert await templates.get(made.id) == changed
    await templates.delete(made.id)
    with pytest.raises(TemplateNotFound):
        await templates.get(made.id)
    with pytest.raises(TemplateNotFound):
        await templates.delete(made.id)


async def test_the_newest_template_comes_first(store: Store) -> None:
    made = [template(name=str(number)) for number in range(5)]
    for each in made:
        await store.of(ANA).templates.add(each)
    await store.of(BIA).templates.add(template(BIA))
    made.reverse()
    templates = store.of(ANA).templates
    assert await templates.page(10, None) == made
    assert await templates.page(2, made[1].id) == made[2:4]


async def test_templates_of_others_do_not_exist(store: Store) -> None:
    made = template()
    await store.of(ANA).templates.add(made)
    for other in (BIA, Principal("ana", "acme").desk):
        templates = store.of(other).templates
        assert await templates.page(10, None) == []
        for attempt in (
            templates.get(made.id),
            templates.update(made.id, {}, LATER),
            templates.delete(made.id),
        ):
            with pytest.raises(TemplateNotFound):
                await attempt
    assert await store.of(ANA).templates.get(made.id) == made


async def answers(store: Store, chat: Conversation, count: int = 1) -> list[str]:
    found = []
    for _ in range(count):
        stored = await store.of(ANA).messages.append(message(chat, role=Role.ASSISTANT), at_head=True)
        found.append(stored.id)
    return found


def feedback(chat: Conversation, answer: str, **fields: object) -> Feedback:
    said = Feedback(answer, ANA.user_id, chat.id, "up", 4, ("claro", "a\\u0000"), "é bom", NOON, NOON)
    return replace(said, **fields)


async def test_feedback_is_one_a_message(store: Store, chat: Conversation) -> None:
    records = store.of(ANA).feedback
    (answer,) = await answers(store, chat)
    said = feedback(chat, answer)
    assert await records.put(said) == said
    assert await records.of([answer, new_id()]) == {answer: said}
    other = feedback(chat, answer, thumb="down", rating=None, tags=(), comment=None, created_at=LATER,
                     updated_at=LATER)  # fmt: skip
    kept = replace(other, created_at=NOON)
    assert await records.put(other) == kept
    assert await records.of([answer]) == {answer: kept}
    assert await records.of([]) == {}
    await records.delete(chat.id, answer)
    with pytest.raises(FeedbackNotFound):
        await records.delete(chat.id, answer)


async def test_feedback_is_for_answers_of_ones_own(store: Store, chat: Conversation) -> None:
    question = await store.of(ANA).messages.append(message(chat), at_head=True)
    (answer,) = await answers(store, chat)
    with pytest.raises(InvalidRequest):
        await store.of(ANA).feedback.put(feedback(chat, question.id))
    for wrong in (feedback(chat, new_id()), feedback(conversation(), answer)):
        with pytest.raises(MessageNotFound):
            await store.of(ANA).feedback.put(wrong)
    theirs = store.of(BIA).feedback
    with pytest.raises(MessageNotFound):
        await theirs.put(feedback(chat, answer, user_id=BIA.user_id))
    said = await store.of(ANA).feedback.put(feedback(chat, answer))
    assert (await theirs.of([answer]), await theirs.page(10, None, None)) == ({}, [])
    with pytest.raises(FeedbackNotFound):
        await theirs.delete(chat.id, answer)
    assert await store.of(ANA).feedback.of([answer]) == {answer: said}


async def test_feedback_is_listed_by_its_last_change(store: Store, chat: Conversation) -> None:
    records = store.of(ANA).feedback
    said = [
        await records.put(
            feedback(chat, answer, thumb=("up", "down")[place % 2], updated_at=Instant(NOON + place // 2))
        )
        for place, answer in enumerate(await answers(store, chat, 5))
    ]
    said.sort(key=lambda each: (each.updated_at, each.message_id), reverse=True)
    assert await records.page(10, None, None) == said
    assert await records.page(2, None, (said[1].updated_at, said[1].message_id)) == said[2:4]
    assert await records.page(10, "down", None) == [each for each in said if each.thumb == "down"]


async def test_feedback_goes_with_its_message(store: Store, chat: Conversation) -> None:
    first, second = await answers(store, chat, 2)
    for answer in (first, second):
        await store.of(ANA).feedback.put(feedback(chat, answer))
    await store.of(ANA).messages.delete(chat.id, second, NOON)
    assert list(await store.of(ANA).feedback.of([first, second])) == [first]
    await store.of(ANA).conversations.delete(chat.id)
    assert await store.of(ANA).feedback.page(10, None, None) == []

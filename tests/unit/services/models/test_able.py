"""On a route, a target that can't take what a message has with it is passed over."""

from typing import Any

import pytest

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.files import ModelTakesNoDocuments, ModelTakesNoImages
from prosa.domain.models import ChatRequest, Role, TextDelta, Turn
from prosa.services.models.able import Able
from prosa.services.models.catalogue import Book, Catalogue, Choice, Offer
from prosa.services.models.overrides import Override
from prosa.services.models.routes import Route

PICTURE = ImagePart("image/png", b"png", name="a.png")
PDF = DocumentPart("application/pdf", b"%PDF", name="a.pdf")
DOWN = ProviderOverloaded("one")


def asking(*parts: Part) -> ChatRequest:
    return ChatRequest("m", (Turn(Role.USER, "x", parts), Turn(Role.ASSISTANT, "y"), Turn(Role.USER, "z")))


def answering(*parts: Part) -> ChatRequest:
    return ChatRequest("m", (Turn(Role.USER, "x", parts), Turn(Role.TOOL, "")))


async def said(model: Any, request: ChatRequest) -> str:
    return "".join([event.text async for event in model.stream(request) if isinstance(event, TextDelta)])


def routed(*scripts: Any) -> tuple[Any, list[FakeModel]]:
    """A route over models of which the second takes nothing, and the first and the last everything."""
    models = [FakeModel(script, provider=name) for name, script in zip("abc", scripts, strict=True)]
    offers = {model.provider: Offer("m", model) for model in models}
    book = Book({"r": Route(("a/m", "b/m", "c/m"))}, models={"b/m": Override(capabilities=("tools",))})
    return Catalogue(offers, "a", "m", book).resolve(Choice("a", "m", "r")), models


@pytest.mark.parametrize("part", [PICTURE, PDF])
async def test_who_can_not_take_it_is_passed_over(part: Part) -> None:
    route, (_, second, third) = routed([DOWN], ["from b"], ["from c"])
    assert await said(route, answering(part)) == "from c"
    assert (len(second.calls), third.calls[0].request.turns[0].parts) == (0, (part,))


async def test_who_can_take_what_is_answered_is_told_of_the_rest() -> None:
    route, (_, second, _) = routed([DOWN], ["from b"], ["from c"])
    assert await said(route, asking(PICTURE, TextPart("x"))) == "from b"
    note = TextPart("[Here was the file a.png, which you can't read.]")
    assert [turn.parts for turn in second.calls[0].request.turns] == [(note, TextPart("x")), (), ()]
    plain = ChatRequest("m", (Turn(Role.USER, "x"),))
    assert await said(route, plain) == "from b"


async def test_where_all_fail_the_one_that_may_pass_is_told() -> None:
    route, _ = routed([DOWN], ["from b"], [ProviderOverloaded("three")])
    with pytest.raises(ProviderOverloaded):
        await said(route, answering(PICTURE))


async def test_alone_it_says_what_it_lacks() -> None:
    able = Able(FakeModel(["x"]), ("images",))
    assert await said(able, answering(PICTURE)) == "x"
    with pytest.raises(ModelTakesNoDocuments, match=r"m takes no PDF documents.*a\.pdf"):
        await said(able, answering(PDF))
    with pytest.raises(ModelTakesNoImages):
        await Able(FakeModel(["x"]), ()).count_tokens(answering(PICTURE))
    assert await able.count_tokens(asking(PDF)) == 3

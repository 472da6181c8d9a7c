"""What a model can't take is refused in the last message, and told of in those before."""

from typing import Any

import pytest

from prosa.domain.content import DocumentPart, ImagePart, Part, TextPart
from prosa.domain.context import Shown
from prosa.domain.files import MOST_SHOWN, AttachmentsTooLarge, ModelTakesNoDocuments, ModelTakesNoImages
from prosa.domain.models import Role, Turn
from prosa.services.context.attachments import takeable
from prosa.services.context.window import DOCUMENT, FRAME, LONGEST_DOCUMENT, OVERHEAD, PICTURE, size_of
from prosa.services.models.capabilities import UNKNOWN, Capability

IMAGE = ImagePart("image/png", name="a.png", file="f1", size=3)
PDF = DocumentPart("application/pdf", name="a.pdf", file="f2", size=3)
WORDS = DocumentPart("text/csv", name="a.csv", file="f3", size=3)


def branch(*parts: tuple[Part, ...]) -> list[Shown]:
    return [Shown(str(place), (Turn(Role.USER, "x", each),)) for place, each in enumerate(parts)]


@pytest.mark.parametrize(
    ("able", "refused"),
    [
        (UNKNOWN, []), (("images", "documents"), []), (("images",), [PDF]), (("documents",), [IMAGE]), ((), [IMAGE, PDF]),
        (("tools",), [IMAGE, PDF]),
    ],
)  # fmt: skip
def test_what_is_taken(able: tuple[Capability, ...], refused: list[Part]) -> None:
    for part, error in ((IMAGE, ModelTakesNoImages), (PDF, ModelTakesNoDocuments), (WORDS, None)):
        last = branch((), (part, TextPart("x")))
        if part not in refused:
            assert list(takeable(last, able, "m")) == last
            continue
        assert error is not None
        with pytest.raises(error) as told:
            takeable(last, able, "m")
        assert told.value.details == {"model": "m", "name": part.name}
        earlier = takeable(branch((part, TextPart("x")), ()), able, "m")
        note = TextPart(f"[Here was the file {part.name}, which you can't read.]")
        assert earlier[0].turns[0].parts == (note, TextPart("x"))
        assert earlier[1].turns[0].parts == ()


def test_how_much_goes_into_one_request() -> None:
    def large(name: str, size: int) -> ImagePart:
        return ImagePart("image/png", name=name, file=name, size=size)

    third, half = MOST_SHOWN // 3, MOST_SHOWN // 2
    fits = branch((large("a", third),), (), (large("b", third), large("c", third)))
    assert takeable(fits, UNKNOWN, "m") == fits
    assert takeable(branch((large("a", MOST_SHOWN),)), UNKNOWN, "m") == branch((large("a", MOST_SHOWN),))
    over = branch((large("a", 1), TextPart("x")), (large("b", half),), (), (large("c", half + 1),))
    note = "[Here was the file {}, which is too large to be shown again.]"
    assert [each.turns[0].parts for each in takeable(over, UNKNOWN, "m")] == [
        (TextPart(note.format("a")), TextPart("x")), (TextPart(note.format("b")),), (), (large("c", half + 1),),
    ]  # fmt: skip
    with pytest.raises(AttachmentsTooLarge):
        takeable(branch((large("a", half), large("b", half + 1))), UNKNOWN, "m")


@pytest.mark.parametrize(
    ("part", "size"),
    [
        (IMAGE, PICTURE), (PDF, DOCUMENT), (DocumentPart("application/pdf", size=100_000), 100_000),
        (DocumentPart("application/pdf", size=2**25), LONGEST_DOCUMENT), (DocumentPart(url="https://h.example"), DOCUMENT),
        (DocumentPart("text/csv", name="é", size=50_000), 50_000 + 2 + FRAME), (DocumentPart("text/csv", b"abc"), 3 + FRAME),
        (DocumentPart("text/csv", b"abc", size=-(10**9)), 3 + FRAME), (DocumentPart("text/csv", size=-(10**9)), DOCUMENT),
    ],
)  # fmt: skip
def test_what_they_take_at_most(part: Any, size: int) -> None:
    assert size_of(Turn(Role.USER, "", (part,))) == size + OVERHEAD

"""The bytes of files come in right before somebody is asked, and nowhere else."""

from collections.abc import Mapping, Sequence

from prosa.adapters.models.fake.client import FakeModel
from prosa.domain.content import DocumentPart, ImagePart, TextPart
from prosa.domain.errors import ProviderOverloaded
from prosa.domain.models import ChatRequest, Finish, FinishReason, Role, Turn
from prosa.kit.backoff import Backoff
from prosa.services.models.attached import Attached
from prosa.services.models.handling import Handling
from prosa.services.models.keyring import Key, KeyRing
from prosa.services.models.stack import stack

PICTURE = ImagePart("image/png", name="a.png", file="f1", size=3)
WORDS = DocumentPart("text/plain", name="a.txt", file="f2", size=5)
ELSEWHERE = ImagePart(url="https://h.example/a.png")


def asking(*turns: Turn) -> ChatRequest:
    return ChatRequest("m", turns, user="ana")


class Files:
    """What was asked for, by whom."""

    def __init__(self, **data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[str, list[str]]] = []

    async def read(self, user: str, file_ids: Sequence[str]) -> Mapping[str, bytes]:
        self.asked.append((user, list(file_ids)))
        return {each: self.data[each] for each in file_ids if each in self.data}


async def test_what_a_model_is_shown() -> None:
    files, model = Files(f1=b"png", f2=b"words"), FakeModel(["Oi!"])
    request = asking(
        Turn(Role.USER, "Look.", (PICTURE, TextPart("Look."))), Turn(Role.ASSISTANT, "Yes."),
        Turn(Role.USER, "Read.", (WORDS, PICTURE, ELSEWHERE, TextPart("Read."))),
    )  # fmt: skip
    attached = Attached(model, files.read)
    assert [event async for event in attached.stream(request)][-1] == Finish(FinishReason.STOP)
    shown = ImagePart("image/png", b"png", name="a.png", file="f1", size=3)
    read = DocumentPart("text/plain", b"words", name="a.txt", file="f2", size=5)
    assert [turn.parts for turn in model.calls[0].request.turns] == [
        (shown, TextPart("Look.")), (), (read, shown, ELSEWHERE, TextPart("Read.")),
    ]  # fmt: skip
    assert files.asked == [("ana", ["f1", "f2"])]
    assert await attached.count_tokens(request) == 3
    assert len(files.asked) == 2


async def test_where_there_are_no_files_nothing_is_read() -> None:
    files, model = Files(), FakeModel(["Oi!"])
    for parts in ((), (ELSEWHERE, TextPart("x"))):
        request = asking(Turn(Role.USER, "x", parts))
        assert [event async for event in Attached(model, files.read).stream(request)]
        assert model.calls[-1].request is request
    assert files.asked == []


async def test_a_file_that_is_gone_or_another() -> None:
    files, model = Files(f2=b"many more words"), FakeModel(["Oi!"])
    request = asking(Turn(Role.USER, "", (PICTURE, WORDS)))
    assert [event async for event in Attached(model, files.read).stream(request)]
    assert model.calls[0].request.turns[0].parts == (
        TextPart("[The file a.png is not there any more.]"), TextPart("[The file a.txt is not there any more.]"),
    )  # fmt: skip


async def test_what_is_retried_refers_to_files() -> None:
    """Each attempt reads anew, and outside of the policies nothing holds bytes."""
    files, tries = Files(f1=b"png"), 0

    def script(_: ChatRequest) -> list[str | Exception]:
        nonlocal tries
        tries += 1
        return [ProviderOverloaded("fake")] if tries == 1 else ["Oi!"]

    model = FakeModel(script)
    ring = KeyRing("fake", [Key(None, model)])
    request = asking(Turn(Role.USER, "", (PICTURE,)))
    whole = stack(ring, Handling(retries=2), files.read, backoff=Backoff(0, 0))
    assert [event async for event in whole.stream(request)][-1] == Finish(FinishReason.STOP)
    assert len(files.asked) == len(model.calls) == 2
    assert request.turns[0].parts == (PICTURE,)
    await whole.close()

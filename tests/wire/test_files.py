"""Files by the API: taken in, sent with messages, handed out, and gone with what they hang on."""

from pathlib import Path
from typing import Any

from tests.pictures import png
from tests.wire.house import House

from prosa.domain.content import ImagePart, TextPart


async def upload(
    house: House, data: bytes = b"", name: str = "a.png", *, user: str | None = None, status: int = 201
) -> dict[str, Any]:
    answer = await house.post("/api/files", user=user, files={"file": (name, data or png(), "x/y")})
    assert answer.status_code == status, answer.text
    return answer.json()


def blobs(house: House) -> list[Path]:
    """All files that are in the folder."""
    folder = (
        Path(house.settings.database_url.get_secret_value().removeprefix("sqlite:///")).parent / "prosa-files"
    )
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_a_picture_from_upload_to_model(local: House) -> None:
    data = png(640, 480)
    made = await upload(local, data, "férias.png")
    assert made == {
        "id": made["id"], "name": "férias.png", "mediaType": "image/png", "kind": "image", "size": len(data), "width": 640,
        "height": 480, "conversationId": None, "createdAt": made["createdAt"],
    }  # fmt: skip
    one = await local.conversation()
    happened = await local.send(one, "What is this?", attachments=[made["id"]])
    assert happened[-1]["status"] == "completed"
    turn = local.calls[-1].request.turns[-1]
    assert turn.content == "What is this?"
    assert turn.parts == (
        ImagePart("image/png", data, name="férias.png", file=made["id"], size=len(data)), TextPart("What is this?"),
    )  # fmt: skip
    question = (await local.get(f"/api/conversations/{one}/messages")).json()["items"][0]
    assert question["content"] == "What is this?"
    assert question["parts"] == [
        {"type": "media", "mediaType": "image/png", "url": None, "name": "férias.png", "fileId": made["id"], "size": len(data)},
        {"type": "text", "text": "What is this?"},
    ]  # fmt: skip
    assert (await local.get(f"/api/files/{made['id']}")).json() == {**made, "conversationId": one}
    assert (await local.get(f"/api/files/{made['id']}/content")).content == data

"""What a file is, and how large its picture, from its own bytes."""

import io

import pytest
from tests.pictures import PDF, gif, jpeg, png, webp
from tests.work import within

from prosa.kit.media import HEAD, dimensions, media_type

PICTURES = [
    ("image/png", png(640, 480)), ("image/gif", gif(640, 480)), ("image/jpeg", jpeg(640, 480)),
    ("image/webp", webp(b"VP8 ", 640, 480)), ("image/webp", webp(b"VP8L", 640, 480)), ("image/webp", webp(b"VP8X", 640, 480)),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), PICTURES)
def test_pictures(kind: str, data: bytes) -> None:
    assert media_type(data[:HEAD]) == kind
    assert dimensions(kind, io.BytesIO(data)) == (640, 480)


@pytest.mark.parametrize(("kind", "data"), PICTURES)
def test_any_beginning_of_a_picture_is_no_fault(kind: str, data: bytes) -> None:
    for length in range(len(data)):
        assert dimensions(kind, io.BytesIO(data[:length])) in (None, (640, 480))


@pytest.mark.parametrize(
    "data",
    [b"", b"RIFF....WAVEfmt ", b"\x89PNG", b"<svg xmlns='x'/>", b"<html>", b"PK\x03\x04", b"MZ", b" %PDF-1.4", b"GIF88a"],
)  # fmt: skip
def test_what_is_none_of_them(data: bytes) -> None:
    assert media_type(data) is None


def test_a_pdf() -> None:
    assert media_type(PDF[:HEAD]) == "application/pdf"


@pytest.mark.parametrize(
    ("kind", "data"), [("image/png", png(0, 3)), ("image/gif", gif(2, 0)), ("image/jpeg", jpeg(2, 0))]
)
def test_a_size_of_nothing_is_none(kind: str, data: bytes) -> None:
    assert dimensions(kind, io.BytesIO(data)) is None


def test_a_jpeg_that_never_comes_to_its_size() -> None:
    with within(1):
        assert dimensions("image/jpeg", io.BytesIO(jpeg(before=b"\xff\xfe\0\x02" * 1_000_000))) is None
        assert dimensions("image/jpeg", io.BytesIO(b"\xff\xd8" + b"\xff" * 3_000_000)) is None
    assert dimensions("image/jpeg", io.BytesIO(jpeg(5, 6, before=b"\xff\xe1\xff\xff" + b"\0" * 65_533))) == (
        5,
        6,
    )

"""Which files are taken, and how large they may be: decided by what is in them."""

import codecs

from msgspec import Struct

from prosa.domain.files import (
    MEGABYTE,
    EmptyFile,
    FileKind,
    FileRefused,
    FileTooLarge,
    ImageTooLarge,
    InvalidFile,
)
from prosa.kit import media

MOST_BYTES = 32 * MEGABYTE
"""Of any file: more than this no provider takes with a message."""

LONGEST_SIDE, MOST_PIXELS = 16_384, 64_000_000
"""Of a picture: whoever opens it needs four bytes for each of its pixels."""

_IMAGE, _PDF, _TEXT = 20 * MEGABYTE, 32 * MEGABYTE, 2 * MEGABYTE

_PLAIN = "text/plain"
_LABELS = {"md": "text/markdown", "markdown": "text/markdown", "csv": "text/csv", "json": "application/json"}
"""What a text is called by the ending of its name. All else is plain: a page or a drawing that could run
something is never called what it is."""


class Rules(Struct, frozen=True):
    """What the operator allows: bytes of a file, and of all files of a user together (None: any number)."""

    most_bytes: int = MOST_BYTES
    most_of_user: int | None = None


class Found(Struct, frozen=True):
    """What a file turned out to be."""

    media_type: str
    kind: FileKind
    size: int


class Inspection:
    """Looks at a file's bytes as they come. `name` only tells one text from another."""

    def __init__(self, name: str, rules: Rules) -> None:
        self._name = name
        self._most = rules.most_bytes
        self._head = b""
        self._type: str | None = None
        self._size = 0
        self._text = codecs.getincrementaldecoder("utf-8")()

    def see(self, chunk: bytes) -> None:
        """The next bytes. Raises FileRefused, FileTooLarge."""
        self._size += len(chunk)
        if self._type is None:
            self._head += chunk
            if len(self._head) < media.HEAD:
                return
            self._decide()
        else:
            self._read(chunk)
        self._check_size()

    def end(self) -> Found:
        """There are no more bytes. Raises EmptyFile, FileRefused, FileTooLarge."""
        if not self._size:
            raise EmptyFile
        if self._type is None:
            self._decide()
            self._check_size()
        self._read(b"", last=True)
        assert self._type is not None
        kind = FileKind.IMAGE if self._type.startswith("image/") else FileKind.DOCUMENT
        return Found(self._type, kind, self._size)

    @property
    def _is_text(self) -> bool:
        return self._type in (_PLAIN, *_LABELS.values())

    def _decide(self) -> None:
        self._type = media.media_type(self._head) or _LABELS.get(
            self._name.rpartition(".")[2].lower(), _PLAIN
        )
        self._read(self._head)

    def _read(self, chunk: bytes, *, last: bool = False) -> None:
        """A text must be one to its end. Raises FileRefused."""
        if not self._is_text:
            return
        try:
            self._text.decode(chunk, last)
        except UnicodeDecodeError:
            raise FileRefused from None
        if b"\0" in chunk:
            raise FileRefused

    def _check_size(self) -> None:
        of_kind = _TEXT if self._is_text else _PDF if self._type == "application/pdf" else _IMAGE
        limit = min(self._most, of_kind)
        if self._size > limit:
            raise FileTooLarge(limit)


def check_size(size: media.Size | None) -> media.Size:
    """Of a picture. Raises InvalidFile where it says none, ImageTooLarge."""
    if size is None:
        raise InvalidFile
    width, height = size
    if max(size) > LONGEST_SIDE or width * height > MOST_PIXELS:
        raise ImageTooLarge(width, height, LONGEST_SIDE, MOST_PIXELS)
    return size

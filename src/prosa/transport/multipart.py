"""The one file of a multipart form (RFC 7578), read as it comes: no more than a chunk is ever held."""

from collections import deque
from collections.abc import AsyncIterator

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from prosa.domain.errors import InvalidRequest

ONE_FILE = "the form must hold one file, in the field `file`, and nothing else."
NO_BOUNDARY = "Content-Type must tell the boundary of the form, of at most 256 bytes."


class Upload:
    """`name` is there once `begin` has returned; then `data` gives the file's bytes."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes], field: str = "file") -> None:
        """Raises InvalidRequest where `content_type` tells no boundary."""
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        self.name = ""
        self._field = field.encode()
        self._chunks = chunks
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytearray, bytearray] = bytearray(), bytearray()
        self._begun = self._opened = self._ended = False
        self._ready: deque[bytes] = deque()
        if not boundary:
            raise InvalidRequest(NO_BOUNDARY)
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._open,
                    "on_part_data": lambda data, start, end: self._ready.append(data[start:end]),
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise InvalidRequest(NO_BOUNDARY) from None

    async def begin(self) -> None:
        """Reads to where the file begins. Raises InvalidRequest, and what the chunks raise."""
        while not self._opened:
            await self._more()

    async def data(self) -> AsyncIterator[bytes]:
        """Raises InvalidRequest where the form breaks off or holds more than the file."""
        while True:
            while self._ready:
                yield self._ready.popleft()
            if self._ended:
                return
            await self._more()

    async def _more(self) -> None:
        async for chunk in self._chunks:
            try:
                self._parser.write(chunk)
            except FormParserError:
                raise InvalidRequest("the body is no multipart form.") from None
            return
        raise InvalidRequest("the form breaks off before its end.")

    def _begin(self) -> None:
        if self._begun:
            raise InvalidRequest(ONE_FILE)
        self._begun = True

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = bytearray(), bytearray()

    def _open(self) -> None:
        disposition = self._headers.get(b"content-disposition", b"").decode("latin-1")
        kind, options = parse_options_header(disposition)
        if kind != b"form-data" or options.get(b"name") != self._field or b"filename" not in options:
            raise InvalidRequest(ONE_FILE)
        self.name = options[b"filename"].decode("utf-8", "replace")
        self._opened = True

    def _end(self) -> None:
        if not self._opened:
            raise InvalidRequest(ONE_FILE)
        self._ended = True

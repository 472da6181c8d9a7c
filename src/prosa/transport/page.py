"""The page that comes with Prosa, and the API's description for people: nothing of it from elsewhere."""

import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.types import Receive, Scope, Send

from prosa.domain.errors import NoSuchRoute
from prosa.transport.errors import Headers
from prosa.transport.identity import header
from prosa.transport.operation import Door, respond

_UNBUILT = b"The page is not built. Run `make setup` in a checkout, or install Prosa's wheel.\n"


class Page:
    """Every file is read once, at the start: they are few and small."""

    route = "/{path}"

    def __init__(self, door: Door, headers: Headers) -> None:
        """`headers` go with every file."""
        self._door = door
        self._headers = headers
        self._files = dict(_walk(files("prosa") / "page", ""))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        path = scope["path_params"]["path"] if "path_params" in scope else ""
        name = path.lstrip("/")
        if scope["method"] not in ("GET", "HEAD"):
            await self._refuse(name, scope, send)
        elif name == "docs":
            await respond(send, 307, [(b"location", b"docs/")], b"")
        elif not name and not self._files:
            await respond(send, 503, [(b"content-type", b"text/plain")], _UNBUILT)
        elif (found := self._found(name)) is None:
            await self._door.refuse(NoSuchRoute(), scope, send)
        else:
            await self._give(found, name, scope, send)

    def _found(self, name: str) -> "_File | None":
        return self._files.get(name) or self._files.get(f"{name}index.html")

    async def _refuse(self, name: str, scope: Scope, send: Send) -> None:
        if not name or name == "docs" or self._found(name):
            await self._door.refuse_method(b"GET, HEAD", scope, send)
        else:
            await self._door.refuse(NoSuchRoute(), scope, send)

    async def _give(self, found: "_File", name: str, scope: Scope, send: Send) -> None:
        cached = b"max-age=31536000, immutable" if name.startswith("assets/") else b"no-cache"
        headers: Headers = [
            (b"etag", found.etag),
            (b"cache-control", cached),
            *self._headers,
        ]
        if header(scope, b"if-none-match") == found.etag.decode():
            await respond(send, 304, headers, b"")
        else:
            await respond(send, 200, [(b"content-type", found.kind), *headers], found.data)


class _File:
    def __init__(self, name: str, data: bytes) -> None:
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        text = kind.startswith("text/") or kind in ("application/javascript", "image/svg+xml")
        self.kind = f"{kind}; charset=utf-8".encode() if text else kind.encode()
        self.data = data
        self.etag = b'"%b"' % hashlib.sha256(data).hexdigest()[:24].encode()


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, _File]]:
    if not folder.is_dir():
        return []
    found: list[tuple[str, _File]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found.extend(_walk(entry, f"{name}/"))
        else:
            found.append((name, _File(name, entry.read_bytes())))
    return found

"""A host of public keys on the loopback, and the keys that it publishes."""

import json
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

KEYS = {
    "rsa": RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    "rsa-256": RSAKey.generate_key(2048, {"kid": "rsa-256", "use": "sig", "alg": "RS256"}),
    "ec-256": ECKey.generate_key("P-256", {"kid": "ec-256"}),
    "ec-384": ECKey.generate_key("P-384", {"kid": "ec-384"}),
    "ec-521": ECKey.generate_key("P-521", {"kid": "ec-521"}),
    "ed": OKPKey.generate_key("Ed25519", {"kid": "ed", "alg": "EdDSA"}),
}
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
"""One that nobody publishes, under a name that is known."""


def published(*names: str) -> bytes:
    """The set of these keys (none named: all)."""
    return json.dumps({"keys": [KEYS[name].as_dict(private=False) for name in names or KEYS]}).encode()


def signed(claims: Any, algorithm: str, key: Any, **header: Any) -> str:
    """A token; `kid` in its header is the key's own, unless it says another (None: none)."""
    head = {"alg": algorithm, "kid": getattr(key, "kid", None), **header}
    head = {name: value for name, value in head.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
        return jwt.encode(head, claims, _bare(key), registry=registry)


def _bare(key: Any) -> Any:
    """The key without what it says that it is for. To take a private one in is slow: each once."""
    if id(key) not in _BARE:
        plain = {
            name: value for name, value in key.as_dict(private=True).items() if name not in ("alg", "use")
        }
        _BARE[id(key)] = key, import_key(plain)
    return _BARE[id(key)][1]


_BARE: dict[int, tuple[Any, Any]] = {}


class KeyHost:
    """`answer` is (status, headers, body) of each GET from now on; `asked` counts them."""

    def __init__(self) -> None:
        self.answer: tuple[int, dict[str, str], bytes] = (200, {}, published())
        self.asked = 0
        self.url = ""


@contextmanager
def keyhost() -> Iterator[KeyHost]:
    host = KeyHost()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked += 1
            status, headers, body = host.answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    host.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

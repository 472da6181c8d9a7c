"""The two doors that the load knocks at: the relay's and Prosa's. Each knows how a turn is asked for."""

import base64
import hashlib
import hmac
import http.client
import itertools
import json
import time

from bench.process import Process

TURNS_IN_A_CONVERSATION = 20


class Door:
    """`request` is the whole HTTP request of a turn; `prepare` makes what the turns need, unmeasured."""

    def __init__(self, process: Process, path: str) -> None:
        self.process = process
        self._path = path

    def prepare(self, connections: int, turns: int) -> None:
        pass

    def request(self, connection: int, turn: int) -> bytes:
        raise NotImplementedError

    def _post(self, body: dict[str, object], headers: str = "") -> bytes:
        data = json.dumps(body).encode()
        head = (
            f"POST {self._path} HTTP/1.1\r\nhost: 127.0.0.1:{self.process.port}\r\n"
            "content-type: application/json\r\naccept: text/event-stream\r\n"
            f"{headers}content-length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


class RelayDoor(Door):
    def __init__(self, process: Process, model: str) -> None:
        super().__init__(process, "/")
        self._model = model

    def request(self, connection: int, turn: int) -> bytes:
        return self._post({
            "model": self._model,
            "stream": True,
            "stream_options": {"include_usage": True},
            "messages": [{"role": "user", "content": f"Hello {connection}.{turn}"}],
        })  # fmt: skip


class ProsaDoor(Door):
    """Each connection is a user of its own, with a token where there is a `secret`, and has conversations of
    twenty turns."""

    def __init__(self, process: Process, model: str, secret: str | None = None) -> None:
        super().__init__(process, "/api/chat/send")
        self._model = model
        self._secret = secret
        self._headers: list[str] = []
        self._conversations: list[list[str]] = []

    def prepare(self, connections: int, turns: int) -> None:
        self._headers = [self._authorization(f"bench-{user}") for user in range(connections)]
        caller = http.client.HTTPConnection("127.0.0.1", self.process.port, timeout=30)
        each = range(-(-turns // TURNS_IN_A_CONVERSATION))
        self._conversations = [[self._conversation(caller, user) for _ in each] for user in self._headers]
        caller.close()

    def request(self, connection: int, turn: int) -> bytes:
        conversation = self._conversations[connection][turn // TURNS_IN_A_CONVERSATION]
        body: dict[str, object] = {
            "conversationId": conversation,
            "content": f"Hello {connection}.{turn}",
            "model": self._model,
        }
        return self._post(body, self._headers[connection])

    def _conversation(self, caller: http.client.HTTPConnection, authorization: str) -> str:
        name, _, value = authorization.strip().partition(": ")
        headers = {"content-type": "application/json"} | ({name: value} if name else {})
        caller.request("POST", "/api/conversations", "{}", headers)
        answer = caller.getresponse()
        said = answer.read()
        if answer.status != http.client.CREATED:
            raise RuntimeError(f"No conversation: {answer.status} {said[:300]!r}")
        return str(json.loads(said)["id"])

    def _authorization(self, user: str) -> str:
        if self._secret is None:
            return ""
        return f"authorization: Bearer {token(user, self._secret)}\r\n"


_serial = itertools.count()


def token(user: str, secret: str) -> str:
    """A JSON Web Token for a day (RFC 7519, HS256), different from every other."""
    now = int(time.time())
    claims = {"sub": user, "iat": now, "exp": now + 86_400, "jti": str(next(_serial))}
    signed = b".".join(_part(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return b".".join((signed, _part(signature))).decode()


def _part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")

"""A corpus of bad credentials: each is refused, wherever it comes, and nothing of it is logged or echoed."""

import base64
import hashlib
import hmac
import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import structlog
from joserfc.jwk import OctKey
from tests.keyhost import KEYS, STRANGER, KeyHost, keyhost, signed
from tests.wire.house import SECRET
from tests.wire.served import Served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from prosa.domain.access import written

ISSUER, AUDIENCE, PARTY = "https://id.example", "prosa", "https://app.example"
SOON = int(time.time()) + 1_800
GOOD = {"sub": "ana", "exp": SOON, "iss": ISSUER, "aud": AUDIENCE, "azp": PARTY}
CANARY = "canary-7f3a9c"
"""In every token: whoever tells of it, tells of this."""


class World(Served):
    """One with all checks on, a host of keys, and a key that signs embed tokens."""

    host: KeyHost
    client: httpx2.Client
    signer: dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with keyhost() as host:
        folder = tmp_path_factory.mktemp("tokens")
        settings = {
            "jwt_secret": SECRET,
            "jwks_url": host.url,
            "jwt_issuer": ISSUER,
            "jwt_audience": AUDIENCE,
        }
        with (
            World(folder, **settings, jwt_azp=PARTY) as world,
            httpx2.Client(trust_env=False) as world.client,
        ):
            world.host = host
            body = {"userId": "shop", "name": "shop", "scopes": ["embed"]}
            operator = {"Authorization": f"Bearer {hs(GOOD | {'roles': ['admin']})}"}
            answer = world.client.post(f"{world.url}/api/admin/api-keys", json=body, headers=operator)
            world.signer = answer.json()
            yield world


def part(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def hs(claims: object, secret: str = SECRET, **header: Any) -> str:
    """Signed with HMAC-SHA256, whatever the header says."""
    return raw_hs(part({"alg": "HS256", "typ": "JWT", "x": CANARY, **header}), part(claims), secret)


def raw_hs(head: str, claims: str, secret: str = SECRET) -> str:
    mac = hmac.digest(secret.encode(), f"{head}.{claims}".encode(), hashlib.sha256)
    return f"{head}.{claims}.{part(mac)}"


def without(*names: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name not in names} | more


def unsigned(algorithm: object) -> str:
    return f"{part({'alg': algorithm, 'x': CANARY})}.{part(GOOD)}."


def embed(world: World, claims: dict[str, Any], secret: str | None = None, **header: Any) -> str:
    key = OctKey.import_key((secret or world.signer["signingSecret"]).encode())
    return signed(claims, "HS256", key, **{"kid": world.signer["kid"], "x": CANARY, **header})


RSA_PEM = KEYS["rsa"].as_pem(private=False).decode()
EC_PEM = KEYS["ec-256"].as_pem(private=False).decode()
RSA_JSON = json.dumps(KEYS["rsa"].as_dict(private=False))
OWN = OctKey.generate_key(256)

Make = Callable[[World], str]
CORPUS: list[tuple[int, str, str | Make]] = [
    *((1, f"alg {name!r}", unsigned(name)) for name in ("none", "None", "NONE", "nOnE", "", None, 0, [], {"a": 1})),
    (1, "no alg", f"{part({'typ': 'JWT', 'x': CANARY})}.{part(GOOD)}."),
    (1, "none with the signature of another", unsigned("none") + hs(GOOD).rpartition(".")[2]),
    (1, "an empty signature", hs(GOOD).rpartition(".")[0] + "."),
    (1, "half a signature", hs(GOOD)[:-20]),
    (1, "no signature at all", hs(GOOD).rpartition(".")[0]),
    (1, "a changed signature", hs(GOOD)[:-4] + "AAAA"),
    (1, "other claims under a good signature", ".".join(
        [hs(GOOD).split(".")[0], part(GOOD | {"sub": CANARY}), hs(GOOD).split(".")[2]])),
    (2, "HS256 with the public key's PEM", hs(GOOD, RSA_PEM, kid="rsa")),
    (2, "HS256 with the public key's PEM and no name", hs(GOOD, RSA_PEM)),
    (2, "HS256 with the PEM of a curve", hs(GOOD, EC_PEM, kid="ec-256")),
    (2, "HS256 with the public key's JSON", hs(GOOD, RSA_JSON, kid="rsa")),
    (2, "RS256 in the header, the secret's HMAC behind", hs(GOOD, alg="RS256", kid="rsa")),
    (2, "HS384 with the right secret", signed(GOOD, "HS384", OctKey.import_key(SECRET.encode()), x=CANARY)),
    (2, "HS512 with the right secret", signed(GOOD, "HS512", OctKey.import_key(SECRET.encode()), x=CANARY)),
    (2, "a key that nobody published, under a known name", signed(GOOD, "RS256", STRANGER, x=CANARY)),
    (2, "a key that nobody published, without a name", signed(GOOD, "RS256", STRANGER, kid=None, x=CANARY)),
    (2, "an unknown name", signed(GOOD, "RS256", KEYS["rsa"], kid=CANARY)),
    (2, "a key for another algorithm", signed(GOOD, "PS256", KEYS["rsa-256"], x=CANARY)),
    (2, "a key of another kind", signed(GOOD, "ES256", KEYS["ec-256"], kid="rsa", x=CANARY)),
    (2, "a curve in place of another", signed(GOOD, "ES384", KEYS["ec-384"], kid="ec-256", x=CANARY)),
    (2, "a name that is no text", signed(GOOD, "RS256", KEYS["rsa"], kid=None, x=CANARY).replace(
        part({"alg": "RS256", "x": CANARY}), part({"alg": "RS256", "kid": {"a": CANARY}}))),
    (2, "two keys that could be meant", signed(GOOD, "RS256", KEYS["rsa"], kid=None, x=CANARY)),
    (3, "brings its key", hs(GOOD, OWN.as_dict()["k"], jwk=OWN.as_dict())),
    (3, "brings its public key", signed(GOOD, "RS256", STRANGER, jwk=STRANGER.as_dict(private=False), x=CANARY)),
    (3, "says where its key is", hs(GOOD, jku=f"http://127.0.0.1:9/{CANARY}")),
    (3, "says where its certificate is", hs(GOOD, x5u=f"http://127.0.0.1:9/{CANARY}")),
    (3, "brings its certificate", hs(GOOD, x5c=["MA=="])),
    (3, "wants more understood", hs(GOOD, crit=["bork"], bork=1)),
    (3, "wants nothing more understood", hs(GOOD, crit=[])),
    (5, "another issuer", hs(GOOD | {"iss": CANARY})),
    (5, "no issuer", hs(without("iss"))),
    (5, "an issuer of another kind", hs(GOOD | {"iss": [ISSUER]})),
    (5, "another audience", hs(GOOD | {"aud": CANARY})),
    (5, "other audiences", hs(GOOD | {"aud": [CANARY, "x"]})),
    (5, "no audience", hs(without("aud"))),
    (5, "another party", hs(GOOD | {"azp": CANARY})),
    (5, "no party", hs(without("azp"))),
    (5, "several parties", hs(GOOD | {"azp": [PARTY]})),
    (5, "published key, another issuer", signed(GOOD | {"iss": CANARY}, "RS256", KEYS["rsa"])),
    (5, "published key, another audience", signed(GOOD | {"aud": CANARY}, "ES256", KEYS["ec-256"])),
    (5, "published key, another party", signed(GOOD | {"azp": CANARY}, "EdDSA", KEYS["ed"])),
    (5, "published key, expired", signed(GOOD | {"exp": 1}, "RS256", KEYS["rsa"], x=CANARY)),
    (5, "published key, reserved user", signed(GOOD | {"sub": f"prosa:desk:{CANARY}"}, "RS256", KEYS["rsa"])),
    (5, "no end", hs(without("exp"))),
    (5, "expired", hs(GOOD | {"exp": SOON - 7_200})),
    (5, "an end in words", hs(GOOD | {"exp": str(SOON)})),
    (5, "an end that is true", hs(GOOD | {"exp": True})),
    (5, "an end that is no number", raw_hs(part({"alg": "HS256", "x": CANARY}), part(GOOD).replace(part(GOOD), part(json.dumps(GOOD | {"exp": 0}).replace('"exp": 0', '"exp": NaN').encode())))),
    (5, "not yet", hs(GOOD | {"nbf": SOON})),
    (5, "not yet, in words", hs(GOOD | {"nbf": CANARY})),
    (5, "no user", hs(without("sub"))),
    (5, "several users", hs(GOOD | {"sub": ["ana", CANARY]})),
    (5, "a user without a name", hs(GOOD | {"sub": ""})),
    (5, "a user by number", hs(GOOD | {"sub": 7})),
    (5, "a user who is an owner of ours", hs(GOOD | {"sub": "prosa:guest:shop:u"})),
    (5, "a user with a NUL", hs(GOOD | {"sub": f"{CANARY}\0"})),
    (5, "half a character", hs(GOOD | {"sub": f"{CANARY}\ud800"})),
    (5, "an endless user", hs(GOOD | {"sub": CANARY * 30})),
    (5, "a client by number", hs(GOOD | {"client_id": 7})),
    (5, "a sign-in link", hs(GOOD | {"aud": "prosa-sign-in", "jti": CANARY})),
    (8, "claims that are a list", hs([GOOD, CANARY])),
    (8, "claims that are no JSON", raw_hs(part({"alg": "HS256"}), part(f"{{{CANARY}".encode()))),
    (8, "a header that is no JSON", raw_hs(part(f"{{{CANARY}".encode()), part(GOOD))),
    (8, "a header that is a list", raw_hs(part(["HS256", CANARY]), part(GOOD))),
    (8, "a header of great depth", raw_hs(part(b"[" * 3_000 + CANARY.encode()), part(GOOD))),
    (8, "five parts", f"{hs(GOOD)}.{part(CANARY)}.{part(CANARY)}"),
    (8, "a name for SQL", f"'OR'1'='1'{CANARY}"),
    (8, "dots", f"...{CANARY}..."),
    (8, "64 KB", CANARY * 5_000),
    (8, "a key of nobody", written("01900000-0000-7000-8000-000000000000", f"{CANARY:A<43}")),
    (8, "the beginning of a key", f"prosa-{CANARY}"),
    (8, "embed: unknown key", lambda w: embed(w, {"sub": CANARY, "exp": SOON}, kid="embed-" + "0" * 32)),
    (8, "embed: no such name", lambda w: embed(w, {"sub": CANARY, "exp": SOON}, kid=f"embed-{CANARY}")),
    (8, "embed: our own secret", lambda w: embed(w, {"sub": CANARY, "exp": SOON}, SECRET)),
    (8, "embed: good for a day", lambda w: embed(w, {"sub": CANARY, "exp": SOON + 86_400})),
    (8, "embed: no end", lambda w: embed(w, {"sub": CANARY})),
    (8, "embed: more than a guest may", lambda w: embed(w, {"sub": CANARY, "exp": SOON, "scopes": ["admin"]})),
    (8, "embed: another client", lambda w: embed(w, {"sub": CANARY, "exp": SOON, "client_id": CANARY})),
    (8, "embed: the key itself", lambda w: w.signer["signingSecret"]),
    (8, "embed: RS256", lambda w: signed({"sub": CANARY, "exp": SOON}, "RS256", KEYS["rsa"], kid=w.signer["kid"])),
]  # fmt: skip


def by_header(world: World, token: str) -> tuple[int, str]:
    return _asked(world, {"Authorization": f"Bearer {token}"})


def by_cookie(world: World, token: str) -> tuple[int, str]:
    return _asked(world, {"Cookie": f"prosa_session={token}"})


def _asked(world: World, headers: dict[str, str]) -> tuple[int, str]:
    answer = world.client.get(f"{world.url}/api/session", headers=headers)
    return answer.status_code, answer.text + str(answer.headers)


def by_subprotocol(world: World, token: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        _connected(world, ["prosa", f"bearer.{token}"])
    response = refused.value.response
    return response.status_code, response.body.decode() + str(response.headers)


def by_first_message(world: World, token: str) -> tuple[int, str]:
    with _connected(world, ["prosa"]) as socket:
        socket.send(json.dumps({"type": "auth", "token": token}))
        heard = []
        with suppress(ConnectionClosed):
            while True:
                heard.append(str(socket.recv(timeout=10)))
        assert socket.close_code is not None
        return socket.close_code - 4_000, "".join(heard) + str(socket.close_reason)


def _connected(world: World, subprotocols: list[Any]) -> Any:
    url = world.url.replace("http", "ws", 1) + "/api/websocket/chat/1"
    return connect(url, subprotocols=subprotocols, proxy=None)


SAYABLE = re.compile(r"[A-Za-z0-9._-]+")
"""What can be said as a subprotocol."""

WAYS = (by_header, by_cookie, by_subprotocol, by_first_message)


def test_the_corpus_is_one() -> None:
    assert len({name for _, name, _ in CORPUS}) == len(CORPUS) >= 40


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_good_ones_are_let_in(world: World, way: Any) -> None:
    """So that it is not for another reason that all others are refused."""
    good = [
        hs(GOOD),
        signed(GOOD, "RS256", KEYS["rsa"]), signed(GOOD, "PS256", KEYS["rsa"]), signed(GOOD, "RS256", KEYS["rsa-256"]),
        signed(GOOD, "ES256", KEYS["ec-256"]), signed(GOOD, "ES384", KEYS["ec-384"]), signed(GOOD, "ES512", KEYS["ec-521"]),
        signed(GOOD, "EdDSA", KEYS["ed"]), signed(GOOD, "ES256", KEYS["ec-256"], kid=None),
        embed(world, {"sub": "u", "exp": SOON}),
    ]  # fmt: skip
    for token in good:
        if way in (by_header, by_cookie):
            assert way(world, token)[0] == 200
        else:
            offered = ["prosa", f"bearer.{token}"] if way is by_subprotocol else ["prosa"]
            with _connected(world, offered) as socket:
                if way is by_first_message:
                    socket.send(json.dumps({"type": "auth", "token": token}))
                socket.send(json.dumps({"type": "ping"}))
                assert json.loads(socket.recv(timeout=10)) == {"type": "pong"}


@pytest.mark.parametrize(
    ("token", "way"),
    [
        pytest.param(token, way, id=f"{name}-{way.__name__}", marks=pytest.mark.hostile(case))
        for case, name, token in CORPUS
        for way in WAYS
        if way is not by_subprotocol or callable(token) or SAYABLE.fullmatch(token)
    ],
)
def test_a_bad_one_is_refused_and_never_told(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], token: Any, way: Any
) -> None:
    made = token if isinstance(token, str) else token(world)
    caplog.set_level(logging.INFO)
    with structlog.testing.capture_logs() as logged:
        status, told = way(world, made)
    # A header of the request for a socket has 8 KB at most: the server itself says so.
    assert status == (431 if way is by_subprotocol and len(made) > 8_192 else 401)
    written_out = told + repr(logged) + caplog.text + "".join(capfd.readouterr())
    pieces = [piece for piece in made.split(".") if len(piece) > 12]
    for secret in (CANARY, made, *pieces):
        assert secret not in written_out


@pytest.mark.hostile(6)
def test_whatever_is_thrown_at_it_the_keys_are_asked_for_once_a_minute(world: World) -> None:
    before = world.host.asked
    assert before <= 1
    for number in range(30):
        token = signed(GOOD, "RS256", KEYS["rsa"], kid=f"k{number}")
        assert by_header(world, token)[0] == 401
    assert world.host.asked <= 1
    world.host.answer = 500, {}, b""
    assert by_header(world, signed(GOOD, "RS256", KEYS["rsa"], y=1))[0] == 200

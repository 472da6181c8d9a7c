"""What tests of keys, suspensions and embed tokens have in common: where they are, and how one comes with each."""

import time
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.wire.house import House

KEYS, ADMIN_KEYS, SUSPENSIONS = "/api/api-keys", "/api/admin/api-keys", "/api/admin/suspensions"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def made(house: House, user: str = "ana", **fields: Any) -> dict[str, Any]:
    """A key that an operator makes for a user."""
    body = {"userId": user, "name": "a key", **fields}
    answer = await house.post(ADMIN_KEYS, body, user="op", roles=["admin"])
    assert answer.status_code == 201, answer.text
    return answer.json()


async def admin(house: House, method: str, path: str, body: Any = None, **more: Any) -> httpx2.Response:
    return await house.call(method, path, body, user="op", roles=["admin"], **more)


def signed(key: dict[str, Any], claims: dict[str, Any], **header: Any) -> str:
    head = {"alg": "HS256", "kid": key["kid"], **header}
    return jwt.encode(head, claims, OctKey.import_key(key["signingSecret"].encode()))


def soon(seconds: int = 600) -> int:
    return int(time.time()) + seconds

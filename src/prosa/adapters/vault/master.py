"""One master key: what it was given as, its name, and how it seals."""

import base64
import binascii
import hashlib
import os
from functools import cached_property
from typing import TYPE_CHECKING, Final

from msgspec import msgpack

from prosa.domain.errors import SealBroken
from prosa.domain.keys import Place

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SIZE = 32
NONCE = 12
HEX, BASE64 = 2 * SIZE, (43, 44)
_FORM = b"\x01"
"""The first byte of all that is sealed: which cipher and which layout."""
_NAMING: Final = b"prosa: the name of a master key"


class Master:
    """AES-256-GCM under `key` (32 bytes). The key shows in no `repr` and no error."""

    def __init__(self, key: bytes) -> None:
        assert len(key) == SIZE
        self._key = key

    @cached_property
    def name(self) -> str:
        """Tells it from others, and nothing of the key."""
        return hashlib.blake2b(_NAMING, key=self._key, digest_size=8).hexdigest()

    @property
    def hex(self) -> str:
        """The key itself, for the file that keeps it."""
        return self._key.hex()

    def seal(self, secret: str, place: Place) -> bytes:
        nonce = os.urandom(NONCE)
        return _FORM + nonce + self._cipher.encrypt(nonce, secret.encode(), _bound(place))

    def open(self, data: bytes, place: Place) -> str:
        """Raises SealBroken."""
        from cryptography.exceptions import InvalidTag

        form, nonce, sealed = data[:1], data[1 : 1 + NONCE], data[1 + NONCE :]
        if form != _FORM or len(nonce) != NONCE:
            raise SealBroken
        try:
            return self._cipher.decrypt(nonce, sealed, _bound(place)).decode()
        except (InvalidTag, ValueError):
            raise SealBroken from None

    @cached_property
    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(self._key)


def fresh() -> Master:
    """A new one, by chance."""
    return Master(os.urandom(SIZE))


def given(text: str) -> Master:
    """From 32 bytes in hex or base64; anything else is a passphrase and goes through scrypt (RFC 7914,
    N=2^14, r=8, p=1), whose salt is fixed: every node must come to the same key without asking another."""
    text = text.strip()
    raw = _from_hex(text) or _from_base64(text)
    if raw is None:
        raw = hashlib.scrypt(text.encode(), salt=b"prosa: master key", n=2**14, r=8, p=1, dklen=SIZE)
    return Master(raw)


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) == HEX else None
    except ValueError:
        return None


def _from_base64(text: str) -> bytes | None:
    if len(text) not in BASE64:
        return None
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(plain + "=", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) == SIZE else None


def _bound(place: Place) -> bytes:
    """The additional data: its parts can't run into each other."""
    return msgpack.encode((place.table, place.row, place.provider, place.owner))

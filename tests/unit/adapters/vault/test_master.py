"""One master key: what it seals opens in its own place alone, and what it was given as may have several forms."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.adapters.vault import master as m
from prosa.adapters.vault.master import Master, fresh
from prosa.domain.errors import SealBroken
from prosa.domain.keys import Place

KEYS = st.binary(min_size=32, max_size=32)
NAMES = st.text(max_size=20)
PLACES = st.builds(Place, NAMES, NAMES, NAMES, NAMES)
HERE = Place("provider_keys", "1", "openai", "operator")
RAW = bytes(range(32))


@given(KEYS, st.text(), PLACES)
def test_what_is_sealed_opens(key: bytes, secret: str, place: Place) -> None:
    sealed = Master(key).seal(secret, place)
    assert Master(key).open(sealed, place) == secret
    assert secret.encode() not in sealed or len(secret) < 8


@pytest.mark.hostile(22)
@given(KEYS, PLACES, PLACES)
def test_it_opens_in_no_other_place(key: bytes, here: Place, there: Place) -> None:
    sealed = Master(key).seal("secret", here)
    if here == there:
        assert Master(key).open(sealed, there) == "secret"
    else:
        with pytest.raises(SealBroken):
            Master(key).open(sealed, there)


@given(st.text("ab", max_size=3), st.text("ab", max_size=3))
def test_the_parts_of_a_place_do_not_run_into_each_other(one: str, other: str) -> None:
    sealed = fresh().seal("secret", HERE)
    assert sealed != fresh().seal("secret", HERE)
    key = fresh()
    moved = Place("provider_keys", one + other, "", "operator")
    sealed = key.seal("secret", Place("provider_keys", one, other, "operator"))
    if other:
        with pytest.raises(SealBroken):
            key.open(sealed, moved)


@given(KEYS, KEYS)
def test_no_other_key_opens_it(key: bytes, other: bytes) -> None:
    sealed = Master(key).seal("secret", HERE)
    if key != other:
        assert Master(key).name != Master(other).name
        with pytest.raises(SealBroken):
            Master(other).open(sealed, HERE)


@given(KEYS, st.data())
def test_a_changed_bit_is_noticed(key: bytes, data: st.DataObject) -> None:
    sealed = bytearray(Master(key).seal("secret", HERE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealBroken):
        Master(key).open(bytes(sealed), HERE)


@given(st.binary(max_size=60))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(SealBroken):
        Master(RAW).open(data, HERE)


@given(KEYS)
def test_the_forms_of_a_key(key: bytes) -> None:
    for text in (
        key.hex(),
        key.hex().upper(),
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode().rstrip("="),
        f" {key.hex()}\n",
    ):
        assert m.given(text).hex == key.hex()


@pytest.mark.parametrize(
    "phrase",
    ["correct horse battery staple, thrice over", "g" * 64, "á" * 32, "!" * 43, base64.b64encode(RAW + b"x").decode()],
)  # fmt: skip
def test_a_passphrase_is_stretched(phrase: str) -> None:
    made = m.given(phrase)
    assert made.hex == m.given(phrase).hex != m.given(phrase + "x").hex
    assert len(made.hex) == 64


def test_a_key_shows_nowhere() -> None:
    made = Master(RAW)
    with pytest.raises(SealBroken) as caught:
        made.open(b"", HERE)
    for shown in (repr(made), str(made), str(caught.value), made.name):
        assert RAW.hex()[:16] not in shown

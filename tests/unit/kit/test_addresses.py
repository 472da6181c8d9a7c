"""Which addresses are the internet's: the tricks by which others are made to look so, and plain ones."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prosa.kit.addresses import public

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "127.255.255.255", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255",
    "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "100.64.0.1", "100.127.255.255",
    "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255", "198.51.100.7",
    "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1",
    "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8",
    "2002:7f00:1::", "2002:a9fe:a9fe::", "2002:808:808::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1", "2001:10::1", "2001:20::1", "3fff::1", "3ffe::1", "5f00::1", "100::1", "fe80::1",
    "fe80::1%lo", "2606:4700::1111%eth0", "fec0::1", "fc00::1", "fd12:3456:789a::1", "ff02::1", "4000::1",
]  # fmt: skip

PUBLIC = [
    "8.8.8.8", "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
]  # fmt: skip

NONE = [
    "", "localhost", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1:80", "[::1]", "1.1.1.1.",
    " 8.8.8.8", "8.8.8.8\n", "example.org", "\uff11.1.1.1", "8.8.8", "8.8.8.08",
]  # fmt: skip


@pytest.mark.hostile(28)
@pytest.mark.parametrize("address", [*PRIVATE, *NONE])
def test_what_leads_home_or_nowhere(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_the_internets(address: str) -> None:
    assert public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_knows_as_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not public(str(address))


@given(st.ip_addresses(v=4))
def test_an_address_in_anothers_clothes_is_what_it_is(address: ipaddress.IPv4Address) -> None:
    for mask in ("::ffff:", "64:ff9b::"):
        assert public(f"{mask}{address}") == public(str(address))

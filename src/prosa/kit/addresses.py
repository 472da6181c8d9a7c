"""Which network addresses are the open internet's, and which lead home: to this machine or its network."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NOT_PUBLIC_4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
        "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
"""IANA's registry of special IPv4 addresses, whole: none of them is a host of the internet. The last two
blocks are multicast, and what is reserved or broadcast."""

_PUBLIC_6 = IPv6Network("2000::/3")
"""All that is handed out as global unicast (RFC 4291, 2.4). Without it go loopback, unique local, link-local,
site-local, multicast, and addresses that hold an IPv4 one."""

_NOT_PUBLIC_6 = tuple(
    IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3ffe::/16", "3fff::/20")
)
"""Within it: protocols (Teredo, ORCHID, …), examples, 6to4, AS112, the old test network."""

_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
"""Their last 32 bits are the IPv4 address that is really reached (RFC 4291, 2.5.5.2; RFC 6052)."""


def public(address: str) -> bool:
    """Whether `address` (as text, IPv4 or IPv6) is a host's on the internet. What is no address is not."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv6Address) and (found in _MAPPED or found in _NAT64):
        found = IPv4Address(int(found) & 0xFFFF_FFFF)
    if isinstance(found, IPv4Address):
        return not any(found in block for block in _NOT_PUBLIC_4)
    return (
        found.scope_id is None and found in _PUBLIC_6 and not any(found in block for block in _NOT_PUBLIC_6)
    )

"""Connections to the open internet alone: an address is judged at the moment when it is connected to."""

import socket
from typing import TYPE_CHECKING

import aiohttp

from prosa.kit.addresses import public

if TYPE_CHECKING:
    from aiohappyeyeballs import AddrInfoType


class AddressRefused(OSError):
    """A name led to an address that is not the internet's."""


def connector(*, allow_private: bool) -> aiohttp.TCPConnector:
    """Whatever a name resolved to before, and whoever resolved it: the socket is made for the very address
    that is connected to, or not at all."""
    return aiohttp.TCPConnector(socket_factory=None if allow_private else _guarded)


def _guarded(info: "AddrInfoType") -> socket.socket:
    family, kind, proto, _, address = info
    if family not in {socket.AF_INET, socket.AF_INET6} or not public(str(address[0])):
        raise AddressRefused("the address is not public")
    return socket.socket(family, kind, proto)

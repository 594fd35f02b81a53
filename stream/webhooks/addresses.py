"""Where a request may go: judged when the socket is made, so that no name gets around it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from typing import Any

#: Prefixes behind which an IPv4 address hides: NAT64 (RFC 6052) and 6to4 (RFC 3056).
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefused(OSError):
    """An address that requests must not go to."""


def socket_factory(*, allow_private: bool, loopback_only: bool) -> Callable[[Any], socket.socket]:
    """What makes sockets for aiohttp's connector, given the address that was resolved.

    Parameters
    ----------
    allow_private
        Private, loopback and other addresses that are not of the public internet are good too.
    loopback_only
        For http: without TLS nothing may leave this machine.
    """

    def make(info: Any) -> socket.socket:  # noqa: ANN401 - as getaddrinfo gives it
        family, kind, proto, _, address = info
        check(str(address[0]), allow_private=allow_private, loopback_only=loopback_only)
        made = socket.socket(family, kind, proto)
        made.setblocking(False)  # noqa: FBT003 - socket's
        return made

    return make


def check(text: str, *, allow_private: bool, loopback_only: bool) -> None:
    """Let an address pass, or not.

    Raises
    ------
    AddressRefused
        It is not one that requests may go to.
    """
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if loopback_only and not address.is_loopback:
        raise AddressRefused(f"{text} is not a loopback address, and http is for those alone")
    if not allow_private and (not address.is_global or address.is_multicast):
        raise AddressRefused(f"{text} is no address of the public internet (allow_private)")


def _meant(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address

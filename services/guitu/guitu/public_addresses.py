"""Keeps requests to addresses that others chose out of our own networks (server-side request forgery).

A name is resolved once, judged, and connected to as judged: a second look-up could answer differently (DNS
rebinding). What counts as public is the IANA registry of special-purpose addresses as Python's `ipaddress` has it,
looked at through the forms that hide an IPv4 address in an IPv6 one (mapped, 6to4, Teredo, NAT64).
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

_NAT64 = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""The IPv6 space from which global addresses are given out (IANA); site-local and IPv4-compatible lie outside."""


class PrivateAddress(Exception):
    """The name leads to no public address. Not an OSError, so that nobody takes it for a failure of the network."""


class PublicOnly(AbstractResolver):
    """Resolves names to their public addresses. Raises: PrivateAddress, if a name has none."""

    def __init__(self, resolver: AbstractResolver | None = None) -> None:
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of `host`."""
        found = [one for one in await self._resolver.resolve(host, port, family) if is_public(one["host"])]
        if not found:
            raise PrivateAddress
        return found

    async def close(self) -> None:
        """Nothing is kept open."""
        await self._resolver.close()


def refusal_of(url: str, *, private_ok: bool) -> str:
    """Why an address that somebody else chose is not called, as a code; empty if it may be.

    Only https, or http to this machine itself where `private_ok`; a name is judged again when it is resolved.
    """
    try:
        parts = urlsplit(url)
        # The host as the client will read it: full-width digits and ideographic stops become an IP address there,
        # and what is an address already is connected to without being resolved.
        host, _ = URL(url).host or "", parts.port
    except ValueError:
        return "bad_address"
    if not host or parts.username is not None or parts.scheme not in ("http", "https"):
        return "bad_address"
    if parts.scheme == "http" and not is_loopback(host):
        return "not_https"
    if private_ok:
        return ""
    return "private_address" if is_loopback(host) or (is_literal(host) and not is_public(host)) else ""


def is_public(address: str) -> bool:
    """Say whether an IP address belongs to the internet at large; what is no IP address does not."""
    try:
        ip = ip_address(address.strip("[]"))
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and not (ip in _UNICAST or ip in _NAT64 or ip.ipv4_mapped):
        return False
    return all(one.is_global and not one.is_multicast for one in (ip, *_hidden(ip)))


def is_loopback(host: str) -> bool:
    """Say whether a host of an address is this machine by its very name."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def is_literal(host: str) -> bool:
    """Say whether a host is an IP address already, which is connected to without being resolved."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _hidden(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    if isinstance(ip, IPv4Address):
        return []
    inside = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inside.append(IPv4Address(int(ip) & 0xFFFFFFFF))
    return [one for one in inside if one is not None]

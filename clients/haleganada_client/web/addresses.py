"""Addresses of browsers and programs, as far as they tell one from another."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

_SUBNET_BITS = 64


@lru_cache(4096)
def network_of(address: str) -> str:
    """Return under which name an address is counted: an IPv6 address by its first 64 bits, because one machine may take
    any of those that begin with them (RFC 7421); others as they are.
    """
    try:
        found = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return address if found.is_loopback else str(IPv6Network((found, _SUBNET_BITS), strict=False))

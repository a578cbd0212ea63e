"""Addresses of callers, as far as they tell one caller from another."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network

_SUBNET_BITS = 64


@lru_cache(4096)  # a connection makes many calls
def network_of(address: str) -> str:
    """Return under which name whoever calls from an address is counted: an IPv6 address by its first 64 bits, as
    "2001:db8::/64", because one machine may take any of those that begin with them (RFC 7421); others as they are.
    address: without port, IPv6 in brackets or not.
    """
    try:
        found = IPv6Address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return address if found.is_loopback else str(IPv6Network((found, _SUBNET_BITS), strict=False))

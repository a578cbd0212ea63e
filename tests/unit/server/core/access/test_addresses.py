"""By what callers are told apart where they have no token."""

from __future__ import annotations

import pytest
from haleganada_client.web import addresses as of_the_page
from haleganada_server.core.access.addresses import network_of
from haleganada_server.core.access.identity import Caller
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:db8:1:2:3:4:5:6]", "2001:db8:1:2::/64"),
        ("[fe80::1%eth0]", "fe80::/64"),
        ("[::ffff:192.0.2.1]", "192.0.2.1"),
        ("unix", "unix"),
        ("", ""),
    ],
)
def test_examples(address: str, network: str) -> None:
    assert network_of(address) == network
    bare = address.strip("[]")
    assert of_the_page.network_of(bare) == network.strip("[]")


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_who_changes_only_the_end_of_an_address_stays_who_they_were(address: object, end: int) -> None:
    packed = int(address) >> 64 << 64  # type: ignore[call-overload]
    one, other = (type(address)(packed + last) for last in (2, 2 + end % (2**64 - 2)))  # type: ignore[call-arg]
    if one.ipv4_mapped is None and other.ipv4_mapped is None:  # type: ignore[attr-defined]
        assert Caller("local", f"[{one}]").share == Caller("local", f"[{other}]").share

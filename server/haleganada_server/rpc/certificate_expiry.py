"""When a certificate ends. Python's ssl tells that of a peer's certificate only, so a client in memory asks."""

from __future__ import annotations

import ssl
from contextlib import suppress
from pathlib import Path

_ANY_TIME = ssl.VerifyFlags(0x200000)
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, for which Python has no name: one that has expired is asked, too."""


def read_expiry(server: ssl.SSLContext, chain: Path) -> float:
    """Return when the certificate that a server's context shows ends, in seconds since 1970.

    chain: the PEM file that the context has it from. Raises ssl.SSLError if it is none that a server may show.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(chain)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _ANY_TIME  # it is trusted itself, whoever has signed it
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server)
    showing = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (asking, showing, asking, showing, asking):  # TLS 1.2 takes turns once more than 1.3
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
    shown = asking.getpeercert()
    if not shown:
        raise ssl.SSLError("the handshake did not end")
    return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))

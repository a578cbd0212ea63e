"""When a certificate ends. Python's ssl tells that of a peer's certificate only, so the few bytes of the DER form that
say so are read here (RFC 5280, section 4.1).
"""

from __future__ import annotations

import ssl
from datetime import datetime, timezone

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_VERSION, _UTC_TIME = 0xA0, 0x17


def read_expiry(chain: bytes) -> float:
    """Return when the first certificate of a PEM file ends, in seconds since 1970. Raises ValueError."""
    text = chain.decode("ascii", errors="replace")
    start = text.index(_BEGIN)
    pem = text[start : text.index(_END, start) + len(_END)]
    der = ssl.PEM_cert_to_DER_cert(pem)
    try:
        return _parse_expiry(der)
    except IndexError:
        raise ValueError("the certificate is cut off") from None


def _parse_expiry(der: bytes) -> float:
    _, certificate, _ = _open(der, 0)
    _, at, _ = _open(der, certificate)
    tag, _, after = _open(der, at)
    at = after if tag == _VERSION else at
    for _ in ("serial number", "signature", "issuer"):
        _, _, at = _open(der, at)
    _, not_before, _ = _open(der, at)
    _, _, not_after = _open(der, not_before)
    tag, start, end = _open(der, not_after)
    form = "%y%m%d%H%M%SZ" if tag == _UTC_TIME else "%Y%m%d%H%M%SZ"
    moment = datetime.strptime(der[start:end].decode("ascii", errors="replace"), form)
    return moment.replace(tzinfo=timezone.utc).timestamp()


def _open(der: bytes, at: int) -> tuple[int, int, int]:
    """Return the tag of the value at a place, where its content begins, and where it ends."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    return tag, start, start + length

"""When certificates end, as openssl makes them."""

from __future__ import annotations

import ssl
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from haleganada_server.rpc.certificate_expiry import read_expiry

from tests.support.network.certificates import Pair, make_pair, needs_openssl

pytestmark = needs_openssl

DAY_S = 24 * 3600
AUTHORITY = """\
[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = names
[names]
commonName = supplied
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
"""


def sign(folder: Path, start: str, end: str, use: str = "server") -> Pair:
    """Make an authority, and a certificate that it signs for a time and a use; return the certificate."""
    make_pair(folder, "authority")
    (folder / "authority.cnf").write_text(AUTHORITY)
    (folder / "index.txt").touch()
    (folder / "serial").write_text("01")
    ask = "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    answer = "openssl ca -batch -notext -config authority.cnf -cert authority.pem -keyfile authority.key -in own.csr"
    times = ("-out", "own.pem", "-startdate", start, "-enddate", end, "-extensions", use)
    for line in ([*ask.split(), "-keyout", "own.key", "-out", "own.csr"], [*answer.split(), *times]):
        subprocess.run(line, check=True, capture_output=True, cwd=folder)
    return Pair(folder / "own.pem", folder / "own.key")


def read(pair: Pair, certificate: Path | None = None) -> float:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate or pair.certificate, pair.key)
    return read_expiry(context, certificate or pair.certificate)


def test_one_that_signs_itself(tmp_path: Path) -> None:
    assert abs(read(make_pair(tmp_path, "own")) - time.time() - 2 * DAY_S) < 3600


def test_one_that_has_expired(tmp_path: Path) -> None:
    assert (
        read(sign(tmp_path, "20200101000000Z", "20210203040506Z"))
        == datetime(2021, 2, 3, 4, 5, 6, tzinfo=timezone.utc).timestamp()
    )


def test_the_first_of_a_chain_also_behind_a_comment(tmp_path: Path) -> None:
    pair, chain = sign(tmp_path, "20200101000000Z", "20810101000000Z"), tmp_path / "chain.pem"
    authority = (tmp_path / "authority.pem").read_text()
    chain.write_text(f"Issuer: “authority”\n{pair.certificate.read_text()}{authority}", encoding="utf-8")
    assert read(pair, chain) == datetime(2081, 1, 1, tzinfo=timezone.utc).timestamp()


def test_one_that_no_server_may_show(tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLError):
        read(sign(tmp_path, "20200101000000Z", "20810101000000Z", use="client"))

"""Certificates for tests, each its own authority. They are made by openssl, without which these tests skip."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest

needs_openssl = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl, which makes the certificates, is not installed"
)


@dataclass(frozen=True)
class Pair:
    """PEM files: a certificate for localhost, and its private key."""

    certificate: Path
    key: Path

    def replace(self, other: Pair) -> None:
        """Take another one's contents, one file after the other."""
        self.key.write_bytes(other.key.read_bytes())
        self.certificate.write_bytes(other.certificate.read_bytes())


def make_pair(folder: Path, name: str) -> Pair:
    """Make a certificate that is valid for two days."""
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    names = ("-addext", "subjectAltName=DNS:localhost", "-keyout", str(pair.key), "-out", str(pair.certificate))
    subprocess.run([*make.split(), *names], check=True, capture_output=True)
    return pair


def trust(*servers: Pair, shown: Pair | None = None) -> grpc.ChannelCredentials:
    """Credentials of a client that trusts these servers. shown: the certificate that it shows."""
    authorities = b"".join(server.certificate.read_bytes() for server in servers)
    if shown is None:
        return grpc.ssl_channel_credentials(authorities)
    return grpc.ssl_channel_credentials(authorities, shown.key.read_bytes(), shown.certificate.read_bytes())

"""The server's certificate, from files that may be replaced while it runs.

gRPC asks before each handshake, so a new connection gets the newest files that fit together, and connections that are
open go on with theirs. Whoever replaces a certificate writes two files, one after the other: what does not fit together
in between is kept out, and calls go on with what there was.
"""

from __future__ import annotations

import logging
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc

from haleganada_server.core.error_reasons import StartReason
from haleganada_server.core.errors import Precondition

from .certificate_expiry import read_expiry

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Content:
    """What the files hold, and when the certificate ends, in seconds since 1970; None if that cannot be told."""

    certificate: bytes
    key: bytes
    client_authorities: bytes | None
    ends: float | None

    def configure(self) -> grpc.ServerCertificateConfiguration:
        """Return what gRPC shows to new connections."""
        return grpc.ssl_server_certificate_configuration([(self.key, self.certificate)], self.client_authorities)


class Certificates:
    """Reads the files, and reads them again when they have changed."""

    def __init__(self, certificate: Path, key: Path, client_authorities: Path | None) -> None:
        """PEM files: the server's certificate chain, its private key, and the authorities of the certificates that
        clients must show; None = they need none. Raises Precondition unless they can be used.
        """
        self._certificate, self._key, self._client_authorities = certificate, key, client_authorities
        self._paths = tuple(path for path in (certificate, key, client_authorities) if path)
        self._lock = threading.Lock()
        try:
            self._stamp = self._find_stamp()
            self._content = self._read()
        except (OSError, ValueError) as error:
            raise Precondition(
                "the TLS certificate and key cannot be read, or do not match; give two PEM files with --tls-cert and "
                "--tls-key, and with --tls-client-ca one of certificates",
                StartReason.TLS_UNUSABLE,
            ) from error

    def credentials(self) -> grpc.ServerCredentials:
        """Return what one gRPC server opens a port with; each one is told of a renewal by itself."""
        shown = self._content

        def renew() -> grpc.ServerCertificateConfiguration | None:
            """Return the certificate that the next connection gets; None for the same as before."""
            nonlocal shown
            self._look()
            if self._content is shown:
                return None
            shown = self._content
            return shown.configure()

        return grpc.dynamic_ssl_server_credentials(
            shown.configure(),
            renew,  # type: ignore[arg-type]  # gRPC takes None, too, which its types do not know
            require_client_authentication=self._client_authorities is not None,
        )

    def find_expiry(self) -> float | None:
        """Return when new connections' certificate ends, in seconds since 1970; None if it cannot be told."""
        return self._content.ends

    def _look(self) -> None:
        """Read the files again if they have changed."""
        with self._lock:
            try:
                stamp = self._find_stamp()
                if stamp == self._stamp:
                    return
                self._stamp = stamp  # so that what cannot be used is told once, and not for each connection
                content = self._read()
            except (OSError, ValueError) as error:
                _log.error(
                    "the new TLS files are not used (%s), the old ones still are; put a certificate and its key there",
                    getattr(error, "strerror", None) or error,
                )
                return
            if content == self._content:
                return
            self._content = content
        _log.warning("the TLS certificate was replaced; new connections get the new one")

    def _find_stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Return what changes when one of the files does."""
        return tuple(map(_find_file_stamp, self._paths))

    def _read(self) -> _Content:
        """Return the contents of the files. Raises OSError or ValueError unless they fit together."""
        files = self._read_files()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self._certificate, self._key, password="")  # or OpenSSL would ask at the terminal
        if self._client_authorities:
            context.load_verify_locations(self._client_authorities)
        ends = None
        with suppress(ssl.SSLError):
            ends = read_expiry(context, self._certificate)
        if files != self._read_files():
            raise ValueError("they changed while they were read")
        certificate, key, *authorities = files
        return _Content(certificate, key, authorities[0] if authorities else None, ends)

    def _read_files(self) -> list[bytes]:
        return [path.read_bytes() for path in self._paths]


def _find_file_stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0, 0  # while it is being replaced there may be none
    return found.st_mtime_ns, found.st_size, found.st_ino

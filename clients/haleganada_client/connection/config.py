"""Where a server is and how to talk to it, as a person configures it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from haleganada_client.wire.arguments import refuse_type, to_seconds, to_text

from .profiles import read_profile


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """Where the server is and how to talk to it."""

    target: str = "127.0.0.1:50051"
    """HOST:PORT."""
    workspace: str = "default"
    """The workspace of calls that name none."""
    token: str = ""
    """Sent as a bearer token; refused without TLS unless the server is on this machine."""
    tls: bool = False
    """Use TLS, and verify the server's certificate with gRPC's certificate authorities."""
    ca: Path | None = None
    """PEM file of the certificate authorities to trust instead. It implies TLS."""
    cert: Path | None = None
    """PEM file of a certificate to show to servers that ask for one. It implies TLS and needs `key`."""
    key: Path | None = None
    """PEM file of its private key."""
    timeout_s: float = 10.0
    """Deadline of a call in seconds, above 0, including retries. For calls that take longer: how long to wait until
    the server is reached.
    """
    retry: bool = True
    """Repeat failed calls if that is safe. False: report every failure at once."""

    def __post_init__(self) -> None:
        """Raise WrongType or InvalidInput."""
        for name in ("target", "workspace"):
            to_text(getattr(self, name), name)
        if not isinstance(self.token, str):  # what may be in it is told by prepare_access in access.py
            raise refuse_type("token", "text (str)", self.token)
        to_seconds(self.timeout_s, "timeout_s")

    @classmethod
    def from_environment(cls, profile: str = "") -> ClientConfig:
        """Read HALEGANADA_TARGET, HALEGANADA_WORKSPACE, HALEGANADA_TOKEN, HALEGANADA_CA, HALEGANADA_CERT and
        HALEGANADA_KEY, and for the rest the profile that HALEGANADA_PROFILE names. No other function reads them. An
        empty variable counts as unset. profile: use this one instead, and no variable, which may be meant for another
        server. Profiles are sections of the file profiles.ini, see profiles.py.
        """
        if profile:
            return cls(**read_profile(profile))
        named = os.environ.get("HALEGANADA_PROFILE")
        found = read_profile(named) if named else {}
        names = ("target", "workspace", "token", "ca", "cert", "key")
        given = {name: value for name in names if (value := os.environ.get(f"HALEGANADA_{name.upper()}"))}
        found |= {name: Path(value) if name in ("ca", "cert", "key") else value for name, value in given.items()}
        return cls(**found)

    @property
    def uses_tls(self) -> bool:
        """Whether calls are encrypted."""
        return self.tls or any(file is not None for file in (self.ca, self.cert, self.key))

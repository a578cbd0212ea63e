"""Where a server is and how to talk to it, as a person configures it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haleganada_client.wire.arguments import refuse_type, to_seconds, to_text

from .profiles import find_default, read_profile
from .token_file import read_token_file

_SCHEMES = {"grpc": False, "grpcs": True}
_VARIABLES = ("target", "workspace", "token", "ca", "cert", "key")


@dataclass(frozen=True, kw_only=True)
class ClientConfig:
    """Where the server is and how to talk to it."""

    target: str = "127.0.0.1:50051"
    """HOST:PORT; grpcs://HOST:PORT sets `tls`, too, and grpc://HOST:PORT means the same as HOST:PORT."""
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
        scheme, separator, address = self.target.partition("://")
        if separator and scheme in _SCHEMES:
            object.__setattr__(self, "target", address.rstrip("/"))
            object.__setattr__(self, "tls", self.tls or _SCHEMES[scheme])

    @classmethod
    def from_environment(cls, profile: str = "", *, target: str = "") -> ClientConfig:
        """Return how to reach the server that is meant. What comes first counts most:

        1. `target`, an address that is known already;
        2. the profile that `profile` names; then no variable counts, which may be meant for another server;
        3. HALEGANADA_TARGET, HALEGANADA_WORKSPACE, HALEGANADA_TOKEN (or HALEGANADA_TOKEN_FILE, a file that holds it),
           HALEGANADA_CA, HALEGANADA_CERT and HALEGANADA_KEY, of which an empty one counts as unset;
        4. the profile that HALEGANADA_PROFILE names, or else the default one; neither if an address is known from
           `target` or HALEGANADA_TARGET, so that no server is shown what is meant for another;
        5. the defaults above.

        Profiles are sections of the file profiles.ini, see profiles.py. Raise NotFound, InvalidInput or OSError for a
        profile or a file that cannot be used.
        """
        if profile:
            found = read_profile(profile)
        else:
            given = _read_variables()
            found = {**({} if target or "target" in given else _read_usual_profile()), **given}
        return cls(**{**found, **({"target": target} if target else {})})

    @property
    def uses_tls(self) -> bool:
        """Whether calls are encrypted."""
        return self.tls or any(file is not None for file in (self.ca, self.cert, self.key))


def _read_variables() -> dict[str, Any]:
    given: dict[str, Any] = {name: value for name in _VARIABLES if (value := os.environ.get(_variable(name)))}
    if "token" not in given and (file := os.environ.get(_variable("token_file"))):
        given["token"] = read_token_file(Path(file))
    return {name: Path(value) if name in ("ca", "cert", "key") else value for name, value in given.items()}


def _variable(name: str) -> str:
    return f"HALEGANADA_{name.upper()}"


def _read_usual_profile() -> dict[str, Any]:
    name = os.environ.get(_variable("profile")) or find_default()
    return read_profile(name) if name else {}

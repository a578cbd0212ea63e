"""Single sign-on: a web server in front of the page has people log in, and names them in a header of each request.

The header is believed only from that web server's own address; from elsewhere a request that has it is refused, since
anybody could claim to be anybody. Whom it names shows the server a token of theirs, which a file has:

    anna@example.org  hlg_…
    ravi@example.org  hlg_…

So roles, workspaces and the audit trail are the server's own, as for whoever types a token.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, g, request

from haleganada_client.errors import HaleganadaError, InvalidInput, NotAllowed

from .security import RequestRefused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class UserTokens:
    """The tokens of a file by the names of their users, read again when the file changes. Safe from any thread."""

    def __init__(self, path: Path) -> None:
        """Raise InvalidInput for a file that is none, OSError for one that cannot be read."""
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._tokens: Mapping[str, str] = {}
        self.find("")

    def find(self, user: str) -> str | None:
        """Return the token of a user, None if there is none. Raise as the constructor."""
        with self._lock:
            status = self._path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if stamp != self._stamp:
                self._tokens = _parse(self._path)
                self._stamp = stamp
            return self._tokens.get(user)


@dataclass(frozen=True, kw_only=True)
class SingleSignOn:
    """header: names the user. proxies: where it may come from. tokens: of the users."""

    header: str
    proxies: tuple[Network, ...]
    tokens: UserTokens

    def protect(self, app: Flask) -> None:
        """Refuse requests that bear the header and do not come from a proxy."""

        @app.before_request
        def check() -> None:
            if self.header not in request.headers:
                return
            if not self._is_proxy(_peer()):
                problem = f"the header {self.header} is not taken from {_peer()}; --trusted-proxy names who may send it"
                raise RequestRefused(403, "USER_NOT_TRUSTED", problem)
            g.signed_on_as = request.headers[self.header].strip()

    def find_token(self) -> str | None:
        """Return the token of the user whom the present request is for, None if it names nobody. Raise NotAllowed for
        one who has none, HaleganadaError if the file cannot be used.
        """
        user = find_signed_on_user()
        if not user:
            return None
        try:
            token = self.tokens.find(user)
        except OSError as error:
            raise HaleganadaError(f"the page's file of tokens cannot be read ({error.strerror})") from None
        if token is None:
            problem = f"{user} has no token for this page; ask the administrator, who keeps a file of them"
            raise NotAllowed(problem, "USER_UNKNOWN")
        return token

    def _is_proxy(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self.proxies)


def find_signed_on_user() -> str:
    """Return whom the web server in front names as the sender of the present request, "" if nobody."""
    return str(g.get("signed_on_as", ""))


def make_single_sign_on(header: str, proxies: Iterable[str], tokens: Path | None) -> SingleSignOn | None:
    """Return what the options ask for, None if they ask for nothing. proxies: networks, as 10.0.0.0/8, or addresses.

    Raise InvalidInput for options of which one is missing or means nothing, OSError for a file that cannot be read.
    """
    given = tuple(proxies)
    if not (header or given or tokens):
        return None
    if not (header and given and tokens):
        problem = "single sign-on needs all three: --trusted-user-header, --trusted-proxy and --user-tokens"
        raise InvalidInput(problem, "INVALID_INPUT", "trusted_user_header")
    try:
        networks = tuple(ipaddress.ip_network(one) for one in given)
    except ValueError as error:
        raise InvalidInput(f"--trusted-proxy: {error}; give 10.0.0.0/8", "INVALID_INPUT", "trusted_proxy") from None
    return SingleSignOn(header=header, proxies=networks, tokens=UserTokens(tokens))


def _peer() -> str:
    """Return the address of the other end of the connection, whatever X-Forwarded-For says."""
    environment = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    return str(environment.get("REMOTE_ADDR") or "")


def _parse(path: Path) -> dict[str, str]:
    tokens: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2 or words[0] in tokens:
            problem = f"{path}, line {number}: is not a user and their token, parted by a space, each user once"
            raise InvalidInput(problem, "INVALID_INPUT", "user_tokens")
        tokens[words[0]] = words[1]
    return tokens

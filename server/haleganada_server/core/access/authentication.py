"""Recognizes callers by the tokens that they show, also after tokens were added or revoked."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from haleganada_server.core.baton import without_baton
from haleganada_server.core.clock import now_us
from haleganada_server.core.error_reasons import Reason, StartReason
from haleganada_server.core.errors import Precondition, Unauthenticated
from haleganada_server.core.watched import Source, Watched

from .identity import ENVIRONMENT, LOCAL, Identity
from .tokens import MIN_SHARED_LENGTH, Token, split_token
from .tries import Tries

_LOOK_EVERY_S = 0.2
_KEY_BYTES, _MARK_BYTES = 32, 16


@dataclass(frozen=True, slots=True)
class Grant:
    """A caller who was recognized. token_id: "" without one."""

    identity: Identity
    token_id: str = ""


_EVERYBODY = Grant(LOCAL)
_ENVIRONMENT = Grant(ENVIRONMENT)


class Authenticator:
    """Tells who calls. start() it once, stop() it once. Safe from any thread.

    The hash of a token takes milliseconds, so the right ones are remembered, by a hash with a key that this process
    alone has: a call costs microseconds. Whether the token is still valid is asked at each call.
    """

    def __init__(self, source: Source[Sequence[Token]], shared: str = "") -> None:
        """source: has all tokens, also expired and revoked ones. shared: a token for administrators that is kept
        elsewhere; "" = none. Raises Precondition if it is too short, HaleganadaError or OSError if the tokens cannot be
        read.
        """
        if shared and len(shared) < MIN_SHARED_LENGTH:
            raise Precondition(
                f"HALEGANADA_TOKEN has under {MIN_SHARED_LENGTH} characters, which can be guessed; unset it and make "
                "tokens with `haleganada tokens add`",
                StartReason.TOKENS_UNUSABLE,
            )
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._recognized: dict[bytes, tuple[str, bytes]] = {}
        self._shared = self._mark(shared) if shared else None
        self._tokens: dict[str, tuple[Token, Grant]] = {}
        self._is_required = False
        self._tries = Tries()
        self._on_change: Callable[[], None] = lambda: None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="tokens", daemon=True)
        self._watched = Watched(source, "tokens", self._take)

    @property
    def is_required(self) -> bool:
        """Whether calls need a token: there is one, or there was one, even if all of them are revoked by now."""
        return self._is_required

    def start(self, on_change: Callable[[], None]) -> None:
        """Look for changed tokens from now on. on_change: called several times a second, after that."""
        self._on_change = on_change
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def identify(self, shown: str | None, address: str = "") -> Grant:
        """Return who shows a token; None = none is shown. address: whose wrong tokens are counted, "" = nobody's.
        Raises Unauthenticated, and Exhausted for a token that was never recognized if too many wrong ones came from
        there.
        """
        if not self._is_required:
            return _EVERYBODY
        if not shown:
            raise Unauthenticated(
                "this server needs a token; ask its administrator for one, and give it in $HALEGANADA_TOKEN",
                Reason.TOKEN_MISSING,
            )
        mark = self._mark(shown)
        if self._shared is not None and hmac.compare_digest(mark, self._shared):
            return _ENVIRONMENT
        token, grant = self._find(shown, mark, address)
        _require_usable(token)
        return grant

    def recognize(self, shown: str | None) -> Grant | None:
        """Return who shows a token, if that is known without computing its hash, and the token is valid; else None."""
        entry = self._find_recognized(self._mark(shown)) if shown else None
        return entry[1] if entry is not None and entry[0].is_usable(now_us()) else None

    def require_valid(self, grant: Grant) -> None:
        """Raise Unauthenticated if who was recognized earlier would not be any more."""
        if grant is _EVERYBODY:
            self.identify(None)
        elif grant is not _ENVIRONMENT:
            token, _ = self._tokens.get(grant.token_id, (None, None))
            if token is None:
                raise _revoked_token()
            _require_usable(token)

    def _find(self, shown: str, mark: bytes, address: str) -> tuple[Token, Grant]:
        """Return the entry of the token that is shown. Raises Unauthenticated, Exhausted."""
        found = self._find_recognized(mark)
        if found is not None:
            return found
        with without_baton(), self._tries.turn(address):  # others wait for a turn, and a hash takes long, in C
            self._tries.require(address)
            known = self._compare(shown)
            if known is None:
                self._tries.note_failure(address)
        found = self._look_up(known)
        if known is None or found is None:
            raise Unauthenticated(
                "the token is not one of this server's; check it, or ask the server's administrator for another one",
                Reason.TOKEN_WRONG,
            )
        self._recognized[mark] = known
        return found

    def _find_recognized(self, mark: bytes) -> tuple[Token, Grant] | None:
        """Return the entry of a token whose hash is known; None if it is not, or no longer that of an entry."""
        return self._look_up(self._recognized.get(mark))

    def _look_up(self, known: tuple[str, bytes] | None) -> tuple[Token, Grant] | None:
        entry = self._tokens.get(known[0]) if known else None
        return entry if known is not None and entry is not None and entry[0].digest == known[1] else None

    def _compare(self, shown: str) -> tuple[str, bytes] | None:
        """Return the id and the digest of the token that is shown; None if it is none of these."""
        parts = split_token(shown)
        token, _ = self._tokens.get(parts[0], (None, None)) if parts else (None, None)
        if parts is None or token is None or not token.matches(parts[1]):
            return None
        return token.token_id, token.digest

    def _mark(self, shown: str) -> bytes:
        """Return what a token is remembered by."""
        content = shown.encode("utf-8", "surrogateescape")
        return hashlib.blake2b(content, key=self._key, digest_size=_MARK_BYTES).digest()

    def _take(self, tokens: Sequence[Token]) -> None:
        self._tokens = {token.token_id: (token, Grant(token.identity(), token.token_id)) for token in tokens}
        self._is_required = self._is_required or bool(tokens) or self._shared is not None

    def _watch(self) -> None:
        while not self._stopped.wait(_LOOK_EVERY_S):
            self.look()
            self._on_change()

    def look(self) -> None:
        """Take the tokens as they are now, if they have changed."""
        self._watched.look()


def _require_usable(token: Token) -> None:
    if token.revoked_us is not None:
        raise _revoked_token()
    if token.is_expired(now_us()):
        raise Unauthenticated(
            "the token has expired; ask the server's administrator for another one", Reason.TOKEN_EXPIRED
        )


def _revoked_token() -> Unauthenticated:
    return Unauthenticated(
        "the token was revoked; ask the server's administrator for another one", Reason.TOKEN_REVOKED
    )

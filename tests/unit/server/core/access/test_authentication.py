"""Who is recognized, at what cost, and what is kept of tokens."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from haleganada_server.core.access.authentication import Authenticator
from haleganada_server.core.access.identity import RESERVED_NAMES, Role
from haleganada_server.core.access.tokens import Token, make_token
from haleganada_server.core.access.tries import Tries
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, InvalidInput, Precondition, Unauthenticated
from hypothesis import given
from hypothesis import strategies as st

from tests.support.kept import Kept

ANNA, SHOWN = make_token("anna", Role.TEACH, ("ಕನ್ನಡ", "b"), 1)


def test_a_token_is_recognized_with_its_role_and_workspaces() -> None:
    identity = Authenticator(Kept([ANNA])).identify(SHOWN).identity
    assert (identity.name, identity.role) == ("anna", Role.TEACH)
    assert identity.may_use("ಕನ್ನಡ") and identity.may_use("b") and not identity.may_use("default")


RECOGNIZING = Authenticator(Kept([ANNA]))


@given(st.text())
def test_nothing_else_is_recognized(shown: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        RECOGNIZING.identify(shown)
    assert not shown.strip() or len(shown) < 4 or shown not in refused.value.message


@given(st.integers(0, len(SHOWN) - 1), st.characters(codec="ascii"))
def test_a_token_with_another_character_is_not_recognized(at: int, other: str) -> None:
    changed = SHOWN[:at] + other + SHOWN[at + 1 :]
    authenticator = RECOGNIZING
    authenticator.identify(SHOWN)
    if changed != SHOWN:
        with pytest.raises(Unauthenticated):
            authenticator.identify(changed)


def test_the_secret_is_not_kept() -> None:
    secret = SHOWN.split("_", 2)[2]
    assert secret not in repr(ANNA) and secret.encode() not in ANNA.digest + ANNA.salt
    again, _ = make_token("anna", Role.TEACH, (), 1)
    assert again.salt != ANNA.salt and again.token_id != ANNA.token_id


def test_a_hash_is_computed_once_for_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    matches = Token.matches

    def note(token: Token, secret: str) -> bool:
        compared.append(secret)
        return matches(token, secret)

    monkeypatch.setattr(Token, "matches", note)
    authenticator = Authenticator(Kept([ANNA]))
    for _ in range(100):
        authenticator.identify(SHOWN)
    assert len(compared) == 1


def test_another_secret_under_the_same_id_replaces_the_old_one() -> None:
    other, shown = make_token("anna", Role.TEACH, (), 1)
    kept = Kept([ANNA])
    authenticator = Authenticator(kept)
    grant = authenticator.identify(SHOWN)
    kept.change([replace(other, token_id=ANNA.token_id)])
    authenticator.look()
    with pytest.raises(Unauthenticated):
        authenticator.identify(SHOWN)
    assert authenticator.identify(f"hlg_{ANNA.token_id}_{shown.split('_', 2)[2]}")
    kept.change([])
    authenticator.look()
    with pytest.raises(Unauthenticated):
        authenticator.require_valid(grant)


@pytest.mark.parametrize("name", [*sorted(RESERVED_NAMES), "", "\n", "x" * 65])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(InvalidInput):
        make_token(name, Role.READ, (), 1)


def test_a_shared_token_is_an_administrators_beside_the_others() -> None:
    shared = "x" * 22
    authenticator = Authenticator(Kept([ANNA]), shared)
    assert authenticator.identify(shared).identity.role is Role.ADMIN
    assert authenticator.identify(SHOWN).identity.name == "anna"
    with pytest.raises(Precondition):
        Authenticator(Kept([]), "x" * 21)


def test_without_tokens_everybody_is_local() -> None:
    authenticator = Authenticator(Kept([]))
    for shown in (None, "", "anything"):
        identity = authenticator.identify(shown).identity
        assert (identity.name, identity.role, identity.workspaces) == ("local", Role.ADMIN, None)


def test_an_address_with_too_many_wrong_tokens_waits_but_those_that_are_known_there_do_not() -> None:
    other, its_token = make_token("ravi", Role.READ, (), 1)
    authenticator = Authenticator(Kept([ANNA, other]))
    authenticator.identify(SHOWN, "192.0.2.1")
    for number in range(20):
        with pytest.raises(Unauthenticated):
            authenticator.identify(f"{SHOWN[:-2]}{number:02}", "192.0.2.1")
    for shown in ("hlg_guessed", its_token):
        with pytest.raises(Exhausted, match="too many wrong tokens") as refused:
            authenticator.identify(shown, "192.0.2.1")
        assert refused.value.reason is Reason.TOO_MANY_TRIES and 0 < refused.value.retry_after_s <= 60
    assert authenticator.identify(SHOWN, "192.0.2.1").identity.name == "anna"
    assert authenticator.identify(its_token, "192.0.2.2").identity.name == "ravi"
    assert authenticator.identify(its_token, "192.0.2.1").identity.name == "ravi", "it is known now"


def test_many_wrong_tokens_at_once_are_no_more_than_one_after_the_other() -> None:
    """Each shows the id of a token, so that its hash is computed, which takes milliseconds."""
    authenticator = Authenticator(Kept([ANNA]))

    def show(number: int) -> type[Exception]:
        with pytest.raises((Unauthenticated, Exhausted)) as refused:
            authenticator.identify(f"{SHOWN[:-3]}{number:03}", "192.0.2.1")
        return refused.type

    with ThreadPoolExecutor(40) as pool:
        assert Counter(pool.map(show, range(80))) == {Unauthenticated: 20, Exhausted: 60}


def test_wrong_tokens_are_forgotten_after_a_minute() -> None:
    now = [0.0]
    tries = Tries(lambda: now[0])
    for _ in range(20):
        tries.require("192.0.2.1")
        tries.note_failure("192.0.2.1")
    with pytest.raises(Exhausted) as refused:
        tries.require("192.0.2.1")
    now[0] += refused.value.retry_after_s
    tries.require("192.0.2.1")

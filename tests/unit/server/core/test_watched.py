"""What changes beside a server is taken once, and nothing that changed is missed because the machine failed."""

from __future__ import annotations

import errno

import pytest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.watched import Watched

from tests.support.kept import Kept


def test_what_has_changed_is_taken_once() -> None:
    kept, taken = Kept("a"), list[str]()
    watched = Watched(kept, "letters", taken.append)
    watched.look()
    kept.change("bc")
    watched.look()
    watched.look()
    assert taken == ["a", "bc"]


def test_a_machine_that_fails_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    """As without a free file descriptor, of which a caller may use up many."""
    kept, taken = Kept("a"), list[str]()
    watched = Watched(kept, "letters", taken.append)
    kept.change("b")
    kept.failure = OSError(errno.EMFILE, "too many open files")
    for _ in range(3):
        watched.look()
    assert taken == ["a"] and caplog.text.count("the letters cannot be read") == 1
    kept.failure = None
    watched.look()
    assert taken == ["a", "b"]


def test_what_is_damaged_is_told_once_and_taken_when_it_is_mended(caplog: pytest.LogCaptureFixture) -> None:
    kept, taken = Kept("a"), list[str]()
    watched = Watched(kept, "letters", taken.append)
    kept.change("b")
    kept.failure = InvalidInput("letters", "are damaged")
    watched.look()
    kept.failure = None
    watched.look()
    assert taken == ["a"] and caplog.text.count("stay valid") == 1
    kept.change("c")
    watched.look()
    assert taken == ["a", "c"]

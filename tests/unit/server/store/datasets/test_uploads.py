"""Uploads: any number of calls give one complete file, or none."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_server.core.errors import AlreadyExists, Exhausted, InvalidInput, Unavailable
from haleganada_server.store.datasets.uploads import Uploads

from tests.unit.server.store.test_full_disk import limit_file_size

DATA = bytes(range(256)) * 40
NAME = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", 20_000)


def break_off_after(*chunks: bytes) -> Iterator[bytes]:
    yield from chunks
    raise ConnectionError


def test_one_call(uploads: Uploads) -> None:
    assert uploads.bytes_received(NAME) == 0
    assert uploads.receive(NAME, 0, [DATA[:5000], DATA[5000:]]).read_bytes() == DATA
    uploads.remove(NAME)
    assert uploads.bytes_received(NAME) == 0


def test_continuing_after_an_interruption(uploads: Uploads, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError):
        uploads.receive(NAME, 0, break_off_after(DATA[:3000]))
    again = Uploads(tmp_path / "uploads", 20_000)  # the server was restarted
    assert again.bytes_received(NAME) == 3000
    with pytest.raises(InvalidInput) as caught:
        again.receive(NAME, 2000, [DATA[2000:]])
    assert caught.value.field == "header.offset" and again.bytes_received(NAME) == 3000
    assert again.receive(NAME, 3000, [DATA[3000:]]).read_bytes() == DATA
    assert again.receive(NAME, len(DATA), []).read_bytes() == DATA


def test_starting_again(uploads: Uploads) -> None:
    with pytest.raises(ConnectionError):
        uploads.receive(NAME, 0, break_off_after(b"something else"))
    assert uploads.receive(NAME, 0, [DATA]).read_bytes() == DATA


def test_the_newest_call_takes_over(uploads: Uploads) -> None:
    def old() -> Iterator[bytes]:
        yield DATA[:1000]
        assert uploads.receive(NAME, 1000, [DATA[1000:]]).read_bytes() == DATA
        yield DATA[1000:2000]

    with pytest.raises(AlreadyExists):
        uploads.receive(NAME, 0, old())
    assert uploads.receive(NAME, len(DATA), []).read_bytes() == DATA


@pytest.mark.parametrize("chunks", [[DATA, b"x"], [DATA[:-1]], []], ids=["more", "less", "nothing"])
def test_another_hash(uploads: Uploads, chunks: list[bytes]) -> None:
    with pytest.raises(InvalidInput) as caught:
        uploads.receive(NAME, 0, chunks)
    assert caught.value.field == "header.sha256" and uploads.bytes_received(NAME) == 0


def test_received_bytes_are_kept_if_the_sender_disconnected(uploads: Uploads) -> None:
    with pytest.raises(Unavailable):
        uploads.receive(NAME, 0, [DATA[:3000]], lambda: False)
    assert uploads.receive(NAME, 3000, [DATA[3000:]], lambda: False).read_bytes() == DATA


def test_too_large(uploads: Uploads) -> None:
    with pytest.raises(InvalidInput, match="20,000"):
        uploads.receive(NAME, 0, [DATA, DATA])
    assert uploads.bytes_received(NAME) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX systems")
def test_a_full_disk(uploads: Uploads) -> None:
    with pytest.raises(Exhausted), limit_file_size(4000):
        uploads.receive(NAME, 0, [DATA[:3000], DATA[3000:]])
    assert uploads.bytes_received(NAME) == 0


def test_old_uploads_are_removed_after_a_week(uploads: Uploads, tmp_path: Path) -> None:
    for name, days in (("a" * 64, 6), ("b" * 64, 8)):
        path = tmp_path / "uploads" / name
        path.write_bytes(DATA)
        os.utime(path, (time.time() - days * 86400,) * 2)
    again = Uploads(tmp_path / "uploads", 20_000)
    assert (again.bytes_received("a" * 64), again.bytes_received("b" * 64)) == (len(DATA), 0)

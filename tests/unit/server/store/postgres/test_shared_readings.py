"""Readings that servers share: journals are one, what is corrected anywhere never expires, a kill leaves no half."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from haleganada_server.core.disk.failpoints import VARIABLE
from haleganada_server.core.errors import NotFound, RevisionMismatch
from haleganada_server.core.reading.ports import PresentText

from tests.support.preloaded import run_preloaded
from tests.support.waiting import wait_until
from tests.unit.server.store.readings.test_journal import entry, keep

pytest.importorskip("s3fs", reason="the extra cluster is not installed")

from haleganada_server.store.postgres.database import Database
from haleganada_server.store.postgres.shared.catalog import Catalog
from haleganada_server.store.postgres.shared.object_store import ObjectStore
from haleganada_server.store.postgres.shared.readings import KIND, SharedReadings

Open = Callable[..., SharedReadings]


def open_readings(folder: Path, database: Database, objects: Path, retention_s: float = 3600.0) -> SharedReadings:
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    catalog = Catalog(database, ObjectStore(str(objects)), KIND)
    return SharedReadings(
        folder / "readings", lambda: temporary / uuid4().hex, retention_s, None, lambda _: None, database, catalog
    )


@pytest.fixture
def open_one(database_url: str, tmp_path: Path) -> Iterator[Open]:
    """Opens the readings of a server by its name."""
    database = Database(database_url)
    yield lambda name, retention_s=3600.0: open_readings(tmp_path / name, database, tmp_path / "objects", retention_s)
    database.close()


def test_a_journal_is_one_for_all_servers(open_one: Open) -> None:
    one, other = open_one("one"), open_one("other")
    reading_id = keep(one)
    assert other.corrections(reading_id, 1) == []
    one.append_correction(reading_id, 1, entry(1))
    assert not other.has_all_corrections(reading_id, 1, 0) and other.has_all_corrections(reading_id, 2, 0)
    with pytest.raises(RevisionMismatch):
        other.append_correction(reading_id, 1, entry(1))
    assert other.corrections(reading_id, 1) == [entry(1)]
    other.append_correction(reading_id, 1, entry(2))
    one.append_correction(reading_id, 1, entry(3))  # although its copy of the second one is not here yet
    for store in (one, other, open_one("one"), open_one("third")):
        assert store.corrections(reading_id, 1) == [entry(1), entry(2), entry(3)]
    one.delete(reading_id)
    with pytest.raises(NotFound):
        other.append_correction(reading_id, 1, entry(4))
    assert other.newest("", 9) == open_one("third").newest("", 9) == []


def test_what_a_page_says_now_is_known_to_all(open_one: Open) -> None:
    one, other = open_one("one"), open_one("other")
    reading_id, heard = keep(one), list[tuple[str, str, int, PresentText]]()
    other.tell_noted(lambda *noted: heard.append(noted))
    one.append_correction(reading_id, 1, entry(1))
    text = PresentText(1, "ಕಖ", (("ಕ", "ಖ"),))
    one.note_present(reading_id, 1, text)
    other.follow()
    assert heard == [("letters", reading_id, 1, text)]
    for store in (one, other, open_one("third"), open_one("one")):
        assert list(store.present_texts("letters")) == [(reading_id, 1, text)] and not list(store.present_texts("x"))
        assert [info.excerpt for info in store.newest("", 9)] == ["ಕಖ"]
    other.note_present(reading_id, 1, PresentText(0, "older", ()))
    other.append_correction(reading_id, 1, entry(2))
    one.follow()
    assert not list(one.present_texts("letters")) and [info.excerpt for info in one.newest("", 9)] == ["ಕಖ"]


def test_what_is_corrected_anywhere_never_expires(open_one: Open, tmp_path: Path) -> None:
    one, other = open_one("one", 0.5), open_one("other", 0.5)
    corrected, left = keep(one), keep(one)
    one.append_correction(corrected, 1, entry(1))
    wait_until(other.delete_expired)
    wait_until(lambda: not one.newest("", 9)[1:])
    for store in (one, other, open_one("one", 0.5)):
        assert [info.reading_id for info in store.newest("", 9)] == [corrected]
        assert not store.delete_expired()
    assert not list((tmp_path / "objects" / KIND).glob(f"{left}/*/*"))


_KEEP = """
import sys
from pathlib import Path
from tests.unit.server.store.postgres.test_shared_readings import *
folder, url, objects = sys.argv[1:]
store = open_readings(Path(folder), Database(url), Path(objects))
reading_id = keep(store)
store.append_correction(reading_id, 1, entry(1))
"""


@pytest.mark.parametrize(
    ("point", "corrections"),
    [("objects.written", None), ("objects.listed", 0), ("reading.renamed", 0), ("correction.shared", 1)],
)
def test_a_kill_leaves_a_reading_whole_or_unlisted(
    open_one: Open, database_url: str, tmp_path: Path, point: str, corrections: int | None
) -> None:
    line = ["-c", _KEEP, str(tmp_path / "one"), database_url, str(tmp_path / "objects")]
    done = run_preloaded(line, env={**os.environ, VARIABLE: point})
    assert done.returncode == -signal.SIGKILL, done.stderr
    for name in ("other", "one"):
        store = open_one(name)
        found = [len(store.corrections(info.reading_id, 1)) for info in store.newest("", 9)]
        assert found == ([] if corrections is None else [corrections])

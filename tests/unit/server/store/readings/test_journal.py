"""Journals of corrections on disk: what was acknowledged is there, whatever a kill has left; damage is told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from haleganada_server.core.disk import failpoints
from haleganada_server.core.disk.checksum import CHECKSUM, seal
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, NotFound, Precondition
from haleganada_server.core.reading.corrections.corrections import (
    JOURNAL_FORMAT,
    Correction,
    CorrectionUndo,
    GlyphJoin,
    GlyphNaming,
    GlyphRemoval,
    GlyphSplit,
    JournalEntry,
)
from haleganada_server.core.reading.page import PageReading
from haleganada_server.core.reading.ports import PresentText
from haleganada_server.store.readings.description import require_intact_reading
from haleganada_server.store.readings.folders import ReadingFolders

from tests.support.waiting import wait_until

Open = Callable[..., ReadingFolders]
CORRECTIONS: tuple[Correction, ...] = (
    GlyphNaming((3, 12), "ಕ್ಷ"),
    GlyphSplit(7, (1.5, 2.0), (1.5, 90.25)),
    GlyphJoin((20, 21), ""),
    GlyphRemoval((5,)),
    CorrectionUndo(1),
)


def entry(revision: int, correction: Correction = CORRECTIONS[0]) -> JournalEntry:
    return JournalEntry(
        revision=revision,
        time_us=revision * 1000,
        correction=correction,
        taught={3: 40 + revision, 12: 60 + revision},
        forgotten=(2,),
        next_id=100 + revision,
    )


@pytest.fixture
def reopen(tmp_path: Path) -> Open:
    """Return a function that opens the store, as a server does at its start."""
    numbers = iter(range(1000))
    (tmp_path / "tmp").mkdir()

    def run(retention_s: float = 3600.0, max_bytes: int | None = None) -> ReadingFolders:
        return ReadingFolders(
            tmp_path / "readings", lambda: tmp_path / "tmp" / f"{next(numbers)}", retention_s, max_bytes
        )

    return run


def keep(store: ReadingFolders) -> str:
    """Keep a reading of the pages 1 and 2, and return its id."""
    incoming = store.receive()
    incoming.write(b"a document")
    draft = store.begin(incoming)
    for number in (1, 2):
        draft.add(PageReading(page=number, width=9, height=9, blocks=()))
    return draft.finish("a.png", 2, "letters").reading_id


def journal(tmp_path: Path, reading_id: str) -> Path:
    return tmp_path / "readings" / reading_id / "page-00001.corrections"


def test_corrections_are_found_again(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    reading_id = keep(store)
    assert store.corrections(reading_id, 1) == []
    entries = [entry(number, correction) for number, correction in enumerate(CORRECTIONS, 1)]
    for one in entries:
        store.append_correction(reading_id, 1, one)
    for found in (store, reopen()):
        assert found.corrections(reading_id, 1) == entries and found.corrections(reading_id, 2) == []
        assert found.get(reading_id).workspace == "letters"
    require_intact_reading(tmp_path / "readings" / reading_id)


def test_a_corrected_reading_does_not_expire_and_can_be_deleted(reopen: Open) -> None:
    store = reopen(retention_s=0.3)
    kept, other = keep(store), keep(store)
    store.append_correction(kept, 1, entry(1))
    restarted = reopen()
    assert restarted.get(kept).expire_us is None
    wait_until(lambda: [info.reading_id for info in restarted.newest("", 9)] == [kept])
    assert restarted.delete_expired() == 1 and restarted.delete_expired() == 0
    with pytest.raises(NotFound):
        restarted.get(other)
    restarted.delete(kept)
    with pytest.raises(NotFound):
        restarted.append_correction(kept, 1, entry(2))


def test_what_a_kill_has_left_of_the_last_line_is_cut_off(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    for length in (1, -1, 5000):
        reading_id = keep(store)
        store.append_correction(reading_id, 1, entry(1))
        whole = journal(tmp_path, reading_id).read_bytes()
        rest = bytes(length) if length > len(whole) else whole[:length]
        journal(tmp_path, reading_id).write_bytes(whole + rest)
        restarted = reopen()
        assert restarted.corrections(reading_id, 1) == [entry(1)]
        require_intact_reading(tmp_path / "readings" / reading_id)
        restarted.append_correction(reading_id, 1, entry(2))
        assert reopen().corrections(reading_id, 1) == [entry(1), entry(2)]


@pytest.mark.parametrize("place", ["first", "last", "missing", "twice", "end", "line feed", "all"])
def test_any_other_damage_is_told(reopen: Open, tmp_path: Path, place: str) -> None:
    store = reopen()
    reading_id = keep(store)
    for number in (1, 2, 3):
        store.append_correction(reading_id, 1, entry(number))
    path = journal(tmp_path, reading_id)
    lines = path.read_bytes().splitlines(keepends=True)
    changed = {
        "first": [lines[0].replace(b"12", b"13", 1), *lines[1:]],
        "last": [*lines[:2], lines[2].replace(b"12", b"13", 1)],
        "missing": [lines[0], lines[2]],
        "twice": [lines[0], lines[0], *lines[1:]],
        "end": lines[:2],
        "line feed": [*lines[:2], lines[2].replace(b"\n", b"\v")],
        "all": [],
    }
    path.write_bytes(b"".join(changed[place]))
    if not changed[place]:
        path.unlink()
    for found in (store, reopen()):
        with pytest.raises(DataLoss) as told:
            found.corrections(reading_id, 1)
        assert told.value.reason is Reason.READING_DAMAGED and found.get(reading_id).damaged
    with pytest.raises(ValueError, match=r"line|written|lost its end"):
        require_intact_reading(tmp_path / "readings" / reading_id)


@pytest.fixture
def armed() -> Iterator[None]:
    """No failpoint is armed for the next test."""
    yield
    failpoints.arm("")


@pytest.mark.usefixtures("armed")
def test_a_full_disk_leaves_the_journal_as_it_was(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    reading_id = keep(store)
    store.append_correction(reading_id, 1, entry(1))
    size, before = store.get(reading_id).size, journal(tmp_path, reading_id).read_bytes()
    failpoints.arm("correction.written:error=ENOSPC")
    with pytest.raises(Exhausted) as told:
        store.append_correction(reading_id, 1, entry(2))
    assert told.value.reason is Reason.DISK_FULL
    assert journal(tmp_path, reading_id).read_bytes() == before and store.get(reading_id).size == size
    failpoints.arm("")
    store.append_correction(reading_id, 1, entry(2))
    assert store.corrections(reading_id, 1) == [entry(1), entry(2)]


def test_journals_count_towards_the_quota(reopen: Open, tmp_path: Path) -> None:
    store = reopen(max_bytes=2000)
    reading_id, count = keep(store), 0
    with pytest.raises(Exhausted) as told:
        for count in range(1, 99):
            store.append_correction(reading_id, 1, entry(count))
    assert told.value.reason is Reason.QUOTA_EXCEEDED and 1 < count < 20
    folder = tmp_path / "readings" / reading_id
    counted = sum(
        path.stat().st_size for path in folder.iterdir() if path.name not in ("reading.json", "page-00001.acknowledged")
    )
    assert store.get(reading_id).size == counted == reopen().get(reading_id).size
    store.delete(reading_id)
    keep(store)


def test_the_present_text_outlives_the_server(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    reading_id = keep(store)
    assert store.get(reading_id).excerpt == ""
    runs = (("\n", "ಕ", " ", "ಖ"), ("ಗ",))
    store.note_present(reading_id, 2, PresentText(0, "ಕಖ\n", runs))
    store.note_present(reading_id, 1, PresentText(0, "ಗ" * 300, ()))
    assert store.get(reading_id).excerpt == "ಗ" * 200
    store.note_present(reading_id, 1, PresentText(0, "ಗ\n", ()))
    assert store.get(reading_id).excerpt == reopen().get(reading_id).excerpt == "ಗ\nಕಖ"
    assert [*reopen().present_texts("others")] == []
    noted = {page: text for _, page, text in reopen().present_texts("letters")}
    assert noted == {1: PresentText(0, "ಗ", ()), 2: PresentText(0, "ಕಖ", runs)}
    store.append_correction(reading_id, 2, entry(1))  # and is killed before it notes what the page says then
    assert [page for _, page, _ in reopen().present_texts("letters")] == [1]
    require_intact_reading(tmp_path / "readings" / reading_id)
    store.delete(reading_id)
    store.note_present(reading_id, 1, PresentText(0, "ಗ", ()))
    assert not (tmp_path / "readings" / reading_id).exists() and not list((tmp_path / "tmp").iterdir())


def test_entries_of_a_later_version_are_no_damage(reopen: Open, tmp_path: Path) -> None:
    store = reopen()
    reading_id = keep(store)
    store.append_correction(reading_id, 1, entry(1))
    path = tmp_path / "readings" / reading_id / "page-00001.corrections"
    later = json.loads(path.read_text("utf-8")) | {"format": JOURNAL_FORMAT + 1}
    path.write_text(json.dumps(seal({key: later[key] for key in later if key != CHECKSUM})) + "\n", "utf-8")
    with pytest.raises(Precondition, match="later version"):
        store.corrections(reading_id, 1)
    assert not store.get(reading_id).damaged

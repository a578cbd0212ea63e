"""Reading folders on disk are complete or absent, expire, and count towards their quota."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_server.core.disk.failpoints import VARIABLE
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import DataLoss, Exhausted, NotFound
from haleganada_server.core.reading.page import PageReading, TextBlock, TextLine
from haleganada_server.core.reading.reading import ReadingInfo
from haleganada_server.store import DataDirectory
from haleganada_server.store.readings.description import require_intact_reading
from haleganada_server.store.readings.folders import ReadingFolders
from haleganada_server.vision import PillowRasterizer

from tests.support.preloaded import PreloadedProcess
from tests.support.waiting import wait_until
from tests.unit.server.store.readings.killed_keeper import keep

OUTLINE = ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))
HOUR_S = 3600.0
Make = Callable[..., ReadingFolders]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a function that opens the store, as a server does at its start."""
    numbers = iter(range(10_000))
    (tmp_path / "tmp").mkdir()

    def run(retention_s: float = HOUR_S, max_bytes: int | None = None) -> ReadingFolders:
        return ReadingFolders(
            tmp_path / "readings", lambda: tmp_path / "tmp" / f"{next(numbers)}", retention_s, max_bytes
        )

    return run


def page(number: int, text: str, engine: str = "tiny") -> PageReading:
    line = TextLine(text=text, polygon=OUTLINE, engine=engine)
    return PageReading(page=number, width=9, height=9, blocks=(TextBlock(polygon=OUTLINE, lines=(line,)),))


def test_what_is_kept_is_found_again(make: Make) -> None:
    store = make()
    incoming = store.receive()
    incoming.write(b"a docu")
    incoming.write(b"ment")
    draft = store.begin(incoming)
    for one in (page(7, "x" * 150, "b"), page(3, "", "a"), page(2, "y" * 100, "a")):
        draft.add(one)
    made = draft.finish("ಅ.pdf", 9)
    draft.discard()
    incoming.remove()
    assert (made.file_name, made.pages, made.pages_total, made.engines) == ("ಅ.pdf", (2, 3, 7), 9, ("a", "b"))
    assert made.excerpt == "y" * 100 + "\n" + "x" * 99 and made.expire_us == made.create_us + HOUR_S * 1e6
    for found in (store, make()):
        assert found.get(made.reading_id) == made and found.newest("", 9) == [made]
        assert found.page(made.reading_id, 7) == page(7, "x" * 150, "b")
        assert (found.folder(made.reading_id) / "document").read_bytes() == b"a document"


def test_pages_may_come_from_many_threads(make: Make) -> None:
    store = make()
    draft = store.begin(store.receive())
    threads = [threading.Thread(target=draft.add, args=(page(number, f"{number}"),)) for number in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = draft.finish("", 40)
    assert made.pages == tuple(range(1, 41)) and made.size == sum(
        path.stat().st_size for path in store.folder(made.reading_id).iterdir() if path.name != "reading.json"
    )


def test_what_others_put_there_is_adopted(make: Make) -> None:
    store = make()
    draft = store.begin()
    (draft.folder / "document").write_bytes(b"x")
    other = keep(store, b"y", 2)
    for name in ("page-00001.json", "page-00002.json"):
        shutil.copy(store.folder(other.reading_id) / name, draft.folder)
    draft.adopt()
    made = draft.finish("words.zip", 2)
    assert (made.pages, made.size) == (other.pages, other.size)
    assert make().folder(made.reading_id).is_dir()


def test_the_newest_come_first_and_pages_of_a_list_go_on(make: Make) -> None:
    store = make()
    made = [keep(store, b"x", 1) for _ in range(5)][::-1]
    assert store.newest("", 2) == made[:2]
    store.delete(made[1].reading_id)
    assert store.newest(made[1].position, 2) == made[2:4] and store.newest(made[4].position, 2) == []


def test_readings_expire(make: Make, tmp_path: Path) -> None:
    made = keep(make(0.2), b"x", 1)
    store = make()
    stays = keep(store, b"x", 1)
    wait_until(lambda: store.newest("", 9) == [stays])
    with pytest.raises(NotFound):
        store.get(made.reading_id)
    assert (store.delete_expired(), store.delete_expired()) == (1, 0)
    assert [path.name for path in (tmp_path / "readings").iterdir()] == [stays.reading_id]
    assert store.get(stays.reading_id) == stays


@pytest.mark.parametrize("reading_id", ["", "..", "0" * 12, "../tmp", "ಅ", "x" * 1000])
def test_what_is_not_there(make: Make, reading_id: str) -> None:
    calls: tuple[Callable[[ReadingFolders], object], ...] = (
        lambda store: store.get(reading_id),
        lambda store: store.folder(reading_id),
        lambda store: store.page(reading_id, 1),
        lambda store: store.delete(reading_id),
    )
    for call in calls:
        with pytest.raises(NotFound) as caught:
            call(make())
        assert caught.value.reason is Reason.READING_NOT_FOUND
    store = make()
    with pytest.raises(NotFound) as caught:
        store.page(keep(store, b"x", 1).reading_id, 2)
    assert caught.value.reason is Reason.PAGE_NOT_FOUND


def test_everything_that_is_on_the_disk_counts_towards_the_quota(make: Make) -> None:
    first = keep(make(), b"x" * 600, 1)
    store = make(max_bytes=first.size + 1000)
    incoming = store.receive()
    incoming.write(b"x" * 900)
    with pytest.raises(Exhausted) as caught:
        incoming.write(b"x" * 101)
    assert caught.value.reason is Reason.QUOTA_EXCEEDED
    incoming.remove()
    incoming.remove()
    draft = store.begin(store.receive())
    with pytest.raises(Exhausted):
        draft.add(page(1, "x" * 1000))
    draft.discard()
    store.delete(first.reading_id)
    assert keep(store, b"x" * 1300, 1).size > 1300


def test_a_document_has_a_limit_of_its_own(make: Make) -> None:
    incoming = make().receive(10)
    incoming.write(b"x" * 10)
    with pytest.raises(Exhausted) as caught:
        incoming.write(b"x")
    assert caught.value.reason is Reason.DOCUMENT_TOO_LARGE
    incoming.remove()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES = (Path.unlink, cut, flip)


@pytest.mark.parametrize("damage", DAMAGES, ids=["gone", "cut", "flipped"])
@pytest.mark.parametrize("name", ["reading.json", "page-00002.json", "document"])
def test_damage_is_told_and_the_others_are_whole(make: Make, damage: Callable[[Path], None], name: str) -> None:
    store = make()
    made, other = keep(store, b"document", 2), keep(store, b"x", 1)
    damage(store.folder(made.reading_id) / name)
    for found in (store, make()):
        with pytest.raises(DataLoss) as caught:
            found.folder(made.reading_id)
        assert caught.value.reason is Reason.READING_DAMAGED
        if name != "document":
            with pytest.raises((DataLoss, NotFound)):
                found.page(made.reading_id, 2)
        listed = {info.reading_id: info.damaged for info in found.newest("", 9)}
        assert listed == {made.reading_id: True, other.reading_id: False}
        assert found.folder(other.reading_id).is_dir()
    found.delete(made.reading_id)
    assert [info.reading_id for info in make().newest("", 9)] == [other.reading_id]


def test_a_value_that_was_changed_by_hand_is_damage(make: Make) -> None:
    store = make()
    path = store.folder(keep(store, b"x", 1).reading_id) / "reading.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "file_name": "b.pdf"}))
    assert make().newest("", 1)[0].damaged


def test_a_full_disk_leaves_nothing(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make()
    incoming = store.receive()
    draft = store.begin(incoming)

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(Exhausted) as caught:
        draft.add(page(1, "x"))
    assert caught.value.reason is Reason.DISK_FULL
    draft.discard()
    incoming.remove()
    assert not list((tmp_path / "tmp").iterdir()) and not store.newest("", 1)


def run_keeper(data: Path, failpoints: str, after_s: float | None = None) -> list[str]:
    """Let a process keep readings until it is killed, at a failpoint or by us; return the ids that it acknowledged."""
    line = ("-m", "tests.unit.server.store.readings.killed_keeper", str(data))
    with PreloadedProcess(line, env={**os.environ, VARIABLE: failpoints}) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        if after_s is not None:
            time.sleep(after_s)
            keeper.kill()
        lines = keeper.stdout.read().split("\n")
    return lines[:-1]  # the last line may be incomplete


def check_whole(data: Path) -> list[ReadingInfo]:
    """Open a data directory as a server does, and return its readings, which must be whole."""
    directory = DataDirectory(data, PillowRasterizer())
    found = ReadingFolders(data / "readings", directory.temporary_file, HOUR_S).newest("", 1000)
    for info in found:
        assert not info.damaged
        require_intact_reading(data / "readings" / info.reading_id)
    assert not list((data / "tmp").iterdir())
    directory.close()
    return found


FAILPOINTS = ("reading.synced=3", "reading.renamed=3", "remove.renamed=2")


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_a_kill_between_two_steps(tmp_path: Path, failpoint: str) -> None:
    acknowledged = run_keeper(tmp_path, failpoint)
    found = {info.reading_id for info in check_whole(tmp_path)}
    assert acknowledged and set(acknowledged) <= found


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path: Path) -> None:
    chance, acknowledged = random.Random(5), set[str]()
    for _ in range(5):
        acknowledged.update(run_keeper(tmp_path, "", chance.uniform(0.02, 0.3)))
        assert acknowledged <= {info.reading_id for info in check_whole(tmp_path)}
    assert acknowledged

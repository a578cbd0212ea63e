"""The audit trail: nothing of it is lost or mixed up, and it ends somewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from haleganada_server.core.access.audit import AuditEntry
from haleganada_server.core.access.identity import Caller
from haleganada_server.store import audit
from haleganada_server.store.audit import AuditFile
from hypothesis import given
from hypothesis import strategies as st


def entry(number: int, detail: str = "") -> AuditEntry:
    return AuditEntry(number, Caller("anna", "127.0.0.1"), "Export", "ಕನ್ನಡ", detail)


def test_entries_are_read_as_they_were_written(tmp_path: Path) -> None:
    made = [entry(1, "a\nb"), entry(2, "“"), entry(3)]
    for one in made:
        AuditFile(tmp_path).append(one)
    assert list(AuditFile(tmp_path).read()) == made


def test_entries_of_many_at_once_are_all_there(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: AuditFile(tmp_path).append(entry(number)), range(40)))
    assert sorted(one.time_us for one in AuditFile(tmp_path).read()) == list(range(40))


def test_the_oldest_files_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_FILE_BYTES", 400)
    trail = AuditFile(tmp_path)
    for number in range(100):
        trail.append(entry(number))
    kept = [one.time_us for one in trail.read()]
    assert kept == list(range(100 - len(kept), 100)) and 8 <= len(kept) < 50
    sizes = [path.stat().st_size for path in (tmp_path / "access").glob("audit*")]
    assert len(sizes) == 8 and max(sizes) <= 400


def test_a_line_that_was_cut_off_hides_no_other(tmp_path: Path) -> None:
    trail = AuditFile(tmp_path)
    trail.append(entry(1))
    with (tmp_path / "access" / "audit.jsonl").open("a") as file:
        file.write('{"time_us": 2, "wh\n')
    trail.append(entry(3))
    assert [one.time_us for one in trail.read()] == [1, 3]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(["", "127.0.0.1", "[::1]", "unix:"]))
def test_a_caller_is_told_from_what_a_log_keeps(name: str, address: str) -> None:
    assert Caller.parse(str(Caller(name, address))) == Caller(name, address)
    assert Caller.parse(address) == Caller("", address)  # as earlier versions wrote it

"""A run goes on where it was: finished blocks stay, and what is asked for differently is refused."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from haleganada_server.bulk.errors import BulkFailed
from haleganada_server.bulk.items import Item
from haleganada_server.bulk.run_folder import RunFolder

REQUEST = {"kind": "predict", "settings": {"top_k": 5}}
ITEMS = [Item(f"{number}.png", f"/{number}.png") for number in range(5)]


def begin(out: Path) -> RunFolder:
    folder = RunFolder(out)
    folder.clear()
    folder.begin(REQUEST, ITEMS, 2, {"revision": 7})
    return folder


def test_finished_blocks_are_not_computed_again(tmp_path: Path) -> None:
    with closing(begin(tmp_path / "out.jsonl")) as folder:
        assert [number for number, _ in folder.missing()] == [0, 1, 2]
        folder.keep(1, 2, 1, b"rows")
    with closing(RunFolder(tmp_path / "out.jsonl")) as folder:
        assert folder.resume(REQUEST) == {"revision": 7}
        assert list(folder.missing()) == [(0, ITEMS[:2]), (2, ITEMS[4:])]
        assert [(block.number, block.rows, block.bad) for block in folder.finished()] == [(1, 2, 1)]


def test_an_unfinished_block_does_not_count(tmp_path: Path) -> None:
    with closing(begin(tmp_path / "out.jsonl")) as folder:
        (folder.scratch / "block").write_bytes(b"half of the ro")
    with closing(RunFolder(tmp_path / "out.jsonl")) as folder:
        folder.resume(REQUEST)
        assert len(list(folder.missing())) == 3 and not list(folder.scratch.iterdir())


def test_a_run_that_was_killed_before_it_began_is_none(tmp_path: Path) -> None:
    with closing(begin(tmp_path / "out.jsonl")) as folder:
        (folder.path / "run.json").unlink()
    with closing(RunFolder(tmp_path / "out.jsonl")) as folder:
        assert folder.resume(REQUEST) is None


def test_another_request_is_refused(tmp_path: Path) -> None:
    begin(tmp_path / "out.jsonl").close()
    with closing(RunFolder(tmp_path / "out.jsonl")) as folder, pytest.raises(BulkFailed, match="--fresh") as caught:
        folder.resume({**REQUEST, "settings": {"top_k": 3}})
    assert caught.value.status == 2


def test_two_runs_do_not_write_the_same_output(tmp_path: Path) -> None:
    with closing(begin(tmp_path / "out.jsonl")), pytest.raises(BulkFailed, match="another run writes"):
        RunFolder(tmp_path / "out.jsonl")


def test_a_block_with_too_few_rows_is_refused(tmp_path: Path) -> None:
    with closing(begin(tmp_path / "out.jsonl")) as folder, pytest.raises(BulkFailed, match="1 rows for 2 items"):
        folder.keep(0, 1, 0, b"rows")

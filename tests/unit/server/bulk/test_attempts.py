"""An item that ends its process again becomes a row with an error; its neighbors are worked on all the same."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.preloaded import PreloadedProcess

DYING = """
import json, os, sys
from pathlib import Path
from haleganada_server.bulk.attempts import Attempts
from haleganada_server.bulk.items import Item

def make(items):
    if any(item.name == "deadly" for item in items):
        os._exit(9)
    return [{"item": item.name, "error": None} for item in items]

items = [Item(name, "/") for name in ("a", "deadly", "b")]
print(json.dumps(Attempts(Path(sys.argv[1])).make_rows(3, items, make)))
"""


def attempt(folder: Path) -> tuple[int, str]:
    """Work on the block in a process of its own; return its exit status and what it printed."""
    with PreloadedProcess(["-c", DYING, str(folder)]) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        return process.wait(60), printed


def test_an_item_that_ends_its_process_again_gets_an_error(tmp_path: Path) -> None:
    assert [attempt(tmp_path)[0] for _ in range(2)] == [9, 9], "together with its neighbors, then alone"
    status, printed = attempt(tmp_path)
    rows = json.loads(printed)
    assert status == 0 and [row["item"] for row in rows] == ["a", "deadly", "b"]
    assert [row["error"] is None for row in rows] == [True, False, True]
    assert rows[1]["reason"] == "PROCESS_KILLED" and "died" in rows[1]["error"]
    assert not list(tmp_path.iterdir()), "nothing is left of a finished block"

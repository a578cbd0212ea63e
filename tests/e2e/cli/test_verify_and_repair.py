"""`haleganada verify` and `haleganada repair` on a data directory whose server has stopped."""

from __future__ import annotations

import json
from pathlib import Path

from haleganada_server.store import DataDirectory
from haleganada_server.vision import PillowRasterizer

from tests.e2e.cli.command_line import haleganada_process
from tests.unit.server.store.rows import teach_all


def make_damaged_directory(data: Path) -> Path:
    """Write a data directory with a sound workspace and a damaged one; return the damaged file."""
    directory = DataDirectory(data, PillowRasterizer())
    for name in ("bad", "good"):
        log = directory.create(name)
        teach_all(log, ["a"] * 40)
        if name == "bad":
            directory.save(log, "before")
            teach_all(log, ["b"])
            damaged = log.path
        log.close()
    directory.close()
    content = damaged.read_bytes()
    place = content.index(b"tester")  # of an event
    damaged.write_bytes(content[:place] + b"\0" + content[place + 1 :])
    return damaged


def test_verify_tells_what_repair_saves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    damaged = make_damaged_directory(data)
    before = damaged.read_bytes()
    told = haleganada_process("verify", "--data", str(data), "--json")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.returncode == 1 and damaged.read_bytes() == before
    assert [line["what"] for line in lines if not line["sound"]] == ["workspace “bad”"]
    assert "41 of 41 samples can be read" in lines[0]["hint"]

    repaired = haleganada_process("repair", "--data", str(data), "--workspace", "bad")
    assert repaired.returncode == 0 and "bad is repaired" in repaired.stdout, repaired
    assert haleganada_process("verify", "--data", str(data)).returncode == 0
    assert "nothing to repair" in haleganada_process("repair", "--data", str(data), "-w", "good").stdout

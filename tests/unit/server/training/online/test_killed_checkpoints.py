"""A learner that is killed while it saves resumes from the checkpoint before or from the new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

SAVE = """
import sys
from pathlib import Path
import torch
from haleganada_server.training.online.checkpoints import Checkpoints
names = [f"{number:064x}" for number in range(5)]
for learned in (1, 2, 3):
    Checkpoints(Path(sys.argv[1])).save(names, learned, {"network.x": torch.full((4,), float(learned))})
"""
NAMES = [f"{number:064x}" for number in range(5)]


@pytest.mark.parametrize(
    ("point", "learned"), [("draft.synced=3", 2), ("checkpoint.saved=3", 3), ("checkpoint.old_deleted", 3)]
)
def test_a_kill_while_saving(tmp_path: Path, point: str, learned: int) -> None:
    from haleganada_server.training.online.checkpoints import KEPT, Checkpoints

    environment = {**os.environ, "HALEGANADA_FAILPOINTS": point}
    killed = subprocess.run([sys.executable, "-c", SAVE, str(tmp_path)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    checkpoints = Checkpoints(tmp_path)
    assert not list(tmp_path.glob("*.tmp")), "what is unfinished is removed"
    found = checkpoints.load_newest(NAMES)
    assert found is not None and found[0] == learned
    assert torch.equal(found[1]["network.x"], torch.full((4,), float(learned)))
    checkpoints.save(NAMES, 4, {"network.x": torch.zeros(4)})
    assert len(list(tmp_path.iterdir())) == KEPT

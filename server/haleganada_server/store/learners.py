"""DIR/online/: a folder for each network that learns along, with what it can make again from the workspace's log."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from haleganada_server.core.models.online_status import Learning

from .errors import storage_errors


class LearnerDirectory:
    """core.learner_ports.LearnerFolders on a file system."""

    def __init__(self, root: Path) -> None:
        """root: DIR/online, made when it is first needed."""
        self._root = root

    def make(self, workspace: str, learning: Learning) -> Path:
        chosen = json.dumps([workspace, learning.start, asdict(learning.config)], sort_keys=True)
        folder = self._root / hashlib.sha256(chosen.encode()).hexdigest()[:24]
        with storage_errors("online"):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def remove(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    def keep_to(self, folders: Collection[Path]) -> None:
        if self._root.is_dir():
            for folder in set(self._root.iterdir()).difference(folders):
                self.remove(folder)

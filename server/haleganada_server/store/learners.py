"""Folders of networks that learn online, DIR/online/<hash>/; their contents can be rebuilt from the workspace's log."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.core.models.online_status import OnlineLearning

from .errors import storage_errors


class LearnerFolders:
    """core.online.ports.LearnerStore on a file system."""

    def __init__(self, root: Path) -> None:
        """root: DIR/online, created when it is first needed."""
        self._root = root

    def create(self, workspace: str, learning: OnlineLearning) -> Path:
        identity = json.dumps([workspace, learning.start, asdict(learning.config)], sort_keys=True)
        folder = self._root / hashlib.sha256(identity.encode()).hexdigest()[:24]
        with storage_errors("online"):
            folder.mkdir(parents=True, exist_ok=True)
        reach("learner.made")
        return folder

    def remove(self, folder: Path) -> None:
        reach("learner.removing")
        shutil.rmtree(folder, ignore_errors=True)
        reach("learner.removed")

    def retain(self, folders: Collection[Path]) -> None:
        if self._root.is_dir():
            for folder in set(self._root.iterdir()).difference(folders):
                self.remove(folder)

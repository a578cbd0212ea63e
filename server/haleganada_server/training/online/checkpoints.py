"""Checkpoints of a learner's states: safetensors files with a JSON header, written atomically.

A state is found by its name (taught_drawing.name_states), which identifies what was learned. A checkpoint belongs to a
log exactly if its state's name is among those of the log, whatever has happened since. Learning resumes from the newest
one that does; after a drawing was forgotten that may be an older one, or none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from haleganada_server.core.disk.failpoints import reach
from haleganada_server.training.common.atomic_files import write_safetensors
from haleganada_server.training.common.checkpoint import read_tensors

KEPT = 2
_PATTERN = "learned-*.safetensors"
_LOG = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints in a folder that nobody else writes to."""

    def __init__(self, folder: Path) -> None:
        """Remove what a killed process left unfinished."""
        self._folder = folder
        for draft in folder.glob(f"{_PATTERN}.tmp"):
            draft.unlink()

    def save(self, names: Sequence[str], learned: int, tensors: dict[str, Tensor]) -> None:
        """Write the state after `learned` samples, then delete all checkpoints but it and the newest two of the log.

        names: those of the log's states. Raises OSError, for example when the disk is full; nothing is deleted then.
        """
        header = json.dumps({"state": names[learned], "learned": learned})
        path = self._folder / f"learned-{learned:09}-{names[learned][:16]}.safetensors"
        if not path.exists():
            write_safetensors(path, tensors, {"online": header})
            reach("checkpoint.saved")
        matching = [other for _, other in self._list_matching(names)]
        for old in set(self._folder.glob(_PATTERN)).difference(matching[:KEPT], [path]):
            old.unlink()
            reach("checkpoint.old_deleted")

    def load_newest(self, names: Sequence[str]) -> tuple[int, dict[str, Tensor]] | None:
        """Return the state of these names that has learned most: its number of samples, and its tensors."""
        for learned, path in self._list_matching(names):
            try:
                return learned, read_tensors(path)[0]
            except Exception as error:  # damaged bytes can raise anything; an older checkpoint may still be readable
                _LOG.warning("%s cannot be read: %s", path.name, error)
        return None

    def _list_matching(self, names: Sequence[str]) -> list[tuple[int, Path]]:
        """Return (learned, path) of the checkpoints whose state is in names, the one that learned most first."""
        found = []
        for path in self._folder.glob(_PATTERN):
            learned, state = _read_header(path)
            if 0 <= learned < len(names) and names[learned] == state:
                found.append((learned, path))
        return sorted(found, reverse=True)


def _read_header(path: Path) -> tuple[int, str]:
    """Return (learned, state); (-1, "") for a file that is no checkpoint."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["online"])
        return int(header["learned"]), str(header["state"])
    except Exception as error:  # as in load_newest
        _LOG.warning("%s cannot be read: %s", path.name, error)
        return -1, ""

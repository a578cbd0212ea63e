"""States of a learner on disk: tensors as safetensors with a JSON header, each whole whenever it is there.

A state is found by its name (taught.name_states), which says what was learned: so one can be trusted to belong to a log
exactly if its name is among those of the log, whatever else has happened since. Learning goes on from the newest one
that does; after a drawing was forgotten that may be an older one, or none.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open
from torch import Tensor

from haleganada_server.training.common.atomic_files import write_safetensors
from haleganada_server.training.common.checkpoint import read_tensors

KEPT = 2
_PATTERN = "learned-*.safetensors"
_LOG = logging.getLogger(__name__)


class Checkpoints:
    """Those in one folder, which is no one else's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, names: Sequence[str], learned: int, tensors: dict[str, Tensor]) -> None:
        """Write the state after `learned` samples, then delete what is older than the two newest ones and what is of no
        state in names. Raises OSError, for example when the disk is full; nothing is deleted then.
        """
        header = json.dumps({"state": names[learned], "learned": learned})
        path = self._folder / f"learned-{learned:09}-{names[learned][:16]}.safetensors"
        if not path.exists():
            write_safetensors(path, tensors, {"online": header})
        fitting = [other for _, other in self._fitting(names)]
        for old in set(self._folder.glob(_PATTERN)).difference(fitting[:KEPT], [path]):
            old.unlink()

    def best(self, names: Sequence[str]) -> tuple[int, dict[str, Tensor]] | None:
        """How many samples the state that has learned most of these names' has learned, and its tensors."""
        for learned, path in self._fitting(names):
            try:
                return learned, read_tensors(path)[0]
            except Exception as error:  # whatever a reader of damaged bytes raises: the one before may do
                _LOG.warning("%s cannot be read: %s", path.name, error)
        return None

    def _fitting(self, names: Sequence[str]) -> list[tuple[int, Path]]:
        """(learned, path) of those whose state is in names, the one that learned most first."""
        found = []
        for path in self._folder.glob(_PATTERN):
            learned, state = _header(path)
            if 0 <= learned < len(names) and names[learned] == state:
                found.append((learned, path))
        return sorted(found, reverse=True)


def _header(path: Path) -> tuple[int, str]:
    """(-1, "") for a file that is no checkpoint."""
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads(file.metadata()["online"])
        return int(header["learned"]), str(header["state"])
    except Exception as error:  # as in best
        _LOG.warning("%s cannot be read: %s", path.name, error)
        return -1, ""

"""A data set of lines as training loads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import Precondition
from haleganada_server.training.common.training_data import unusable_dataset
from haleganada_server.vision.line_pictures import GrayLine, open_line


@dataclass(frozen=True, eq=False, kw_only=True)
class LineData:
    """What to train on. texts: of all lines. groups: of each line, -1 = unknown. name, sha256: of the data set."""

    texts: tuple[str, ...]
    parts: NDArray[np.uint8]
    groups: NDArray[np.int32]
    name: str
    sha256: str
    _pictures: NDArray[np.uint8]
    _ends: NDArray[np.int64]

    def part(self, part: Part) -> NDArray[np.int64]:
        """Return the lines of a part, in the order of the data set."""
        return np.flatnonzero(self.parts == part)

    def picture(self, line: int) -> GrayLine:
        """Read the picture of a line from disk."""
        start = int(self._ends[line - 1]) if line else 0
        return open_line(self._pictures[start : int(self._ends[line])].tobytes())


def read_lines(entry: Mapping[str, Any]) -> LineData:
    """Load the data set of a request, {"folder", "name", "sha256", "kind"}. Raises Precondition, reason
    DATASET_UNUSABLE, if its files are damaged.
    """
    folder = Path(entry["folder"])
    try:
        texts = tuple((folder / "texts.txt").read_text(encoding="utf-8").split("\n")[:-1])
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("parts", "writers", "pictures", "ends")]
        parts, groups, pictures, ends = arrays
        if not len(texts) == len(parts) == len(groups) == len(ends) or (len(ends) and ends[-1] != len(pictures)):
            raise ValueError("the numbers of texts and pictures differ")
    except (OSError, ValueError) as error:
        raise unusable_dataset(entry, f"its files are damaged ({error}); delete it and add it again") from error
    return LineData(
        texts=texts,
        parts=parts,
        groups=groups,
        name=str(entry.get("name", "")),
        sha256=str(entry.get("sha256", "")),
        _pictures=pictures,
        _ends=ends,
    )


def require_lines(data: LineData) -> None:
    """Raise Precondition, reason DATASET_UNUSABLE, if there is nothing to train on."""
    if not len(data.part(Part.TRAIN)):
        raise _too_few(data)


def _too_few(data: LineData) -> Precondition:
    return unusable_dataset({"name": data.name}, "its training part has no lines; add some and add it again")

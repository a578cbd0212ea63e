"""Atomic file writes: write a draft beside the target, sync it, then rename it into place."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from haleganada_server.core.disk.failpoints import reach


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file atomically. Raises OSError, and then leaves no draft behind."""
    draft = path.with_name(path.name + ".tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        reach("draft.synced")
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write tensors to a file that is complete even after a power cut. Raises as write_atomically does."""
    write_atomically(path, save(tensors, metadata))

"""Files that are whole or absent: written beside their place, synced, then renamed into it."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors.torch import save
from torch import Tensor


def write_atomically(path: Path, content: bytes) -> None:
    """Put a file in place at once. Raises OSError, and leaves no draft then."""
    draft = path.with_name(path.name + ".tmp")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_safetensors(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """A file that is complete whenever it is there, after a power cut too. Raises OSError, and leaves no draft then."""
    write_atomically(path, save(tensors, metadata))

"""Runs until it is killed: `python -m tests.unit.server.store.kills.killed_registrar DATA`.

Registers two models at a time and deletes the second; prints the id of the first once it is registered.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

import numpy as np
from haleganada_server.store import DataDirectory
from haleganada_server.store.models import ModelFolders
from haleganada_server.vision import PillowRasterizer

from tests.support.tiny_model import TinyModel, write_tiny_model


def main(data: Path) -> None:
    """Never returns."""
    directory = DataDirectory(data, PillowRasterizer())
    folders = ModelFolders(data / "models", directory.temporary_file)
    raster = np.full((128, 128), 255, np.uint8)
    print("ready", flush=True)
    while True:
        made = [write_tiny_model(directory.temporary_file(), TinyModel({"a": raster})) for _ in range(2)]
        kept, deleted = (folders.add(folder, secrets.token_hex(6)) for folder in made)
        print(kept.model_id, flush=True)
        folders.remove(deleted)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

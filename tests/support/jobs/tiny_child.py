"""A job's process that learns nothing, but makes a model that answers:

python -m tests.support.jobs.tiny_child REQUEST.json
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
from pathlib import Path

import numpy as np

from tests.support.jobs.child import epoch_metrics, listen, report
from tests.support.tiny_model import TinyModel, write_tiny_model


def main() -> None:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    threading.Thread(target=listen, args=(threading.Event(),), daemon=True).start()
    folder = Path(request["folder"])
    (folder / "checkpoint").write_text("1")
    report(epoch=epoch_metrics(1))
    chance = np.random.default_rng(1)
    templates = {
        label: chance.integers(0, 2, (128, 128), np.uint8) * np.uint8(255) for label in request["dataset"]["labels"]
    }
    draft = write_tiny_model(folder / "draft", TinyModel(templates, name=request["name"]))
    shutil.rmtree(folder / "model", ignore_errors=True)
    draft.rename(folder / "model")
    report(done={"model": True, "cancelled": False, "result": {}})
    os._exit(0)


if __name__ == "__main__":
    main()

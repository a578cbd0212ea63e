"""Size of a fresh virtual environment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measure_environment(extra: str | None) -> float:
    """Return the size in MB of a new virtual environment with this project and an extra, for example "[server]".

    extra: "" for none; None to leave out the project.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if extra is not None:
            line = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"{ROOT}{extra}"]
            subprocess.run(line, check=True, capture_output=True)
        files = (path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6

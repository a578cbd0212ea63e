"""How large a fresh environment is."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment_megabytes(extra: str | None) -> float:
    """A new virtual environment with this project and an extra ("[server]"; "" = none; None = without the project),
    in MB.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if extra is not None:
            line = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", f"{ROOT}{extra}"]
            subprocess.run(line, check=True, capture_output=True)
        files = (path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6

"""Size of a fresh virtual environment."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


THIN, PAGE, SERVER = (".",), (".[web]",), (".[server]", "./server")
"""What to install from the checkout for the command line, the page and the server."""


def measure_environment(*requirements: str) -> float:
    """Return the size in MB of a new virtual environment with these requirements, for example *SERVER."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        if requirements:
            line = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", *requirements]
            subprocess.run(line, check=True, capture_output=True, cwd=ROOT)
        files = (path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())
        return sum(path.stat().st_size for path in files) / 1e6

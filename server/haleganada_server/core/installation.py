"""How to add an extra to this installation: from the package index, or from the checkout that it runs from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).parents[3]
_OTHER_FOLDERS = {"kannada": " -e server/models/kannada", "latin-hand": " -e server/models/latin_hand"}
"""Of distributions besides the server's that an extra needs."""


def describe_install(extra: str) -> str:
    """Return the command that adds an extra. In a checkout, it is to be run in its top folder."""
    if not (_CHECKOUT / "pyproject.toml").is_file():
        return f"pip install 'haleganada[{extra}]'"
    prefix = Path(sys.prefix)
    folder = prefix.relative_to(_CHECKOUT) if prefix.is_relative_to(_CHECKOUT) else None
    pip = str(folder / ("Scripts" if os.name == "nt" else "bin") / "pip") if folder else "pip"
    return f"{pip} install -e '.[{extra}]' -e server{_OTHER_FOLDERS.get(extra, '')}"

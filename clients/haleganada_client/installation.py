"""How to add an extra to this installation: from the package index, or from the checkout that it runs from."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2]
_CLIENT_EXTRAS = ("web", "font")  # all others are extras of the distribution haleganada-server, too


def describe_install(extra: str) -> str:
    """Return the command that adds an extra. In a checkout, it is to be run in its top folder."""
    if not (_CHECKOUT / "pyproject.toml").is_file():
        return f"pip install 'haleganada[{extra}]'"
    prefix = Path(sys.prefix)
    folder = prefix.relative_to(_CHECKOUT) if prefix.is_relative_to(_CHECKOUT) else None
    pip = str(folder / ("Scripts" if os.name == "nt" else "bin") / "pip") if folder else "pip"
    server = "" if extra in _CLIENT_EXTRAS else " -e server"
    return f"{pip} install -e '.[{extra}]'{server}"

"""Copy the contract's limits to the clients.  With --check, only compare, and fail if anything differs.

The Python client gets the module itself; the page gets a JavaScript module with the same names.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from haleganada_server.core import limits

ROOT = Path(__file__).resolve().parents[1]
CLIENT = ROOT / "clients" / "haleganada_client"
_LARGEST_EXACT = 2**53 - 1  # integer in a JavaScript number
NOTE = "Made from server/haleganada_server/core/limits.py by `make limits`; do not edit."


def copies() -> dict[Path, str]:
    """Return the text of each copy."""
    source = Path(str(limits.__file__)).read_text(encoding="utf-8")
    return {
        CLIENT / "limits.py": f"# {NOTE}\n{source}",
        CLIENT / "web" / "static" / "server" / "limits.js": f"// {NOTE}\n\n{javascript(limits)}",
    }


def javascript(module: ModuleType) -> str:
    """Return the module's constants as JavaScript; a range becomes the attributes of a number input."""
    names = [name for name in vars(module) if name.isupper()]
    return "".join(f"export const {name} = {_literal(getattr(module, name))};\n" for name in names)


def _literal(value: Any) -> str:
    if isinstance(value, limits.Range):
        return f"{{ min: {value.minimum}, max: {min(value.maximum, _LARGEST_EXACT)} }}"
    return json.dumps(value)


def main(arguments: list[str]) -> int:
    outdated = [path for path, text in copies().items() if not path.exists() or path.read_text("utf-8") != text]
    for path in outdated:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is out of date; run `make limits`", file=sys.stderr)
        else:
            path.write_text(copies()[path], encoding="utf-8")
    return 1 if outdated and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

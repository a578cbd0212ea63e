"""Generate the pages of docs/reference/: `make docs`. With --check, only compare, and fail if one differs."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.generate import cli_reference, grpc_reference, limits_reference, python_reference

REFERENCE = Path(__file__).resolve().parents[1] / "reference"
NOTE = "<!-- Made by `make docs`; do not edit. -->"
PAGES = {
    "cli.md": cli_reference,
    "python.md": python_reference,
    "grpc.md": grpc_reference,
    "limits.md": limits_reference,
}


def main() -> int:
    """Write or check every page. Return the exit code."""
    check = sys.argv[1:] == ["--check"]
    stale = []
    for name, generator in PAGES.items():
        page = f"{NOTE}\n\n{generator.render().strip()}\n"
        path = REFERENCE / name
        if path.exists() and path.read_text(encoding="utf-8") == page:
            continue
        stale.append(name)
        if not check:
            path.write_text(page, encoding="utf-8")
    if stale:
        print(f"{'not up to date, run make docs' if check else 'wrote'}: {', '.join(stale)}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())

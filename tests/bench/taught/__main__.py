"""Pages in scripts that only their reader knows: python -m tests.bench.taught [--pages N] [PART …].

Needs HALEGANADA_DATA. Pages are read through the API of a server process; the corrections of the loop are simulated in
this process.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from haleganada_client import HaleganadaClient

from tests.bench.table import Table
from tests.bench.taught import book_pages, cold_start, composed, loop, timing
from tests.bench.taught.ciphers import lines as ciphers
from tests.e2e.processes import fresh_server

_PARTS = ("ciphers", "timing", "composed", "font", "loop", "books", "order")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure reading by what was taught; print Markdown.")
    parser.add_argument("parts", nargs="*", default=_PARTS, metavar="PART", help=f"of {', '.join(_PARTS)}")
    parser.add_argument("--pages", type=int, default=1, help="composed pages of each kind")
    parser.add_argument("--glyphs", type=int, default=400, help="of a page that is corrected in the loop")
    parser.add_argument("--only", default="", metavar="TEXT", help="of the loop, only pages whose names have this")
    parser.add_argument("--plots", type=Path, help="folder for the plots of the loop")
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
    data = Path(root)
    measures: dict[str, Callable[[HaleganadaClient], Table]] = {
        "ciphers": lambda client: ciphers.measure(client, data),
        "timing": lambda _: timing.measure(data),
        "composed": lambda client: composed.measure(client, data, options.pages),
        "font": lambda client: cold_start.measure(client, data),
        "books": lambda _: book_pages.measure(data, options.glyphs),
        "order": lambda _: book_pages.measure_order(data),
        "loop": lambda _: loop.measure(data, options.pages, options.glyphs, options.only, options.plots),
    }
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as running, running.client() as client:
        tables = [measures[part](client) for part in options.parts]
    print("\n" + "\n\n".join(table.markdown() for table in tables))


if __name__ == "__main__":
    main()

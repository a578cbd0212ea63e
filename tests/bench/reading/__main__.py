"""How well and how fast text is read: python -m tests.bench.reading [--lines N] [--pages N] [--variants N]
[--sets FOLDER…].

Needs HALEGANADA_DATA. Runs the engines in this process, on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from haleganada_server.reading.engines import list_engines

from tests.bench.reading import lines, pages
from tests.bench.reading.sets import SETS


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how well text is read; print Markdown.")
    parser.add_argument("--lines", type=int, default=100, help="lines of each set; 0 = none")
    parser.add_argument("--pages", type=int, default=4, help="pages of each set; 0 = none")
    parser.add_argument("--variants", type=int, default=2, help="pages of each printed set to turn and skew; 0 = none")
    parser.add_argument("--sets", nargs="*", default=[], help="folders of sets; default: all")
    parser.add_argument("--seed", type=int, default=0, help="draws the lines and pages")
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
    data, tables = Path(root), []
    sets = [which for which in SETS if not options.sets or which.folder in options.sets]
    if options.lines:
        tables.append(lines.measure(data, sets, options.lines, options.seed))
    if options.pages:
        tables += pages.measure(data, sets, options.pages, options.seed)
    if options.variants:
        tables.append(pages.measure_variants(data, sets, options.variants, options.seed))
    engines = ", ".join(f"{info.display_name} {info.version}" for info in list_engines() if info.installed)
    print(f"\n{engines}\n\n" + "\n\n".join(table.markdown() for table in tables))


if __name__ == "__main__":
    main()

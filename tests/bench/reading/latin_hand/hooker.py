"""Writes 200 lines of Hooker's hand as a data set: python -m tests.bench.reading.latin_hand.hooker OUT.zip.

`haleganada fit --from MODEL` teaches them to a model, as a user teaches a hand. One line in ten is for validation.
"""

from __future__ import annotations

import argparse
import os
import zipfile
from pathlib import Path

from tests.bench.reading.latin_hand.hands import list_taught
from tests.bench.reading.sets import list_rows

_VALIDATED = 10


def main() -> None:
    """Write the data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lines", type=int, default=200)
    given = parser.parse_args()
    data = Path(os.environ["HALEGANADA_DATA"])
    with zipfile.ZipFile(data / "hooker_lines_en" / "lines.zip") as file, zipfile.ZipFile(given.out, "w") as out:
        rows = list_taught(list_rows(file))[: given.lines]
        table = ["path\ttext\tgroup\tpart"]
        for number, (name, text, document) in enumerate(rows):
            part = "validation" if number % _VALIDATED == 0 else "train"
            table.append(f"{name}\t{text}\t{document}\t{part}")
            out.writestr(name, file.read(name))
        out.writestr("lines.tsv", "\n".join(table) + "\n")
    print(f"wrote {given.out}: {len(rows)} lines")


if __name__ == "__main__":
    main()

"""Accuracy on data that no weights were trained on: python -m tests.bench.accuracy [--plots FOLDER].

Needs HALEGANADA_DATA. What users do goes through the API of a server process; the rest uses the same rasters, embedder
and head in this process. Baselines are measured on the same drawings in the same run.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.bench.accuracy import confidence, few_shot, one_shot, teaching, untaught
from tests.bench.accuracy.features import Recognizer
from tests.e2e.processes import fresh_server


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure accuracy and baselines; print Markdown.")
    parser.add_argument("--plots", type=Path, help="also write the plots of docs/accuracy.md to this folder")
    options = parser.parse_args()
    root = os.environ.get("HALEGANADA_DATA")
    if not root:
        sys.exit("set HALEGANADA_DATA to the folder of the data sets")
    data, recognizer = Path(root), Recognizer.load_shipped()
    with tempfile.TemporaryDirectory() as folder, fresh_server(Path(folder)) as running, running.client() as client:
        tables = teaching.measure(client, data)
    tables.append(one_shot.measure(recognizer, data))
    points, answers = few_shot.measure(recognizer, data), confidence.measure(recognizer, data)
    tables += [
        few_shot.make_table(points),
        confidence.make_table(answers),
        *untaught.measure(recognizer, data),
    ]
    print(f"\n{recognizer.name}\n\n" + "\n\n".join(table.markdown() for table in tables))
    if options.plots:
        from tests.bench.accuracy.plots import draw

        draw(options.plots, points, answers, recognizer, data)


if __name__ == "__main__":
    main()

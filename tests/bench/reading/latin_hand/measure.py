"""Readers of handwriting beside each other: python -m tests.bench.reading.latin_hand.measure [MODEL ...].

All read the same lines of hands that were not trained on, which people cut out; of Hooker's hand, those of pages that
no model was taught. MODEL is the folder of a trained model. Texts are compared after normalize_for_comparison; lines of
one hand are drawn together for the intervals, those of Hooker by page. Times are those of one core.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path

from tests.bench.reading.latin_hand.hands import find_hand, list_tested
from tests.bench.reading.line_models import list_readers, measure
from tests.bench.reading.sets import SETS, load_lines
from tests.bench.table import Table


def main() -> None:
    """Measure, and print a table for each set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL")
    hands = {which.folder: which for which in SETS if which.hand}
    parser.add_argument("--set", dest="sets", choices=list(hands), action="append")
    parser.add_argument("--lines", type=int, default=150, help="Of each set.")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    data = Path(os.environ["HALEGANADA_DATA"])
    for folder in given.sets or hands:
        samples = load_lines(data, hands[folder], given.lines, given.seed, partial(list_tested, folder))
        readers = list_readers(hands[folder], [sample.picture for sample in samples], given.models)
        table = Table(hands[folder].name, ("reader", "CER (95 %)", "WER (95 %)", "per line, one core", "lines"))
        measure(samples, readers, table, partial(find_hand, folder))
        print(table.markdown(), flush=True)


if __name__ == "__main__":
    main()

"""python -m tests.bench.damage [--rounds N]: prints a table in Markdown, exits with 1 if any damage went unnoticed."""

from __future__ import annotations

import argparse
import logging
import sys

from tests.bench.damage import records, workspace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500, help="half of them in a workspace's files")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    logging.lastResort = None
    half = arguments.rounds // 2
    outcomes = workspace.measure(arguments.rounds - half, arguments.seed) | records.measure(half, arguments.seed)
    kinds = ("refused", "told", "harmless", "SILENT")
    print("| file | " + " | ".join(kinds) + " |\n|---|" + "---:|" * len(kinds))
    for pattern, counts in outcomes.items():
        print(f"| {pattern} | " + " | ".join(str(counts[kind]) for kind in kinds) + " |")
    sys.exit(any(counts["SILENT"] for counts in outcomes.values()))


if __name__ == "__main__":
    main()

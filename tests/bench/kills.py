"""Kill the server a thousand times with kill -9 while four clients teach: python -m tests.bench.kills [ROUNDS]."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.e2e.server.kill_rounds import run_rounds

RESTART_EVERY = 100  # rounds with one data directory


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    start_time, acknowledged = time.monotonic(), 0
    for start in range(0, rounds, RESTART_EVERY):
        with tempfile.TemporaryDirectory() as folder:
            acknowledged += run_rounds(Path(folder), min(RESTART_EVERY, rounds - start), seed=start)
        print(f"{min(start + RESTART_EVERY, rounds)} kills, {acknowledged} acknowledged samples, none lost", flush=True)
    print(f"{time.monotonic() - start_time:.0f} s")


if __name__ == "__main__":
    main()

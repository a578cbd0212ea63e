"""Kill the server a thousand times with kill -9 while its data directory changes in every way, half of the times at
failpoints: python -m tests.bench.kills [--rounds N] [--seed N] [--record FILE] [--minutes N]. Prints the table of
docs/operating/reliability.md.

A record makes it resumable: each world of 25 rounds adds a line, and its seed is not run again. Several of these may
run side by side with one record, if their seeds differ by more than their rounds. A world in which something was lost
stays on disk, and is named.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.e2e.server.kills.changes import find_failpoints, make_world, run_rounds

ROUNDS_PER_WORLD = 25  # with one data directory


@dataclass(frozen=True)
class Outcome:
    """What a world went through without a loss. kills: where it was killed -> how often. calls: acknowledged ones."""

    seed: int
    kills: dict[str, int]
    calls: int
    seconds: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--record", type=Path, help="file of earlier results, which gets the new ones")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no further world is begun")
    arguments = parser.parse_args()
    outcomes = _read(arguments.record)
    end_time = time.monotonic() + 60 * arguments.minutes
    for start in range(0, arguments.rounds, ROUNDS_PER_WORLD):
        seed = arguments.seed + start
        if seed in {outcome.seed for outcome in outcomes} or time.monotonic() > end_time:
            continue
        outcomes.append(outcome := _run(seed, min(ROUNDS_PER_WORLD, arguments.rounds - start)))
        if arguments.record is not None:
            with arguments.record.open("a", encoding="utf-8") as record:
                record.write(json.dumps(asdict(outcome)) + "\n")
        killed = sum(outcome.kills.values())
        print(f"seed {seed}: {killed} kills, {outcome.calls} acknowledged changes", file=sys.stderr, flush=True)
    _print_table(_read(arguments.record) or outcomes)


def _run(seed: int, rounds: int) -> Outcome:
    folder, start_time = Path(tempfile.mkdtemp(prefix="kills-")), time.monotonic()
    world = make_world(folder / "data", folder / "scratch", seed)
    try:
        run_rounds(world, rounds)
    except BaseException:
        print(f"seed {seed}: after {world.kills.total()} kills; its data are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)
    return Outcome(seed, dict(world.kills), world.calls, time.monotonic() - start_time)


def _read(record: Path | None) -> list[Outcome]:
    if record is None or not record.exists():
        return []
    return [Outcome(**json.loads(line)) for line in record.read_text(encoding="utf-8").splitlines()]


def _print_table(outcomes: Sequence[Outcome]) -> None:
    kills = Counter[str]()
    for outcome in outcomes:
        kills.update(outcome.kills)
    print("| killed | times |\n|---|---:|")
    for where, times in sorted(kills.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"| {where} | {times} |")
    missed = [point for point in find_failpoints() if f"at {point}" not in kills]
    calls, seconds = sum(outcome.calls for outcome in outcomes), sum(outcome.seconds for outcome in outcomes)
    print(
        f"\n{kills.total()} kills, {calls} acknowledged changes, none lost; {seconds / kills.total():.1f} s for each."
    )
    print(f"{len(find_failpoints()) - len(missed)} of {len(find_failpoints())} failpoints; not: {', '.join(missed)}")


if __name__ == "__main__":
    main()

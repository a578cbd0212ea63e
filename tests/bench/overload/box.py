"""A box that a group shares, asked for twice what it can do: python -m tests.bench.overload.box [--minutes N]
[--profile P].

50 clients of 5 people ask it to recognize drawings, at a steady rate, some people three times as much as others. Prints
the table of docs/operating/reliability.md: how soon calls that are let in are answered and others refused, how equal
the people's shares are, and how the server's memory grows.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from haleganada_client import HaleganadaClient
from haleganada_server.core.access.identity import Role

from tests.bench.drawings import LABELS, strokes
from tests.bench.memory import read_memory, sample
from tests.bench.overload.box_caller import Outcomes, read_outcomes, start_callers
from tests.bench.table import Table, describe_quantiles
from tests.e2e.processes import ServerProcess, fresh_server
from tests.support.tokens import add_token

CLIENTS = {"anna": 18, "ben": 11, "cara": 8, "dora": 7, "emil": 6}
TAUGHT, MEMORY_EVERY_S = 40, 1.0


def main() -> None:
    options = read_options()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        tokens = {name: add_token(data, name, Role.TEACH) for name in CLIENTS}
        with fresh_server(data, "--profile", options.profile) as running:
            teach(running, tokens["anna"])
            capacity = measure_capacity(running, tokens, max(3.0, min(20.0, options.minutes * 6)))
            began, pid = time.monotonic(), running.process.pid
            with sample(lambda: (time.monotonic() - began, read_memory(pid) / 1e6), MEMORY_EVERY_S) as memory:
                found = ask_too_much(running, tokens, 2 * capacity, options.minutes * 60)
    print("\n" + describe(found, memory, capacity, options.minutes).markdown())


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the server is asked for too much")
    parser.add_argument("--profile", default="box", help="the server's limits")
    return parser.parse_args()


def teach(running: ServerProcess, token: str) -> None:
    with HaleganadaClient(running.address, token=token) as client:
        for number in range(TAUGHT):
            client.train(strokes(LABELS[number % 10], number), LABELS[number % 10])


def measure_capacity(running: ServerProcess, tokens: dict[str, str], seconds: float) -> float:
    """Return how many drawings a second are recognized when everybody asks again at each answer."""
    callers = [start_callers(running.address, token, 4, 0, seconds) for token in tokens.values()]
    return sum(len(read_outcomes(caller).answered) for caller in callers) / seconds


def ask_too_much(running: ServerProcess, tokens: dict[str, str], rate: float, seconds: float) -> dict[str, Outcomes]:
    """Ask so often each second, all together, and return what became of each one's calls."""
    each = rate / sum(CLIENTS.values())
    callers: dict[str, subprocess.Popen[str]] = {
        name: start_callers(running.address, tokens[name], clients, clients * each, seconds)
        for name, clients in CLIENTS.items()
    }
    return {name: read_outcomes(caller) for name, caller in callers.items()}


def describe(
    found: dict[str, Outcomes], memory: Sequence[tuple[float, float]], capacity: float, minutes: float
) -> Table:
    seconds, asked = minutes * 60, sum(len(one.answered) + len(one.refused) for one in found.values())
    answered = [took for one in found.values() for took in one.answered]
    refused = [took for one in found.values() for took in one.refused]
    shares = {name: len(one.answered) / seconds for name, one in found.items()}
    total = sum(shares.values())
    title = f"{sum(CLIENTS.values())} clients of {len(CLIENTS)} people, {minutes:g} minutes"
    table = Table(title, ("what", "measured"))
    table.add("capacity, asked for, answered a second", f"{capacity:.0f}, {asked / seconds:.0f}, {total:.0f}")
    table.add("asked for by each, a second", _list({n: _count(one) / seconds for n, one in found.items()}))
    table.add("answered of each, a second", _list(shares))
    fair = share_fairly({name: _count(one) / seconds for name, one in found.items()}, total)
    spread = max(abs(shares[name] / fair[name] - 1) for name in found)
    table.add("farthest from the fair share (equal, but nobody gets more than they ask for)", f"{100 * spread:.1f} %")
    table.add("answer, p50, p99", describe_quantiles(answered))
    table.add("refusal, p50, p99", describe_quantiles(refused))
    table.add("reasons", ", ".join(sorted({reason for one in found.values() for reason in one.reasons})) or "none")
    others = Counter(status for one in found.values() for status in one.others)
    table.add("ended otherwise", ", ".join(f"{name} {count}" for name, count in others.items()) or "0")
    table.add("memory at the end; slope over the second half", _describe_growth(memory))
    return table


def share_fairly(wanted: dict[str, float], total: float) -> dict[str, float]:
    """Return the max-min fair shares of a total: equal ones, of which nobody needs more than they want."""
    shares, left = dict[str, float](), total
    for number, (name, want) in enumerate(sorted(wanted.items(), key=lambda one: one[1])):
        shares[name] = min(want, left / (len(wanted) - number))
        left -= shares[name]
    return shares


def _count(one: Outcomes) -> int:
    return len(one.answered) + len(one.refused)


def _list(numbers: dict[str, float]) -> str:
    return ", ".join(f"{name} {number:.1f}" for name, number in numbers.items())


def _describe_growth(samples: Sequence[tuple[float, float]]) -> str:
    """Return the last value, and the slope of the line through the second half (least squares)."""
    late = samples[len(samples) // 2 :]
    if len(late) < 2:
        return "not measured"
    times, sizes = [time for time, _ in late], [size for _, size in late]
    middle, level = sum(times) / len(late), sum(sizes) / len(late)
    spread = sum((time - middle) ** 2 for time in times)
    slope = sum((time - middle) * (size - level) for time, size in late) / spread
    return f"{sizes[-1]:.0f} MB; {60 * slope:+.2f} MB a minute"


if __name__ == "__main__":
    main()

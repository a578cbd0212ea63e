"""Calls at a steady rate, however slowly they are answered.

python -m tests.bench.overload.flood ADDRESS predict|health RATE SECONDS

Prints JSON: the seconds until each answer and until each refusal, and how many calls ended otherwise. In a process of
its own, because threads that share one with the measurement would delay it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import grpc

from tests.bench.load import METHODS, make_requests


@dataclass(slots=True)
class Outcomes:
    """Seconds until the answer, by what it was. others: names of further statuses."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def start_flood(address: str, kind: str, rate: float, seconds: float) -> subprocess.Popen[str]:
    """Start such a process; see read_outcomes."""
    line = [sys.executable, "-m", "tests.bench.overload.flood", address, kind, str(rate), str(seconds)]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def read_outcomes(process: subprocess.Popen[str]) -> Outcomes:
    """Wait for its end, and return what it measured."""
    printed, _ = process.communicate()
    return Outcomes(**json.loads(printed))


def flood(address: str, kind: str, rate: float, seconds: float) -> Outcomes:
    """Make calls at a rate, per second."""
    outcomes, requests, pending = Outcomes(), make_requests(kind), threading.Semaphore(0)
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(METHODS[kind], request_serializer=bytes, response_deserializer=bytes)
        began = time.monotonic()
        count = int(rate * seconds)
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
            _begin(call, requests[number % len(requests)], outcomes, pending)
        for _ in range(count):
            pending.acquire()
    return outcomes


def _begin(call: Any, request: bytes, outcomes: Outcomes, pending: threading.Semaphore) -> None:
    started = time.monotonic()

    def note(done: Any) -> None:
        took = time.monotonic() - started
        if done.code() is grpc.StatusCode.OK:
            outcomes.answered.append(took)
        elif done.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            outcomes.refused.append(took)
        else:
            outcomes.others.append(done.code().name)
        pending.release()

    call.future(request, timeout=60).add_done_callback(note)


if __name__ == "__main__":
    result = flood(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))
    print(json.dumps({name: getattr(result, name) for name in ("answered", "refused", "others")}))

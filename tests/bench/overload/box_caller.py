"""The clients of one person: python -m tests.bench.overload.box_caller ADDRESS TOKEN CLIENTS RATE SECONDS.

Each client has a connection of its own. RATE: calls each second of all of them together, however slowly they are
answered; 0 = each asks again at each answer. Prints JSON, see Outcomes. In a process of its own, because threads that
share one with the measurement would delay it.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from tests.bench.load import METHODS, make_requests
from tests.support.tokens import bearing

ALONE = [("grpc.use_local_subchannel_pool", 1)]
TIMEOUT_S = 60


@dataclass(slots=True)
class Outcomes:
    """Seconds until the answer, or until the refusal. reasons: of refusals. others: names of further statuses."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    def note(self, done: Any, took: float) -> None:
        """Note a call that is over."""
        if done.code() is grpc.StatusCode.OK:
            self.answered.append(took)
        elif done.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            self.refused.append(took)
            if len(self.refused) % 50 == 1:  # taking them apart takes time that others need
                self.reasons = sorted({*self.reasons, _reason_of(done)})
        else:
            self.others.append(done.code().name)


def start_callers(address: str, token: str, clients: int, rate: float, seconds: float) -> subprocess.Popen[str]:
    """Start such a process; see read_outcomes."""
    line = [
        sys.executable,
        "-m",
        "tests.bench.overload.box_caller",
        address,
        token,
        str(clients),
        str(rate),
        str(seconds),
    ]
    return subprocess.Popen(line, stdout=subprocess.PIPE, text=True)


def read_outcomes(process: subprocess.Popen[str]) -> Outcomes:
    """Wait for its end, and return what it measured."""
    printed, _ = process.communicate()
    return Outcomes(**json.loads(printed))


def call_at_rate(calls: list[Any], metadata: Any, rate: float, seconds: float) -> Outcomes:
    """Make calls at random moments, as people do who do not know of each other (a Poisson process)."""
    outcomes, requests, pending = Outcomes(), make_requests("predict"), threading.Semaphore(0)
    chance, due, count = random.Random(len(calls)), time.monotonic(), 0
    end = due + seconds
    while (due := due + chance.expovariate(rate)) < end:
        time.sleep(max(0.0, due - time.monotonic()))
        request = requests[count % len(requests)]
        began = time.monotonic()
        call = calls[count % len(calls)].future(request, timeout=TIMEOUT_S, metadata=metadata)
        count += 1

        def note(done: Any, began: float = began) -> None:
            outcomes.note(done, time.monotonic() - began)
            pending.release()

        call.add_done_callback(note)
    for _ in range(count):
        pending.acquire()
    return outcomes


def call_again_and_again(calls: list[Any], metadata: Any, seconds: float) -> Outcomes:
    """Make each client's next call when its last one is answered."""
    outcomes, requests, end = Outcomes(), make_requests("predict"), time.monotonic() + seconds

    def run(call: Any) -> None:
        number = 0
        while time.monotonic() < end:
            began = time.monotonic()
            done = call.future(requests[number % len(requests)], timeout=TIMEOUT_S, metadata=metadata)
            done.exception()
            outcomes.note(done, time.monotonic() - began)
            number += 1

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def main() -> None:
    address, token, clients, rate, seconds = sys.argv[1:]
    with ExitStack() as stack:
        channels = [stack.enter_context(grpc.insecure_channel(address, ALONE)) for _ in range(int(clients))]
        calls = [
            channel.unary_unary(METHODS["predict"], request_serializer=bytes, response_deserializer=bytes)
            for channel in channels
        ]
        for channel in channels:
            grpc.channel_ready_future(channel).result(TIMEOUT_S)
        if float(rate):
            outcomes = call_at_rate(calls, bearing(token), float(rate), float(seconds))
        else:
            outcomes = call_again_and_again(calls, bearing(token), float(seconds))
    print(json.dumps(asdict(outcomes)))


def _reason_of(done: Any) -> str:
    status, info = rpc_status.from_call(done), ErrorInfo()
    return info.reason if status is not None and status.details[0].Unpack(info) else "none"


if __name__ == "__main__":
    main()

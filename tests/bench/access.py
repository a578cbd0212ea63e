"""Tokens and certificates that change while they are used: python -m tests.bench.access [--short].

How soon a revoked token is refused, on a connection that stays open and on a stream; how many calls fail while the
certificate is replaced; what a token costs a call. Prints the table of docs/operating/reliability.md.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from haleganada.v1 import ocr_service_pb2, ocr_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.config import ServerConfig, Tls
from haleganada_server.core.access.authentication import Authenticator
from haleganada_server.core.access.identity import Role
from haleganada_server.core.access.tokens import make_token
from haleganada_server.rpc.access.guard import Guard
from haleganada_server.rpc.access.rules import read_rules

from tests.bench.table import Table
from tests.conftest import RunningServer, run_server
from tests.support.kept import Kept
from tests.support.network.certificates import Pair, make_pair, trust
from tests.support.tokens import Metadata, add_token, bearing, revoke_token
from tests.support.waiting import wait_until

Stub = ocr_service_pb2_grpc.OCRServiceStub
STATS = ocr.StatsRequest(history_points=0)


def main() -> None:
    short = "--short" in sys.argv[1:]
    table = Table("Tokens and certificates", ("what", "measured"))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        add_token(root / "tokens", "boss", Role.ADMIN)
        server = run_server(ServerConfig(root / "tokens", port=0, device="cpu"))
        rounds = 3 if short else 30
        for name, measure in (("an open connection", revoke_on_connection), ("an open stream", revoke_in_stream)):
            took = [measure(server, root / "tokens", f"{name} {number}") for number in range(rounds)]
            said = f"after {statistics.median(took):.2f} s, at most {max(took):.2f} s"
            table.add(f"a token is revoked, {rounds} times: refused on {name}", said)
        server.stop()
        made, failed = replace_certificates(root, times=2 if short else 20)
        table.add("a certificate is replaced under load: new connections, failed calls", f"{made}, {failed}")
    table.add("what a token costs a Predict", f"{measure_guard(3 if short else 50):.1f} µs")
    print(table.markdown())


def is_refused(call: Callable[[], object]) -> bool:
    try:
        call()
    except grpc.RpcError as error:
        return error.code() == grpc.StatusCode.UNAUTHENTICATED
    return False


def revoke_on_connection(server: RunningServer, data: Path, name: str) -> float:
    """Return the seconds from the revocation to the first refusal."""
    metadata = bearing(add_token(data, name, Role.READ))
    wait_until(lambda: not is_refused(lambda: server.ocr.Stats(STATS, metadata=metadata)))
    revoke_token(data, name)
    began = time.monotonic()
    wait_until(lambda: is_refused(lambda: server.ocr.Stats(STATS, metadata=metadata)))
    return time.monotonic() - began


def revoke_in_stream(server: RunningServer, data: Path, name: str) -> float:
    """Return the seconds from the revocation to the end of an import that waits for its caller."""
    metadata = bearing(add_token(data, name, Role.TEACH))
    wait_until(lambda: not is_refused(lambda: server.ocr.Stats(STATS, metadata=metadata)))
    over, begun = threading.Event(), threading.Event()

    def requests() -> Iterator[ocr.ImportRequest]:
        yield ocr.ImportRequest(header=ocr.ImportHeader())
        begun.set()
        over.wait(60)

    call = server.ocr.Import.future(requests(), metadata=metadata)
    begun.wait(60)
    revoke_token(data, name)
    began = time.monotonic()
    error = call.exception(60)
    took = time.monotonic() - began
    over.set()
    assert isinstance(error, grpc.RpcError) and error.code() == grpc.StatusCode.UNAUTHENTICATED
    return took


def replace_certificates(root: Path, times: int) -> tuple[int, int]:
    """Return how many calls were made, each over a connection of its own, and how many failed."""
    pairs, used = [make_pair(root, "a"), make_pair(root, "b")], Pair(root / "used.pem", root / "used.key")
    used.replace(pairs[0])
    server = run_server(ServerConfig(root / "tls", port=0, device="cpu", tls=Tls(used.certificate, used.key)))
    either, is_over, lock = trust(*pairs), threading.Event(), threading.Lock()
    made, failed = [0], [0]

    def keep_calling() -> None:
        alone = [("grpc.use_local_subchannel_pool", 1)]
        while not is_over.is_set():
            with grpc.secure_channel(f"localhost:{server.app.port}", either, alone) as channel:
                try:
                    Stub(channel).Stats(STATS, timeout=30)
                except grpc.RpcError:
                    with lock:
                        failed[0] += 1
            with lock:
                made[0] += 1

    threads = [threading.Thread(target=keep_calling) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(times):
        used.replace(pairs[(number + 1) % 2])
        goal = made[0] + 20
        wait_for(made, goal)
    is_over.set()
    for thread in threads:
        thread.join()
    server.stop()
    return made[0], failed[0]


def wait_for(made: list[int], goal: int) -> None:
    wait_until(lambda: made[0] >= goal)


@dataclass(frozen=True)
class Call:
    """What a guard sees of a call."""

    metadata: Metadata

    def invocation_metadata(self) -> Metadata:
        return self.metadata

    def peer(self) -> str:
        return "ipv4:127.0.0.1:40000"


def measure_guard(rounds: int) -> float:
    """Return the least microseconds that a guard takes for one Predict with a token of one workspace."""
    rule = read_rules(ocr_service_pb2.DESCRIPTOR.services_by_name.values())["/haleganada.v1.OCRService/Predict"]
    made, shown = make_token("anna", Role.READ, ("kannada",), 1)
    guard, call = Guard(Authenticator(Kept([made])), rule), Call(bearing(shown))
    request = ocr.PredictRequest(workspace="kannada")

    def pass_by() -> None:
        grant = guard.identify(call)  # type: ignore[arg-type]  # which needs nothing else of a context
        guard.admit(grant, call)  # type: ignore[arg-type]
        guard.check(grant, request, call)  # type: ignore[arg-type]

    return min(timeit.repeat(pass_by, number=1000, repeat=rounds)) / 1000 * 1e6


if __name__ == "__main__":
    main()

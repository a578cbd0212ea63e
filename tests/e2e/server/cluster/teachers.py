"""Teachers of several servers: who gets no answer from one repeats the same request at the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from uuid import uuid4

import grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc

from tests.contract.drawings import cross
from tests.support.waiting import wait_until

_CALL_S = 10.0
_REPEATABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED}


@dataclass
class Teachers:
    """Threads that teach until the block of a with statement ends. addresses: returns those of the servers, as they are
    now.
    """

    addresses: Callable[[], Sequence[str]]
    count: int = 4
    taught: dict[str, ocr.TrainResponse] = field(default_factory=dict)
    """What was acknowledged, by request_id."""
    repeated: int = 0
    """How many calls had to be repeated."""

    def __post_init__(self) -> None:
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._teach, args=(number,)) for number in range(self.count)]
        self._problems: list[Exception] = []

    def __enter__(self) -> Teachers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self._problems, self._problems

    def wait_for_more(self, calls: int) -> None:
        """Wait until so many more calls are acknowledged."""
        goal = len(self.taught) + calls
        wait_until(lambda: bool(self._problems) or len(self.taught) >= goal)

    def _teach(self, number: int) -> None:
        try:
            while not self._stopping.is_set():
                request_id = f"{number}-{uuid4()}"
                request = ocr.TrainRequest(
                    label=f"L{len(self.taught) % 7}", glyph=cross(len(self.taught) % 29), request_id=request_id
                )
                self.taught[request_id] = self._repeat_until_taught(request, number)
        except Exception as problem:
            self._problems.append(problem)

    def _repeat_until_taught(self, request: ocr.TrainRequest, turn: int) -> ocr.TrainResponse:
        def try_once() -> ocr.TrainResponse | None:
            nonlocal turn
            addresses = self.addresses()
            with grpc.insecure_channel(addresses[turn % len(addresses)]) as channel:
                try:
                    return ocr_service_pb2_grpc.OCRServiceStub(channel).Train(request, timeout=_CALL_S)
                except grpc.RpcError as error:
                    if error.code() not in _REPEATABLE:
                        raise
                    turn, self.repeated = turn + 1, self.repeated + 1
                    return None

        return wait_until(try_once)


def ask(address: str, revision: int, shift: float = 3.5) -> list[tuple[str, float]]:
    """Return what a server answers that knows a revision: labels with their probabilities, and that of “unknown”."""
    with grpc.insecure_channel(address) as channel:
        request = ocr.PredictRequest(glyph=cross(shift), top_k=50, min_revision=revision)
        found = ocr_service_pb2_grpc.OCRServiceStub(channel).Predict(request, timeout=_CALL_S)
    return [*((one.label, one.probability) for one in found.candidates), ("", found.unknown_probability)]

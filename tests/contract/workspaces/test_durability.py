"""What Train promises on the wire: once, and on disk, or refused as a whole."""

from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc

from tests.conftest import RunningServer
from tests.contract.drawings import cross, ring
from tests.contract.refusals import parse


def test_one_request_id_a_hundred_times_at_once_is_one_sample(server: RunningServer, workspace: str) -> None:
    request = ocr.TrainRequest(workspace=workspace, glyph=cross(), label="a", request_id=str(uuid4()))
    answers = [call.result() for call in [server.ocr.Train.future(request) for _ in range(50)]]
    with ThreadPoolExecutor(50) as pool:
        answers += pool.map(lambda _: server.ocr.Train(request), range(50))
    assert len({(a.sample_id, a.revision, a.loss, a.samples_total) for a in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1
    assert server.ocr.Stats(ocr.StatsRequest(workspace=workspace)).samples_total == 1


def test_teachers_and_readers_together(server: RunningServer, workspace: str) -> None:
    """Each prediction is the one of a published revision: of one revision, there is only one answer that is final."""

    def teach(number: int) -> tuple[int, int]:
        glyph = (cross if number % 2 else ring)(number % 5)
        answer = server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=glyph, label=f"{number % 3}"))
        return answer.sample_id, answer.revision

    def predict(number: int) -> tuple[int, float, bool]:
        final = number % 2 == 0
        answer = server.ocr.Predict(
            ocr.PredictRequest(workspace=workspace, glyph=cross(1), min_revision=0 if final else None)
        )
        assert not (final and answer.provisional)
        return answer.revision, answer.unknown_probability, answer.provisional

    with ThreadPoolExecutor(16) as pool:
        taught, seen = pool.map(teach, range(60)), pool.map(predict, range(200))
        ids, revisions = zip(*taught, strict=True)
        predictions = {(revision, unknown) for revision, unknown, provisional in seen if not provisional}
    assert sorted(ids) == sorted(revisions) == list(range(1, 61))
    assert len({revision for revision, _ in predictions}) == len(predictions)


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_a_full_disk(tmp_path: Path, weights_dir: Path) -> None:
    """Teaching is refused with a time to wait, predictions go on, and all is well when there is room again."""
    flags = ("--listen", "127.0.0.1:0", "--data", str(tmp_path), "--weights", str(weights_dir), "--device", "cpu")
    line = (sys.executable, "-m", "haleganada_server", "serve", *flags)
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split()[3]
        with grpc.insecure_channel(address) as channel:
            stub = ocr_service_pb2_grpc.OCRServiceStub(channel)
            taught = _teach_until_full(stub, process.pid)
            prediction = stub.Predict(ocr.PredictRequest(glyph=cross()))
            assert prediction.candidates[0].label == "a" and prediction.revision == taught
            _limit_files(process.pid, resource.RLIM_INFINITY)
            again = stub.Train(ocr.TrainRequest(glyph=ring(), label="b"))
            assert (again.revision, again.samples_total) == (taught + 1, taught + 1)
        process.terminate()
        assert process.wait(15) == 0


def _teach_until_full(stub: ocr_service_pb2_grpc.OCRServiceStub, process: int) -> int:
    """How many samples fitted; the refusal after them is checked."""
    stub.Train(ocr.TrainRequest(glyph=cross(), label="a"))
    _limit_files(process, 300_000)
    for taught in range(1, 500):
        try:
            stub.Train(ocr.TrainRequest(glyph=cross(taught % 9), label="a"))
        except grpc.RpcError as error:
            refusal = parse(error)
            assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "DISK_FULL")
            assert refusal.retry_s
            return taught
    raise AssertionError("the limit was never met")


def _limit_files(process: int, size: int) -> None:
    """No file of the process may grow beyond `size` bytes."""
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

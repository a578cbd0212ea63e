"""What one caller and one workspace may use: refused early, with the time to wait and the way out, and shown."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import (
    ocr_service_pb2_grpc,
    server_service_pb2,
    server_service_pb2_grpc,
    workspace_service_pb2,
    workspace_service_pb2_grpc,
)
from haleganada_server.core.access.identity import Role
from haleganada_server.core.shares.limits import Scope, ShareLimits
from haleganada_server.store.share_limits import LimitsFile

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import Refusal, expect_refusal, parse
from tests.support.tokens import add_token, with_token
from tests.support.waiting import wait_until

STATS, PREDICT = ocr.StatsRequest(history_points=0), ocr.PredictRequest(glyph=cross())


@pytest.fixture
def tokens(tmp_path: Path) -> dict[str, str]:
    """What anna and ben show."""
    return {name: add_token(tmp_path / "data", name, Role.ADMIN) for name in ("anna", "ben")}


def ocr_as(server: RunningServer, token: str) -> ocr_service_pb2_grpc.OCRServiceStub:
    return ocr_service_pb2_grpc.OCRServiceStub(with_token(server.channel, token))


def call_until_refused(method: Any, request: Any) -> tuple[int, Refusal]:
    for count in range(1000):
        try:
            method(request)
        except grpc.RpcError as error:
            return count, parse(error)
    raise AssertionError("never refused")


def test_a_rate_is_each_callers_own(start_server: StartServer, tokens: dict[str, str]) -> None:
    server = start_server(shares=ShareLimits(calls_per_second=0.5))
    anna, ben = ocr_as(server, tokens["anna"]), ocr_as(server, tokens["ben"])
    count, refusal = call_until_refused(anna.Stats, STATS)
    assert 5 <= count <= 8  # ten seconds' worth, and what came back meanwhile
    assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "RATE_EXCEEDED")
    assert refusal.retry_s and 0 < refusal.retry_s <= 2
    assert "haleganada limits set --caller NAME calls-per-second=N" in refusal.message
    assert expect_refusal(lambda: anna.Predict(PREDICT)).reason == "RATE_EXCEEDED"  # counted together
    ben.Stats(STATS)
    anna.Train(ocr.TrainRequest(label="x", glyph=cross()))  # counted apart
    counted = server.app.server.latencies.errors_by_reason()
    assert counted == {"RATE_EXCEEDED": 2}


def test_one_caller_may_have_another_rate_than_the_others(
    start_server: StartServer, tokens: dict[str, str], tmp_path: Path
) -> None:
    """Also on a server that has none, and from the moment on at which it is set."""
    server, file = start_server(), LimitsFile(tmp_path / "data")
    anna, ben = ocr_as(server, tokens["anna"]), ocr_as(server, tokens["ben"])
    anna.Stats(STATS)
    file.change(lambda before: before.set(Scope.CALLER, "anna", {"calls_per_second": 0.2}))

    def is_refused() -> bool:
        try:
            anna.Stats(STATS)
        except grpc.RpcError as error:
            return parse(error).reason == "RATE_EXCEEDED"
        return False

    wait_until(is_refused)
    for _ in range(20):
        ben.Stats(STATS)
    file.change(lambda before: before.clear(Scope.CALLER, "anna"))
    wait_until(lambda: not is_refused())


def test_a_batch_counts_once_for_each_drawing(start_server: StartServer) -> None:
    server = start_server(shares=ShareLimits(taught_per_second=1))
    batch = ocr.TrainBatchRequest(items=[ocr.TrainItem(label="x", glyph=cross())] * 30)
    assert len(server.ocr.TrainBatch(batch).results) == 30
    refusal = expect_refusal(lambda: server.ocr.TrainBatch(batch))
    assert refusal.reason == "RATE_EXCEEDED" and refusal.retry_s and 15 < refusal.retry_s <= 21


def test_streams_have_a_rate(start_server: StartServer) -> None:
    server = start_server(shares=ShareLimits(long_calls_per_second=0.1))
    list(server.ocr.Export(ocr.ExportRequest()))
    assert expect_refusal(lambda: list(server.ocr.Export(ocr.ExportRequest()))).reason == "RATE_EXCEEDED"
    server.ocr.Stats(STATS)


def test_a_wrong_token_takes_nothing_from_its_name(start_server: StartServer, tokens: dict[str, str]) -> None:
    server = start_server(shares=ShareLimits(calls_per_second=0.1))
    for _ in range(3):
        assert expect_refusal(lambda: ocr_as(server, tokens["anna"] + "x").Stats(STATS)).reason == "TOKEN_WRONG"
    ocr_as(server, tokens["anna"]).Stats(STATS)


def test_who_sends_much_takes_nothing_from_others(start_server: StartServer, tokens: dict[str, str]) -> None:
    """Two turns and few places to wait for one; one caller asks from many threads, the other from three."""
    server, served, over = start_server(workers=2, max_waiting=8), Counter[str](), threading.Event()
    request, lock = ocr.PredictBatchRequest(glyphs=[cross()] * 4), threading.Lock()

    def ask(name: str) -> None:
        method = ocr_as(server, tokens[name]).PredictBatch
        while not over.is_set():
            try:
                method(request)
            except grpc.RpcError as error:
                assert parse(error).reason == "QUEUE_FULL"
                over.wait(0.02)  # in the server's own process, callers who insist would take time from all others
            else:
                with lock:
                    served[name] += 1
                    if served.total() >= 120:
                        over.set()

    threads = [
        threading.Thread(target=ask, args=(name,)) for name, many in (("anna", 12), ("ben", 3)) for _ in range(many)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served["ben"] > 0.35 * served.total()


def test_quotas_are_shown_and_named(start_server: StartServer) -> None:
    limits = ShareLimits(workspace_samples=2, workspace_labels=5, workspaces=1)
    server = start_server(shares=limits, data_quota=10**9)
    for label in "ab":
        server.ocr.Train(ocr.TrainRequest(label=label, glyph=cross()))
    found = {quota.name: (quota.used, quota.limit) for quota in server.ocr.Stats(STATS).quotas}
    assert found == {"workspace-samples": (2, 2), "workspace-labels": (2, 5)}
    refusal = expect_refusal(lambda: server.ocr.Train(ocr.TrainRequest(label="c", glyph=cross())))
    assert (refusal.code, refusal.reason) == (StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED") and refusal.retry_s
    assert (
        "2 of the 2 samples" in refusal.message
        and "haleganada limits set --workspace NAME workspace-samples=N" in refusal.message
    )
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel)
    status = stub.GetServerStatus(server_service_pb2.GetServerStatusRequest()).status
    whole = {quota.name: (quota.used, quota.limit) for quota in status.quotas}
    assert whole["workspaces"] == (1, 1) and whole["data-quota"][1] == 10**9 and "reading-quota" in whole
    workspaces = workspace_service_pb2_grpc.WorkspaceServiceStub(server.channel)
    create = workspace_service_pb2.CreateWorkspaceRequest(workspace="one more")
    assert expect_refusal(lambda: workspaces.CreateWorkspace(create)).reason == "QUOTA_EXCEEDED"


def test_a_batch_tells_which_drawings_had_no_room(start_server: StartServer) -> None:
    server = start_server(shares=ShareLimits(workspace_samples=2))
    items = [ocr.TrainItem(label="x", glyph=cross())] * 3
    results = server.ocr.TrainBatch(ocr.TrainBatchRequest(items=items)).results
    assert [result.error.reason for result in results] == ["", "", "QUOTA_EXCEEDED"]
    assert results[2].error.code == StatusCode.RESOURCE_EXHAUSTED.value[0]

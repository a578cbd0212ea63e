"""ServerService through the generated stubs over loopback."""

from __future__ import annotations

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import server_service_pb2 as pb
from haleganada.v1 import server_service_pb2_grpc

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross


def status(server: RunningServer) -> pb.ServerStatus:
    stub = server_service_pb2_grpc.ServerServiceStub(server.channel)
    return stub.GetServerStatus(pb.GetServerStatusRequest()).status


def test_get_server_status(start_server: StartServer) -> None:
    server = start_server()
    before = status(server)
    server.ocr.Train(ocr.TrainRequest(label="x", glyph=cross()))
    with pytest.raises(grpc.RpcError):
        server.ocr.Predict(ocr.PredictRequest(workspace="nowhere", glyph=cross()))
    after = status(server)
    assert (after.calls_total - before.calls_total, after.calls_failed - before.calls_failed) == (3, 1)
    assert {one.method for one in after.latencies} >= {"Train", "Predict"}
    assert after.samples - before.samples == 1 and after.workspaces == after.workspaces_open == 1
    assert (after.calls_working, after.calls_waiting, after.streams_open) == (1, 0, 0)  # this call itself
    assert after.uptime_seconds > before.uptime_seconds and after.device.startswith("cpu")
    assert after.readers >= 1 and after.memory_bytes > 2**20

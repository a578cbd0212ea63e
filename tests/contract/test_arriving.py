"""Calls that have begun and send no message: a connection has a share of them, and each is waited for a while only."""

from __future__ import annotations

import grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc

from tests.conftest import StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import parse
from tests.e2e.server.load.idle_calls import idle_calls
from tests.support.waiting import wait_until

PREDICTION = "a prediction without its message"


def test_a_connection_has_its_share_and_others_are_answered(start_server: StartServer) -> None:
    server = start_server(max_arriving=8)  # of which a quarter may be one connection's
    with (
        grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel,
        idle_calls(channel, PREDICTION, 5) as calls,
    ):
        wait_until(lambda: sum(not call.is_active() for call in calls) == 3)
        for refused in [call for call in calls if not call.is_active()]:
            refusal = parse(refused)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUEUE_FULL")
            assert "this connection has 2 of 8" in refusal.message
        assert server.ocr.Predict(ocr.PredictRequest(glyph=cross())).prediction_id


def test_who_sends_nothing_is_cut_off(start_server: StartServer) -> None:
    server = start_server(message_s=0.2)
    with grpc.insecure_channel(server.address) as channel, idle_calls(channel, PREDICTION, 3) as calls:
        wait_until(lambda: not any(call.is_active() for call in calls))
        assert {call.code() for call in calls} == {grpc.StatusCode.CANCELLED}


def test_places_come_back(start_server: StartServer) -> None:
    server = start_server(max_arriving=8)
    with grpc.insecure_channel(server.address, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        with idle_calls(channel, PREDICTION, 2):
            pass
        stub = ocr_service_pb2_grpc.OCRServiceStub(channel)

        def is_answered() -> bool:
            try:
                return bool(stub.Predict(ocr.PredictRequest(glyph=cross())).prediction_id)
            except grpc.RpcError:
                return False

        wait_until(is_answered)
        assert all(is_answered() for _ in range(20))

"""Calls over a real channel to a server whose behavior the test decides: retries, deadlines, errors, tokens."""

from __future__ import annotations

import logging
import threading
import time
from itertools import pairwise
from pathlib import Path

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2
from haleganada.v1 import ocr_service_pb2 as pb
from haleganada_client import ClientConfig, HaleganadaClient
from haleganada_client.errors import (
    BY_CODE,
    DeadlineExceeded,
    Exhausted,
    HaleganadaError,
    InvalidInput,
    Unavailable,
)

from tests.support.network.ports import mute_port
from tests.unit.clients.scripted import refuse, scripted_client, serve


class Reluctant:
    """Refuses the first calls with `code`, then learns; remembers the request ids."""

    def __init__(self, refusals: int, reason: str = "") -> None:
        self.ids: list[str] = []
        self._refusals, self._reason = refusals, reason

    def __call__(self, request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        self.ids.append(request.request_id)
        if len(self.ids) <= self._refusals:
            details = [error_details_pb2.ErrorInfo(reason=self._reason)] if self._reason else []
            refuse(context, code_pb2.UNAVAILABLE, *details)
        return pb.TrainResponse(sample_id=7)


def instant(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
    return pb.TrainResponse(sample_id=1)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("reason", ["STOPPING", ""])
def test_an_unavailable_server_is_asked_again_with_the_same_request_id(reason: str) -> None:
    behavior = Reluctant(2, reason)
    with scripted_client(behavior) as client:
        assert client.train(b"picture", "a").sample_id == 7
    assert len(behavior.ids) == 3 and len(set(behavior.ids)) == 1 and behavior.ids[0]


@pytest.mark.usefixtures("kind")
def test_each_call_names_its_workspace_in_its_metadata_for_proxies() -> None:
    named: list[object] = []

    def note(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        named.append(dict(context.invocation_metadata()).get("haleganada-workspace"))
        return pb.TrainResponse(sample_id=1)

    with scripted_client(note, workspace="ಹಳೆ / 1") as client:
        client.train(b"picture", "a")
        client.train(b"picture", "a", workspace="other")
        client.train(b"picture", "a", workspace="")
    assert named == ["%E0%B2%B9%E0%B2%B3%E0%B3%86%20%2F%201", "other", "default"]


@pytest.mark.usefixtures("kind")
def test_waiting_for_a_network_to_learn_has_time_beyond_the_deadline() -> None:
    received: list[tuple[int, float]] = []

    def note(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        received.append((request.wait_learned_ms, context.time_remaining()))
        return pb.TrainResponse(learned=request.wait_learned_ms > 0)

    with scripted_client(note) as client:
        assert not client.train(b"picture", "a").learned
        assert client.train(b"picture", "a", wait_learned_s=59.9999).learned
        for seconds in (-1, 61, float("nan")):
            with pytest.raises(InvalidInput, match="from 0 to 60"):
                client.train(b"picture", "a", wait_learned_s=seconds)
    assert [wait for wait, _ in received] == [0, 60_000] and received[0][1] < 5.1 < 60 < received[1][1]


@pytest.mark.usefixtures("kind")
def test_a_chosen_request_id_is_sent_as_it_is_and_others_differ() -> None:
    behavior = Reluctant(0)
    with scripted_client(behavior) as client:
        client.train(b"picture", "a", request_id="mine")
        client.train(b"picture", "a")
        client.train(b"picture", "a")
    assert behavior.ids[0] == "mine" and len(set(behavior.ids)) == 3


def test_a_call_whose_server_went_away_is_finished_by_its_successor() -> None:
    called, over, ids, answers = threading.Event(), threading.Event(), [], []

    def cut_off(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        ids.append(request.request_id)
        called.set()
        over.wait()
        return pb.TrainResponse()

    successor = Reluctant(0)
    with serve(cut_off) as port:
        client = HaleganadaClient(f"127.0.0.1:{port}")
        caller = threading.Thread(target=lambda: answers.append(client.train(b"picture", "a").sample_id))
        caller.start()
        assert called.wait(60)
    over.set()
    time.sleep(0.3)  # meanwhile nobody listens there, which a call under way waits out
    with serve(successor, port):
        caller.join(60)
    client.close()
    assert answers == [7] and successor.ids == ids[:1]


@pytest.mark.usefixtures("kind")
def test_without_retries_every_failure_is_reported_at_once() -> None:
    behavior = Reluctant(5, "STOPPING")
    with scripted_client(behavior, retry=False) as client, pytest.raises(Unavailable):
        client.train(b"picture", "a")
    assert len(behavior.ids) == 1


def test_what_has_no_request_id_is_not_repeated() -> None:
    resets: list[str] = []
    with (
        serve(instant, resets=resets) as port,
        HaleganadaClient(f"127.0.0.1:{port}") as client,
        pytest.raises(Unavailable),
    ):
        client.reset("default")
    assert resets == ["default"]


@pytest.mark.usefixtures("kind")
def test_retries_end_at_the_deadline_with_the_reason() -> None:
    began = time.monotonic()
    with scripted_client(Reluctant(1000, "STOPPING"), timeout_s=0.8) as client, pytest.raises(Unavailable) as refusal:
        client.train(b"picture", "a")
    assert refusal.value.reason == "STOPPING" and time.monotonic() - began < 3


@pytest.mark.usefixtures("kind")
def test_other_errors_are_not_repeated_and_keep_their_details() -> None:
    calls: list[str] = []

    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        calls.append(request.label)
        violation = error_details_pb2.BadRequest.FieldViolation(field="label", description="is empty")
        info = error_details_pb2.ErrorInfo(reason="INVALID_INPUT", metadata={"call_id": "c1"})
        refuse(context, code_pb2.INVALID_ARGUMENT, info, error_details_pb2.BadRequest(field_violations=[violation]))
        return pb.TrainResponse()

    with scripted_client(behavior) as client, pytest.raises(InvalidInput) as refusal:
        client.train(b"picture", "")
    error = refusal.value
    assert (error.field, error.reason, error.call_id, error.message) == ("label", "INVALID_INPUT", "c1", "no")
    assert len(calls) == 1


@pytest.mark.usefixtures("kind")
def test_a_full_server_says_when_to_come_back() -> None:
    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        retry = error_details_pb2.RetryInfo(retry_delay=Duration(seconds=2, nanos=500_000_000))
        refuse(context, code_pb2.RESOURCE_EXHAUSTED, error_details_pb2.ErrorInfo(reason="DISK_FULL"), retry)
        return pb.TrainResponse()

    with scripted_client(behavior) as client, pytest.raises(Exhausted) as refusal:
        client.train(b"picture", "a")
    assert refusal.value.retry_after_s == 2.5


@pytest.mark.usefixtures("kind")
def test_who_sends_more_than_their_share_comes_back_when_told() -> None:
    began = list[float]()

    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        began.append(time.monotonic())
        if len(began) < 3:
            retry = error_details_pb2.RetryInfo(retry_delay=Duration(nanos=50_000_000))
            refuse(context, code_pb2.RESOURCE_EXHAUSTED, error_details_pb2.ErrorInfo(reason="RATE_EXCEEDED"), retry)
        return pb.TrainResponse(sample_id=7)

    with scripted_client(behavior) as client:
        assert client.train(b"picture", "a").sample_id == 7
    assert min(later - earlier for earlier, later in pairwise(began)) >= 0.05
    began.clear()
    with scripted_client(behavior, retry=False) as client, pytest.raises(Exhausted):
        client.train(b"picture", "a")


@pytest.mark.usefixtures("kind")
def test_every_call_has_a_deadline() -> None:
    over = threading.Event()

    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        over.wait()
        return pb.TrainResponse()

    with scripted_client(behavior, timeout_s=0.3) as client:
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded, match="timeout_s"):
            client.train(b"picture", "a")
        elapsed_s = time.monotonic() - began
        over.set()
        assert elapsed_s < 1.5


def test_nobody_there_is_said_at_once() -> None:
    with HaleganadaClient("127.0.0.1:1") as client:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1; start one with `haleganada serve`") as refusal:
            client.predict(b"picture")
        assert refusal.value.reason == "NO_SERVER"
        assert time.monotonic() - began < 5


def test_a_host_that_has_no_address_is_said_at_once() -> None:
    target = "no-such-host.invalid:5"
    with HaleganadaClient(target) as client:
        began = time.monotonic()
        for call in (client.stats, client.list_workspaces):
            with pytest.raises(Unavailable, match="check the spelling") as refusal:
                call()
            assert target in refusal.value.message and refusal.value.reason == "NO_SERVER"
        assert time.monotonic() - began < 5


def test_calls_that_may_take_long_do_not_wait_as_long_for_a_server_that_is_mute(tmp_path: Path) -> None:
    with mute_port() as port:
        target = f"127.0.0.1:{port}"
        with HaleganadaClient(target, timeout_s=0.3) as client:
            began = time.monotonic()
            for call in (client.stats, lambda: client.export(tmp_path / "out"), lambda: client.import_file(__file__)):
                with pytest.raises(DeadlineExceeded, match="timeout_s"):
                    call()
            assert time.monotonic() - began < 5


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("code", [*BY_CODE, code_pb2.INTERNAL, code_pb2.UNIMPLEMENTED, code_pb2.UNKNOWN])
def test_every_status_is_an_error_of_ours(code: int) -> None:
    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        refuse(context, code)
        return pb.TrainResponse()

    with scripted_client(behavior, timeout_s=1.0) as client, pytest.raises(HaleganadaError) as refusal:
        client.train(b"picture", "a")
    assert type(refusal.value) is not HaleganadaError and refusal.value.message


@pytest.mark.usefixtures("kind")
def test_too_much_for_one_call_is_said_so() -> None:
    with scripted_client(instant) as client, pytest.raises(InvalidInput, match="fewer"):
        client.train(bytes(17 * 2**20), "a")


@pytest.mark.usefixtures("kind")
def test_a_service_that_is_not_there_is_an_old_server() -> None:
    with scripted_client(instant) as client, pytest.raises(HaleganadaError, match="older"):
        client.get_sample(1)


@pytest.mark.usefixtures("kind")
def test_a_token_travels_only_where_nobody_listens_in() -> None:
    seen: list[object] = []

    def behavior(request: pb.TrainRequest, context: grpc.ServicerContext) -> pb.TrainResponse:
        seen.extend(value for key, value in context.invocation_metadata() if key == "authorization")
        return pb.TrainResponse()

    with scripted_client(behavior, token="secret") as client:
        client.train(b"picture", "a")
    assert seen == ["Bearer secret"]
    with pytest.raises(InvalidInput, match="TLS"):
        HaleganadaClient("box.example:50051", token="secret")
    HaleganadaClient("box.example:50051", token="secret", tls=True).close()
    HaleganadaClient("[::1]:50051", token="secret").close()


def test_the_environment_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HALEGANADA_TARGET", "box.example:1")
    monkeypatch.setenv("HALEGANADA_WORKSPACE", "class 4b")
    monkeypatch.setenv("HALEGANADA_TOKEN", "")
    monkeypatch.setenv("HALEGANADA_CA", str(tmp_path / "ca.pem"))
    assert ClientConfig.from_environment() == ClientConfig(
        target="box.example:1", workspace="class 4b", ca=tmp_path / "ca.pem"
    )
    with HaleganadaClient(workspace="mine", tls=False, timeout_s=3) as client:
        assert client.config == ClientConfig(target="box.example:1", workspace="mine", timeout_s=3)
    with pytest.raises(FileNotFoundError):
        HaleganadaClient()


@pytest.mark.usefixtures("kind")
def test_calls_are_told_to_those_who_listen(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "haleganada_client"), scripted_client(instant) as client:
        client.train(b"picture", "a")
    assert [record.getMessage().split(":")[0] for record in caplog.records] == ["TrainRequest"]


@pytest.mark.usefixtures("kind")
def test_a_drawing_that_cannot_be_read_never_reaches_the_server(tmp_path: Path) -> None:
    behavior = Reluctant(0)
    with scripted_client(behavior) as client:
        with pytest.raises(FileNotFoundError):
            client.train(tmp_path / "none.png", "a")
        with pytest.raises(InvalidInput, match="archive"):
            client.export(tmp_path / "out", "zip")
    assert not behavior.ids

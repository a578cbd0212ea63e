"""Tokens that end while they are used, and what their owners see."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import ocr_service_pb2_grpc, reading_service_pb2_grpc, workspace_service_pb2_grpc
from haleganada.v1 import reading_service_pb2 as reading
from haleganada.v1 import workspace_service_pb2 as pb
from haleganada_server.core.access.identity import Role
from haleganada_server.core.shares.limits import ShareLimits

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal, parse
from tests.support.tokens import add_token, revoke_token, wait_until_known, with_token
from tests.support.waiting import wait_until

SOON_S = 5.0  # until a change of the tokens is known: a fifth of a second, and longer on a busy machine


def ocr_as(server: RunningServer, shown: str) -> ocr_service_pb2_grpc.OCRServiceStub:
    return ocr_service_pb2_grpc.OCRServiceStub(with_token(server.channel, shown))


def reading_as(server: RunningServer, shown: str) -> reading_service_pb2_grpc.ReadingServiceStub:
    return reading_service_pb2_grpc.ReadingServiceStub(with_token(server.channel, shown))


def workspaces_as(server: RunningServer, shown: str) -> workspace_service_pb2_grpc.WorkspaceServiceStub:
    return workspace_service_pb2_grpc.WorkspaceServiceStub(with_token(server.channel, shown))


def is_refused(call: Callable[[], object], reason: str) -> bool:
    try:
        call()
    except grpc.RpcError as error:
        assert parse(error).reason == reason
        return True
    return False


def test_a_token_is_known_and_refused_soon(token_server: RunningServer, token_data: Path) -> None:
    shown = add_token(token_data, "anna", Role.READ)
    calls = ocr_as(token_server, shown)
    began = time.monotonic()
    wait_until(lambda: not is_refused(lambda: calls.Stats(ocr.StatsRequest()), "TOKEN_WRONG"))
    assert time.monotonic() - began < SOON_S
    revoke_token(token_data, "anna")
    began = time.monotonic()
    wait_until(lambda: is_refused(lambda: calls.Stats(ocr.StatsRequest()), "TOKEN_REVOKED"))
    assert time.monotonic() - began < SOON_S


def test_a_stream_ends_with_its_token_and_nothing_of_it_is_done(
    token_server: RunningServer, token_data: Path, boss: str
) -> None:
    shown = add_token(token_data, "anna", Role.TEACH)
    wait_until_known(token_server.channel, shown)
    began, over = threading.Event(), threading.Event()

    def requests() -> Iterator[ocr.ImportRequest]:
        yield ocr.ImportRequest(header=ocr.ImportHeader())
        began.set()
        over.wait(60)

    call = ocr_as(token_server, shown).Import.future(requests())
    try:
        assert began.wait(60)
        revoke_token(token_data, "anna")
        revoked = time.monotonic()
        error = call.exception(60)
        took = time.monotonic() - revoked
    finally:
        over.set()
    assert isinstance(error, grpc.RpcError) and parse(error).reason == "TOKEN_REVOKED"
    assert took < SOON_S
    assert ocr_as(token_server, boss).Stats(ocr.StatsRequest()).revision == 0


def test_a_stream_ends_when_its_token_expires(token_server: RunningServer, token_data: Path) -> None:
    shown = add_token(token_data, "anna", Role.READ, days=2 / 86400)
    over = threading.Event()

    def requests() -> Iterator[reading.ReadStreamRequest]:
        over.wait(60)
        yield from ()

    def read() -> grpc.RpcError:
        return parse_error(lambda: list(reading_as(token_server, shown).ReadStream(requests())))

    wait_until_known(token_server.channel, shown)
    try:
        assert parse(read()).reason == "TOKEN_EXPIRED"
    finally:
        over.set()


def parse_error(call: Callable[[], object]) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def test_a_server_asks_for_no_token_until_there_is_one_and_from_then_on(
    start_server: StartServer, token_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server = start_server(data_dir=token_data)

    def ask() -> object:
        return server.ocr.Stats(ocr.StatsRequest())

    assert not is_refused(ask, "")
    add_token(token_data, "anna", Role.READ)
    wait_until(lambda: is_refused(ask, "TOKEN_MISSING"))
    (token_data / "access" / "tokens.json").unlink()
    wait_until(lambda: "there are 0" in caplog.text)
    assert is_refused(ask, "TOKEN_MISSING")


def test_reflection_needs_a_token_and_health_none(start_server: StartServer, token_data: Path, boss: str) -> None:
    server = start_server(data_dir=token_data, reflection=True)
    assert health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest()).status

    def list_services(channel: grpc.Channel) -> list[object]:
        ask = reflection_pb2.ServerReflectionRequest(list_services="*")
        return list(reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([ask])))

    assert list_services(with_token(server.channel, boss))
    assert expect_refusal(lambda: list_services(server.channel)).reason == "TOKEN_MISSING"


def test_tokens_that_cannot_be_read_change_nothing(
    token_server: RunningServer, token_data: Path, boss: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = token_data / "access" / "tokens.json"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"admin", b"teach"))
    wait_until(lambda: "stay valid" in caplog.text)
    ocr_as(token_server, boss).Reset(ocr.ResetRequest(confirm="default"))
    assert boss.split("_", 2)[2] not in caplog.text


def test_lists_show_what_the_token_is_for(token_server: RunningServer, token_data: Path, boss: str) -> None:
    for name in ("a", "b", "c"):
        workspaces_as(token_server, boss).CreateWorkspace(pb.CreateWorkspaceRequest(workspace=name))
    shown = add_token(token_data, "anna", Role.READ, "b", "c", "not yet made")
    calls = workspaces_as(token_server, shown)
    wait_until(lambda: not is_refused(lambda: calls.ListWorkspaces(pb.ListWorkspacesRequest()), "TOKEN_WRONG"))
    first = calls.ListWorkspaces(pb.ListWorkspacesRequest(page_size=1))
    second = calls.ListWorkspaces(pb.ListWorkspacesRequest(page_size=9, page_token=first.next_page_token))
    assert [[one.name for one in page.workspaces] for page in (first, second)] == [["b"], ["c"]]
    assert not second.next_page_token


def test_the_log_says_who_called_and_no_token(
    token_server: RunningServer, boss: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        ocr_as(token_server, boss).Train(ocr.TrainRequest(glyph=cross(0), label="ಅ"))
        wait_until(lambda: 'method=Train caller="boss"' in caplog.text)
        expect_refusal(lambda: ocr_as(token_server, boss + "x").Stats(ocr.StatsRequest()))
        wait_until(lambda: "TOKEN_WRONG" in caplog.text)
    assert boss.split("_", 2)[2] not in caplog.text


def test_the_log_says_who_was_refused(
    start_server: StartServer, token_data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    anna = add_token(token_data, "anna", Role.READ)
    server = start_server(data_dir=token_data, shares=ShareLimits(calls_per_second=0.1))
    with caplog.at_level(logging.INFO):
        ocr_as(server, anna).Stats(ocr.StatsRequest())
        expect_refusal(lambda: ocr_as(server, anna).Stats(ocr.StatsRequest()))
        expect_refusal(lambda: ocr_as(server, anna).Reset(ocr.ResetRequest(confirm="default")))
        wait_until(lambda: "ROLE_TOO_LOW" in caplog.text)
    told = [line for line in caplog.text.splitlines() if "reason=" in line]
    assert len(told) == 2 and all('caller="anna"' in line for line in told)


def test_readings_are_for_who_made_them_and_for_their_workspace(
    token_server: RunningServer, token_data: Path, boss: str
) -> None:
    anna = reading_as(token_server, add_token(token_data, "anna", Role.READ, "a"))
    ravi = reading_as(token_server, add_token(token_data, "ravi", Role.TEACH, "b"))
    all_of_them = reading_as(token_server, boss)
    wait_until(lambda: not is_refused(lambda: ravi.ListReadings(reading.ListReadingsRequest()), "TOKEN_WRONG"))
    made = anna.Read(
        reading.ReadRequest(document=b"TINY\na page", options=reading.ReadOptions(keep=True))
    ).reading.reading_id
    for calls, is_seen in ((anna, True), (ravi, False), (all_of_them, True)):
        listed = calls.ListReadings(reading.ListReadingsRequest()).readings
        assert [one.reading_id for one in listed] == ([made] if is_seen else [])
    for ask in (
        lambda: ravi.GetReading(reading.GetReadingRequest(reading_id=made)),
        lambda: ravi.GetPageImage(reading.GetPageImageRequest(reading_id=made)),
        lambda: ravi.DeleteReading(reading.DeleteReadingRequest(reading_id=made)),
        lambda: list(ravi.ExportReading(reading.ExportReadingRequest(reading_id=made))),
        lambda: ravi.CorrectReading(reading.CorrectReadingRequest(reading_id=made, page=1)),
        lambda: ravi.EvaluateReading(reading.EvaluateReadingRequest(reading_id=made)),
    ):
        found = expect_refusal(ask)
        assert (found.code, found.reason) == (StatusCode.NOT_FOUND, "READING_NOT_FOUND")
    anna.DeleteReading(reading.DeleteReadingRequest(reading_id=made))


def test_a_document_is_read_only_by_a_workspace_of_the_token(
    token_server: RunningServer, token_data: Path, boss: str
) -> None:
    workspaces_as(token_server, boss).CreateWorkspace(pb.CreateWorkspaceRequest(workspace="b"))
    anna = reading_as(token_server, add_token(token_data, "anna", Role.READ, "a"))
    wait_until(lambda: not is_refused(lambda: anna.ListReadings(reading.ListReadingsRequest()), "TOKEN_WRONG"))
    options = reading.ReadOptions(mode=reading.READ_MODE_TAUGHT, workspace="b")
    assert expect_refusal(lambda: anna.Read(reading.ReadRequest(document=b"TINY\na page", options=options))).reason == (
        "WORKSPACE_NOT_ALLOWED"
    )
    allowed = reading.ReadOptions()
    parts = []
    for document_id, chosen in (("taught", options), ("print", allowed)):
        parts += [
            reading.ReadStreamRequest(start=reading.DocumentStart(document_id=document_id, options=chosen)),
            reading.ReadStreamRequest(chunk=b"TINY\na page"),
            reading.ReadStreamRequest(end=reading.DocumentEnd()),
        ]
    results = {
        answer.result.document_id: answer.result.error.reason
        for answer in anna.ReadStream(iter(parts))
        if answer.WhichOneof("part") == "result"
    }
    assert results == {"taught": "WORKSPACE_NOT_ALLOWED", "print": ""}

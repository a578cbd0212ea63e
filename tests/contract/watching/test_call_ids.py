"""The name of a call: from its caller to the log, to its error, and to the job that it starts."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import job_service_pb2, job_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from haleganada_server.logs import JsonFormatter, LogFields
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal
from tests.support.jobs.datasets import add_letters
from tests.support.jobs.world import COMMAND
from tests.support.waiting import wait_until

OURS = "3f2a-of.the_browser"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[list[LogFields]]:
    """The events of calls that were logged so far."""

    class Lines(list[LogFields]):
        def __iter__(self) -> Iterator[LogFields]:
            return iter([record.msg for record in caplog.records if isinstance(record.msg, LogFields)])

    with caplog.at_level(logging.INFO):
        yield Lines()


def test_a_line_of_a_call_has_its_id_method_code_time_and_address(
    server: RunningServer, lines: list[LogFields]
) -> None:
    server.ocr.Predict(ocr.PredictRequest(glyph=cross()), metadata=(("x-request-id", OURS),))
    wait_until(lambda: any(line["call_id"] == OURS for line in lines))
    (line,) = (line for line in lines if line["call_id"] == OURS)
    assert (line["method"], line["code"], line["address"]) == ("Predict", "OK", "127.0.0.1")
    assert 0 < line["ms"] < 60_000


def test_an_error_bears_the_id_of_its_call(server: RunningServer, lines: list[LogFields]) -> None:
    request = ocr.PredictRequest(workspace="nowhere", glyph=cross())
    refusal = expect_refusal(lambda: server.ocr.Predict(request, metadata=(("x-request-id", OURS),)))
    assert refusal.metadata["call_id"] == OURS
    (line,) = (line for line in lines if line["call_id"] == OURS)
    assert (line["code"], line["reason"]) == ("NOT_FOUND", "WORKSPACE_NOT_FOUND")


@pytest.mark.parametrize("given", ["", "two words", "a\\n", "x" * 65, '"quoted"', "a=b"])
def test_an_id_that_may_not_stand_in_a_log_is_replaced(server: RunningServer, given: str) -> None:
    request = ocr.PredictRequest(workspace="nowhere", glyph=cross())
    refusals = [
        expect_refusal(lambda: server.ocr.Predict(request, metadata=(("x-request-id", given),))) for _ in range(2)
    ]
    first, second = (refusal.metadata["call_id"] for refusal in refusals)
    assert first != second and {len(first), len(second)} == {12} and first.isalnum()


def test_calls_that_are_refused_at_once_bear_their_ids_too(start_server: StartServer) -> None:
    server = start_server(workers=2, max_waiting=1)
    work = [
        server.ocr.PredictBatch.future(
            ocr.PredictBatchRequest(glyphs=[cross()] * 200), metadata=(("x-request-id", f"call-{number}"),)
        )
        for number in range(12)
    ]
    ended = {number: call for number, call in enumerate(work) if call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert ended
    for number, call in ended.items():
        details = dict(call.trailing_metadata())["grpc-status-details-bin"]
        assert f"call-{number}".encode() in details


def test_a_log_has_neither_labels_nor_tokens(server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "haleganada_server"):
        metadata = (("authorization", "Bearer a-secret-token"), ("x-request-id", OURS))
        server.ocr.Train(ocr.TrainRequest(label="a-secret-label", glyph=cross()), metadata=metadata)
        expect_refusal(
            lambda: server.ocr.Train(ocr.TrainRequest(label="a-secret\u0007", glyph=cross()), metadata=metadata)
        )
    written = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert OURS in written and "secret" not in written
    assert str(server.app.config.data_dir) not in written
    assert all(isinstance(json.loads(line), dict) for line in written.splitlines())


def test_a_job_bears_the_id_of_the_call_that_asked_for_it(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(JobProcessRunner(COMMAND, {}))
    add_letters(server.app.datasets, tmp_path)
    with HaleganadaClient(server.address) as client:
        page = create_app(client).test_client()
        body = {"preset": "cnn36", "dataset": "letters", "settings": {"epochs": 1}}
        answer = page.post("/page/jobs/training", json=body, headers={"X-Request-Id": OURS}, buffered=True)
        assert answer.status_code == 200, answer.text
        assert answer.headers["X-Request-Id"] == OURS
        (job,) = client.jobs.list()
    assert job.call_id == OURS
    jobs = job_service_pb2_grpc.JobServiceStub(server.channel)
    assert jobs.GetJob(job_service_pb2.GetJobRequest(job_id=job.job_id)).job.call_id == OURS


def test_the_page_names_each_request(server: RunningServer, workspace: str, lines: list[LogFields]) -> None:
    with HaleganadaClient(server.address, workspace=workspace) as client:
        page = create_app(client).test_client()
        first, second = (page.get("/stats", buffered=True).headers["X-Request-Id"] for _ in range(2))
        refusal = page.get("/page/models/nothing", headers={"X-Request-Id": "not a name\u00e9"}, buffered=True)
    assert first != second
    assert {first, second} <= {line["call_id"] for line in lines}
    given = refusal.headers["X-Request-Id"]
    assert refusal.json is not None and refusal.json["call_id"] == given and len(given) == 12


def test_calls_outside_of_a_request_are_named_by_the_server(server: RunningServer, lines: list[LogFields]) -> None:
    with HaleganadaClient(server.address) as client:
        client.stats()
        client.stats()
    ids = [line["call_id"] for line in lines if line["method"] == "Stats"]
    assert len(set(ids)) == 2

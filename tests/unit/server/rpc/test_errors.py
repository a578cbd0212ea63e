"""The table from domain errors to statuses knows every error, and what is unforeseen tells nothing of the inside."""

from __future__ import annotations

import logging

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.core import errors
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.workspaces.workspace import Workspace
from haleganada_server.rpc.errors import STATUS_OF, item_error, status_of

from tests.conftest import RunningServer
from tests.contract.drawings import cross
from tests.contract.refusals import expect_refusal


def family(error: type[errors.HaleganadaError]) -> set[type[errors.HaleganadaError]]:
    return {error}.union(*(family(child) for child in error.__subclasses__()))


def test_the_table_is_complete() -> None:
    assert set(STATUS_OF) == family(errors.HaleganadaError)


def test_what_a_program_may_want_to_know() -> None:
    status = status_of(errors.RevisionMismatch(3, 5), "c0ffee")
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert dict(info.metadata) == {"call_id": "c0ffee", "expected_revision": "3", "revision": "5"}


def test_a_long_message_still_fits_into_a_header() -> None:
    status = status_of(errors.Precondition("x" * 1_000_000, Reason.NOT_LINKED), "c0ffee")
    assert status.ByteSize() < 4096


def test_items_have_the_same_codes_as_calls() -> None:
    error = item_error(errors.InvalidInput("label", "is empty"))
    assert (error.code, error.reason, error.field) == (3, "INVALID_INPUT", "label")
    assert item_error(ZeroDivisionError("secret")).code == 13
    assert "secret" not in item_error(ZeroDivisionError("secret")).message


def test_unforeseen_errors_stay_inside(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(Workspace, "predict", broken)
    with caplog.at_level(logging.ERROR):
        refusal = expect_refusal(lambda: server.ocr.Predict(ocr.PredictRequest(glyph=cross())))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert "secret" not in refusal.message and refusal.metadata["call_id"] in refusal.message
    assert "a secret of the house" in caplog.text and refusal.metadata["call_id"] in caplog.text

"""Two servers on one database, over loopback: what is taught at one is known at the other; the database may be away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada_server.rpc.server import CURRENT

from tests.conftest import RunningServer, StartServer
from tests.contract.cluster.standing import check_health, get_replica
from tests.contract.drawings import cross, ring
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach
from tests.support.postgres import PostgresServer, execute, missing_postgres, postgres_server
from tests.support.waiting import wait_until


@pytest.fixture
def pair(start_server: StartServer, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> list[RunningServer]:
    """Two servers on one database."""
    return [start_server(store=database_url, data_dir=tmp_path_factory.mktemp("data")) for _ in range(2)]


def predict(server: RunningServer, **fields: object) -> ocr.PredictResponse:
    return server.ocr.Predict(ocr.PredictRequest(glyph=cross(2), **fields))  # type: ignore[arg-type]


def test_who_has_taught_at_one_server_can_ask_at_another(pair: list[RunningServer]) -> None:
    one, other = pair
    for number in range(10):
        revision = teach(one, "default", "ಕ", number).revision
        found = predict(other, min_revision=revision)
        assert found.revision == revision and found.candidates[0].samples == number + 1
        one, other = other, one


def test_a_change_is_seen_without_asking_for_it(
    start_server: StartServer, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haleganada_server.store.postgres import feed

    monkeypatch.setattr(feed, "_LOOK_S", 3600.0)  # so that only a notice tells of it
    monkeypatch.setattr(feed, "_LATE_S", 7200.0)
    one, other = (start_server(store=database_url, data_dir=tmp_path / name) for name in ("one", "other"))
    revision = teach(one, "default").revision
    wait_until(lambda: predict(other).revision == revision, 10)
    assert predict(other).knowledge_age_ms == 0


def test_a_change_is_seen_even_if_its_notice_is_lost(
    pair: list[RunningServer], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haleganada_server.store.postgres import feed

    monkeypatch.setattr(feed, "_tell", lambda *_: None)
    revision = teach(pair[0], "default").revision
    wait_until(lambda: predict(pair[1]).revision == revision, 10)


def test_a_prediction_of_one_server_is_corrected_at_another(pair: list[RunningServer]) -> None:
    one, other = pair
    revision = teach(one, "default", "ಕ").revision
    for glyph in (cross(2), ring()):
        found = one.ocr.Predict(ocr.PredictRequest(glyph=glyph, min_revision=revision))
        asked = ocr.CorrectRequest(prediction_id=found.prediction_id, label="ಖ", request_id=found.prediction_id)
        done = other.ocr.Correct(asked)
        assert done.predicted_revision == found.revision
        assert (
            other.ocr.Correct(asked).taught.revision == one.ocr.Correct(asked).taught.revision == done.taught.revision
        )
        revision = done.taught.revision
        assert one.ocr.Predict(ocr.PredictRequest(glyph=glyph, min_revision=revision)).candidates[0].label == "ಖ"
    refusal = expect_refusal(lambda: other.ocr.Correct(ocr.CorrectRequest(prediction_id="none", label="ಖ")))
    assert refusal.reason == "PREDICTION_NOT_FOUND" and "teach the drawing instead" in refusal.message


def test_a_revision_of_the_future_is_waited_for_a_little(pair: list[RunningServer]) -> None:
    revision, begun_s = teach(pair[0], "default").revision, time.monotonic()
    refusal = expect_refusal(lambda: predict(pair[1], min_revision=revision + 1))
    assert refusal.code is grpc.StatusCode.FAILED_PRECONDITION and refusal.reason == "REVISION_NOT_REACHED"
    assert time.monotonic() - begun_s >= 0.5


def test_workspaces_come_and_go_at_all_servers(pair: list[RunningServer]) -> None:
    one, other = pair
    one.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace="ಹೊಸ"))
    taught = teach(other, "ಹೊಸ")
    assert predict(one, workspace="ಹೊಸ", min_revision=taught.revision).revision == taught.revision
    listed = [found.name for found in other.workspaces.ListWorkspaces(workspaces.ListWorkspacesRequest()).workspaces]
    assert listed == ["default", "ಹೊಸ"]
    one.workspaces.DeleteWorkspace(workspaces.DeleteWorkspaceRequest(workspace="ಹೊಸ", confirm="ಹೊಸ"))
    # Until the other server has let go of it, it is busy there.
    wait_until(lambda: expect_refusal(lambda: teach(other, "ಹೊಸ")).reason == "WORKSPACE_NOT_FOUND", 10)
    wait_until(lambda: _is_gone(other), 10)


def _is_gone(server: RunningServer) -> bool:
    try:
        predict(server, workspace="ಹೊಸ")
    except grpc.RpcError as error:
        return bool(error.code() is grpc.StatusCode.NOT_FOUND)
    return False


def test_a_reset_at_one_server_is_one_at_all(pair: list[RunningServer]) -> None:
    one, other = pair
    teach(one, "default", "ಕ")
    revision = teach(other, "default", "ಖ").revision
    reset = one.ocr.Reset(ocr.ResetRequest(confirm="default")).revision
    assert reset > revision
    assert predict(other, min_revision=reset).decision == ocr.DECISION_NOTHING_TAUGHT


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server that may be stopped."""
    if problem := missing_postgres():
        pytest.skip(problem)
    with postgres_server() as server:
        yield server


def test_without_the_database_what_is_known_still_answers(
    start_server: StartServer, own_postgres: PostgresServer
) -> None:
    server = start_server(store=own_postgres.make_database("shared"))
    known = teach(server, "default").revision
    assert get_replica(server).current and check_health(server, CURRENT) == "SERVING"
    own_postgres.stop()
    try:
        old = wait_until(lambda: found if (found := predict(server)).knowledge_age_ms else None, 20)
        assert old.revision == known and old.candidates
        refusal = expect_refusal(lambda: server.ocr.Train(ocr.TrainRequest(glyph=ring(), label="ಖ", request_id="once")))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
        assert refusal.retry_s and 0 < refusal.retry_s <= 5
        assert expect_refusal(lambda: predict(server, min_revision=known + 1)).reason == "REVISION_NOT_REACHED"
        assert not get_replica(server).current and get_replica(server).database_away
        wait_until(lambda: check_health(server, CURRENT) == "NOT_SERVING", 10)
        assert check_health(server, "") == "SERVING", "it still predicts"
    finally:
        own_postgres.start()
    wait_until(lambda: not predict(server).knowledge_age_ms, 20)
    wait_until(lambda: check_health(server, CURRENT) == "SERVING", 10)
    taught = server.ocr.Train(ocr.TrainRequest(glyph=ring(), label="ಖ", request_id="once"))
    assert (taught.revision, taught.duplicate) == (known + 1, False)


def test_damaged_rows_are_said_to_be_damaged(
    start_server: StartServer, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    teach(start_server(store=database_url, data_dir=tmp_path_factory.mktemp("data")), "default")
    execute(database_url, "UPDATE haleganada.samples SET label = 'ಖ'")
    late = start_server(store=database_url, data_dir=tmp_path_factory.mktemp("data"))
    refusal = expect_refusal(lambda: predict(late))
    assert refusal.code is grpc.StatusCode.DATA_LOSS and "sample 1" in refusal.message

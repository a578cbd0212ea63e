"""The metrics of a server: what they count, how they are named, what they never tell."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2
from haleganada_server.config import Tls
from haleganada_server.core.errors import Precondition
from haleganada_server.watching.http import MetricsPage
from prometheus_client import Metric

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross
from tests.contract.watching.scrape import metrics_page, scrape, value
from tests.support.network.certificates import make_pair, needs_openssl
from tests.support.network.ports import mute_port


@pytest.fixture
def watched(start_server: StartServer) -> Iterator[tuple[RunningServer, str]]:
    """A server of its own, and the address of its metrics."""
    server = start_server(data_quota=2**30)
    with metrics_page(server.app) as page:
        yield server, page.url


def test_calls_are_counted_by_method_and_code(watched: tuple[RunningServer, str]) -> None:
    server, url = watched
    for _ in range(3):
        server.ocr.Predict(ocr.PredictRequest(glyph=cross()))
    for _ in range(2):
        with pytest.raises(grpc.RpcError):
            server.ocr.Predict(ocr.PredictRequest(workspace="nowhere", glyph=cross()))
    found = scrape(url)
    assert value(found, "haleganada_grpc_requests_total", method="Predict", code="OK") == 3
    assert value(found, "haleganada_grpc_requests_total", method="Predict", code="NOT_FOUND") == 2
    assert value(found, "haleganada_grpc_errors_total", reason="WORKSPACE_NOT_FOUND") == 2
    assert value(found, "haleganada_grpc_request_duration_seconds_count", method="Predict") == 5
    assert 0 < value(found, "haleganada_grpc_request_duration_seconds_sum", method="Predict") < 60
    assert value(found, "haleganada_grpc_request_wait_seconds_count") == 5


def test_batches_commits_and_samples_are_counted(watched: tuple[RunningServer, str]) -> None:
    server, url = watched
    before = scrape(url)
    items = [ocr.TrainItem(label=label, glyph=cross(place)) for place, label in enumerate("abc")]
    server.ocr.TrainBatch(ocr.TrainBatchRequest(items=items))
    server.workspaces.CreateWorkspace(workspace_service_pb2.CreateWorkspaceRequest(workspace="another"))
    found = scrape(url)

    def growth(name: str) -> float:
        return value(found, name) - value(before, name)

    assert growth("haleganada_encoder_batch_drawings_sum") == 3
    assert growth("haleganada_encoder_batch_duration_seconds_count") >= 1
    assert growth("haleganada_commit_duration_seconds_count") >= 1
    assert growth("haleganada_commit_duration_seconds_sum") > 0
    assert growth("haleganada_samples") == 3
    assert growth("haleganada_workspaces") == growth("haleganada_workspaces_open") == 1
    assert value(found, "haleganada_data_bytes") > 0 and value(found, "haleganada_data_quota_bytes") == 2**30


def test_calls_that_are_refused_are_counted_with_their_reason(start_server: StartServer) -> None:
    server = start_server(workers=2, max_waiting=1)
    with metrics_page(server.app) as page:
        work = [server.ocr.PredictBatch.future(ocr.PredictBatchRequest(glyphs=[cross()] * 200)) for _ in range(12)]
        codes = [call.code().name for call in work]
        found = scrape(page.url)
    refused = codes.count("RESOURCE_EXHAUSTED")
    assert refused and codes.count("OK")
    assert value(found, "haleganada_grpc_errors_total", reason="QUEUE_FULL") == refused
    assert value(found, "haleganada_grpc_requests_total", method="PredictBatch", code="RESOURCE_EXHAUSTED") == refused


def test_names_follow_the_conventions_and_tell_no_names_of_users(watched: tuple[RunningServer, str]) -> None:
    server, url = watched
    server.workspaces.CreateWorkspace(workspace_service_pb2.CreateWorkspaceRequest(workspace="a-secret-name"))
    server.ocr.Train(ocr.TrainRequest(workspace="a-secret-name", label="a-secret-label", glyph=cross()))
    with pytest.raises(grpc.RpcError):
        server.channel.unary_unary("/haleganada.v1.OCRService/ASecretMethod", request_serializer=bytes)(b"")
    with urlopen(url) as answer:
        assert "secret" not in answer.read().decode().casefold()
    for family in scrape(url).values():
        if family.name.startswith("haleganada_"):
            assert family.documentation, family.name
            _require_base_unit(family)
    labels = {key for family in scrape(url).values() for sample in family.samples for key in sample.labels}
    assert labels <= {
        "code", "device", "implementation", "le", "major", "method", "minor", "patchlevel", "python", "quota", "reason",
        "state", "version", "weights",
    }  # fmt: skip


def _require_base_unit(family: Metric) -> None:
    if family.type == "histogram":
        assert family.name.endswith(("_seconds", "_drawings")), family.name
    assert not re.search("_(ms|milliseconds|mb|percent)(_|$)", family.name), family.name


def test_only_metrics_are_served(watched: tuple[RunningServer, str]) -> None:
    _, url = watched
    with pytest.raises(HTTPError) as caught:
        urlopen(url.replace("/metrics", "/"))
    assert caught.value.code == 404
    caught.value.close()


def test_an_address_that_is_taken_is_told(server: RunningServer) -> None:
    with mute_port() as taken, pytest.raises(Precondition, match="--metrics"):
        MetricsPage(server.app, "127.0.0.1", taken)


@needs_openssl
def test_the_end_of_the_certificate_is_told(start_server: StartServer, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "server")
    server = start_server(tls=Tls(pair.certificate, pair.key))
    with metrics_page(server.app) as page:
        ends = value(scrape(page.url), "haleganada_tls_certificate_expiry_timestamp_seconds")
    assert abs(ends - time.time() - 2 * 24 * 3600) < 3600


def test_without_tls_no_certificate_is_told(watched: tuple[RunningServer, str]) -> None:
    _, url = watched
    assert "haleganada_tls_certificate_expiry_timestamp_seconds" not in scrape(url)


def test_a_server_tells_where_its_metrics_are(tmp_path: Path) -> None:
    line = [sys.executable, "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--data", str(tmp_path)]
    with subprocess.Popen([*line, "--metrics", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = next(match for printed in process.stdout if (match := re.search(r"Metrics are at (\S+)", printed)))
        try:
            assert found[1].startswith("http://127.0.0.1:")
            assert value(scrape(found[1]), "haleganada_workspaces") == 1
        finally:
            process.terminate()

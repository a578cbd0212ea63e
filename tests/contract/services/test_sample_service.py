"""SampleService through the generated stubs over loopback: what each RPC does."""

from __future__ import annotations

import grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1.common_pb2 import Glyph

from tests.conftest import RunningServer
from tests.contract.drawings import picture
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach


def test_list_samples(server: RunningServer, workspace: str) -> None:
    taught = [teach(server, workspace, "ab"[shift % 2], shift).sample_id for shift in range(5)]
    found: list[int] = []
    request = samples.ListSamplesRequest(workspace=workspace, page_size=2, with_pictures=True)
    while True:
        page = server.samples.ListSamples(request)
        assert page.total_size == 5 and len(page.samples) <= 2
        assert all(sample.picture.startswith(b"\x89PNG") for sample in page.samples)
        found += [sample.sample_id for sample in page.samples]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == taught[::-1]
    only = server.samples.ListSamples(samples.ListSamplesRequest(workspace=workspace, label="a", page_size=9999))
    assert [sample.label for sample in only.samples] == ["a"] * 3 and not only.samples[0].picture


def test_get_sample(server: RunningServer, workspace: str) -> None:
    taught = server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=Glyph(image=picture("JPEG")), label="a"))
    sample = server.samples.GetSample(samples.GetSampleRequest(workspace=workspace, sample_id=taught.sample_id)).sample
    assert (sample.label, sample.canonical, sample.loss, sample.revision) == ("a", "a", taught.loss, taught.revision)
    assert sample.picture.startswith(b"\x89PNG") and sample.create_time.seconds > 1_600_000_000


def test_update_sample(server: RunningServer, workspace: str) -> None:
    sample_id = teach(server, workspace, "wrong").sample_id
    request = samples.UpdateSampleRequest(workspace=workspace, sample_id=sample_id, label="right", request_id="r")
    answer = server.samples.UpdateSample(request)
    assert (answer.sample.label, answer.revision, answer.duplicate) == ("right", 2, False)
    assert server.samples.UpdateSample(request).duplicate


def test_delete_sample(server: RunningServer, workspace: str) -> None:
    sample_id = teach(server, workspace).sample_id
    answer = server.samples.DeleteSample(samples.DeleteSampleRequest(workspace=workspace, sample_id=sample_id))
    assert answer.revision == 2
    get = samples.GetSampleRequest(workspace=workspace, sample_id=sample_id)
    assert expect_refusal(lambda: server.samples.GetSample(get)).code == grpc.StatusCode.NOT_FOUND

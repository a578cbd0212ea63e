"""Messages of SampleService <- the domain's values."""

from __future__ import annotations

from haleganada.v1 import sample_service_pb2

from haleganada_server.core.workspaces.types import Sample, SampleChange, SamplePage
from haleganada_server.rpc import pages

from .common import timestamp


def sample(value: Sample) -> sample_service_pb2.Sample:
    return sample_service_pb2.Sample(
        sample_id=value.sample_id,
        label=value.label,
        canonical=value.canonical,
        loss=value.loss,
        create_time=timestamp(value.time_us),
        revision=value.revision,
        predicted=value.predicted,
        correction=value.correction,
        picture=value.picture,
        synthetic=value.synthetic,
        author=value.author,
    )


def sample_page(value: SamplePage) -> sample_service_pb2.ListSamplesResponse:
    return sample_service_pb2.ListSamplesResponse(
        samples=[sample(entry) for entry in value.samples],
        next_page_token=pages.encode("samples", value.next_before),
        total_size=value.total,
        revision=value.revision,
    )


def relabeled(value: SampleChange) -> sample_service_pb2.UpdateSampleResponse:
    return sample_service_pb2.UpdateSampleResponse(
        sample=sample(value.sample) if value.sample else None, revision=value.revision, duplicate=value.duplicate
    )


def forgotten(value: SampleChange) -> sample_service_pb2.DeleteSampleResponse:
    return sample_service_pb2.DeleteSampleResponse(revision=value.revision, duplicate=value.duplicate)

"""SampleService."""

from __future__ import annotations

import grpc
from haleganada.v1 import sample_service_pb2 as pb
from haleganada.v1 import sample_service_pb2_grpc

from haleganada_server.core.workspaces import Workspaces

from . import convert, validate

Context = grpc.ServicerContext
_KIND = "samples"


class SampleServicer(sample_service_pb2_grpc.SampleServiceServicer):
    """Unpack, call, pack."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def ListSamples(self, request: pb.ListSamplesRequest, context: Context) -> pb.ListSamplesResponse:
        before, limit = validate.page_start(_KIND, request.page_token, 0), validate.page_size(request.page_size)
        workspace = self._workspaces.get(request.workspace)
        page = workspace.samples(request.label, before, limit, request.with_pictures)
        return pb.ListSamplesResponse(
            samples=[convert.sample(sample) for sample in page.samples],
            next_page_token=validate.page_token(_KIND, page.next_before) if page.next_before else "",
            total_size=page.total,
            revision=page.revision,
        )

    def GetSample(self, request: pb.GetSampleRequest, context: Context) -> pb.GetSampleResponse:
        sample = self._workspaces.get(request.workspace).sample(request.sample_id)
        return pb.GetSampleResponse(sample=convert.sample(sample))

    def UpdateSample(self, request: pb.UpdateSampleRequest, context: Context) -> pb.UpdateSampleResponse:
        change = self._workspaces.get(request.workspace).relabel(
            request.sample_id, request.label, *_change(request, context)
        )
        sample = convert.sample(change.sample) if change.sample else None
        return pb.UpdateSampleResponse(sample=sample, revision=change.revision, duplicate=change.duplicate)

    def DeleteSample(self, request: pb.DeleteSampleRequest, context: Context) -> pb.DeleteSampleResponse:
        change = self._workspaces.get(request.workspace).forget(request.sample_id, *_change(request, context))
        return pb.DeleteSampleResponse(revision=change.revision, duplicate=change.duplicate)


def _change(request: pb.UpdateSampleRequest | pb.DeleteSampleRequest, context: Context) -> tuple[str, int | None, str]:
    """request_id, expected_revision and client of a change."""
    return validate.request_id(request.request_id), convert.optional(request, "expected_revision"), context.peer()

"""SampleService: unpack, call the domain, pack."""

from __future__ import annotations

import grpc
from haleganada.v1 import sample_service_pb2 as pb
from haleganada.v1 import sample_service_pb2_grpc

from haleganada_server.core.workspaces.workspaces import Workspaces

from .. import pages, validate
from ..caller import caller
from ..convert import common
from ..convert import samples as convert

Context = grpc.ServicerContext


class SampleServicer(sample_service_pb2_grpc.SampleServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    def ListSamples(self, request: pb.ListSamplesRequest, context: Context) -> pb.ListSamplesResponse:
        limit, before = validate.page_size(request.page_size), pages.decode("samples", request.page_token, 0)
        with self._workspaces.use(request.workspace) as workspace:
            return convert.sample_page(workspace.samples(request.label, before, limit, request.with_pictures))

    def GetSample(self, request: pb.GetSampleRequest, context: Context) -> pb.GetSampleResponse:
        with self._workspaces.use(request.workspace) as workspace:
            sample = workspace.sample(validate.sample_id(request.sample_id))
        return pb.GetSampleResponse(sample=convert.sample(sample))

    def UpdateSample(self, request: pb.UpdateSampleRequest, context: Context) -> pb.UpdateSampleResponse:
        sample_id, request_id = validate.sample_id(request.sample_id), validate.request_id(request.request_id)
        expected, batch_id = common.expected_revision(request), validate.batch_id(request.batch_id)
        with self._workspaces.use(request.workspace) as workspace:
            change = workspace.relabel(sample_id, request.label, request_id, expected, caller(context), batch_id)
        return convert.relabeled(change)

    def DeleteSample(self, request: pb.DeleteSampleRequest, context: Context) -> pb.DeleteSampleResponse:
        sample_id, request_id = validate.sample_id(request.sample_id), validate.request_id(request.request_id)
        expected, batch_id = common.expected_revision(request), validate.batch_id(request.batch_id)
        with self._workspaces.use(request.workspace) as workspace:
            change = workspace.forget(sample_id, request_id, expected, caller(context), batch_id)
        return convert.forgotten(change)

"""DatasetService: unpack, call the domain, pack."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from haleganada.v1 import dataset_service_pb2 as pb
from haleganada.v1 import dataset_service_pb2_grpc

from haleganada_server.core.datasets.datasets import Datasets, UploadStore, require_known_format, validate_options
from haleganada_server.core.datasets.preview import DatasetPreviewer, PreviewRequest
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.limits import (
    DEFAULT_PREVIEW_DRAWINGS,
    DEFAULT_PREVIEW_VIEWS,
    MAX_RECEIVED_CHUNK_BYTES,
    PREVIEW_DRAWINGS,
    PREVIEW_VIEWS,
)

from .. import pages, validate
from ..caller import cancellation
from ..calls.places import Places
from ..convert import datasets as convert

Context = grpc.ServicerContext


@dataclass(frozen=True, slots=True, eq=False)
class DatasetDependencies:
    """What the service uses. place: returns the file or folder on the server's disk that a caller names."""

    datasets: Datasets
    uploads: UploadStore
    place: Callable[[str], Path]
    previewer: DatasetPreviewer


class DatasetServicer(dataset_service_pb2_grpc.DatasetServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(self, tools: DatasetDependencies, slots: Places) -> None:
        self._datasets, self._uploads = tools.datasets, tools.uploads
        self._place, self._previewer = tools.place, tools.previewer
        self._slots = slots

    def UploadDataset(
        self, request_iterator: Iterator[pb.UploadDatasetRequest], context: Context
    ) -> pb.UploadDatasetResponse:
        header = _header(request_iterator)
        options = validate_options(convert.options(header.options))
        sha256 = validate.sha256("header.sha256", header.sha256)
        require_known_format(header.file_name)
        with self._slots.one(context):
            chunks = _chunks(request_iterator)
            path = self._uploads.receive(sha256, header.offset_bytes, chunks, lambda: _stays_there(context.is_active))
            try:
                made = self._datasets.add(path, header.file_name, options, cancellation(context))
            except InvalidInput:
                self._uploads.remove(sha256)  # sending it again would not help
                raise
            self._uploads.remove(sha256)
        return pb.UploadDatasetResponse(dataset=convert.dataset(made))

    def GetUpload(self, request: pb.GetUploadRequest, context: Context) -> pb.GetUploadResponse:
        return pb.GetUploadResponse(
            received_bytes=self._uploads.bytes_received(validate.sha256("sha256", request.sha256))
        )

    def AddDataset(self, request: pb.AddDatasetRequest, context: Context) -> pb.AddDatasetResponse:
        options = validate_options(convert.options(request.options))
        validate.named("path", request.path)
        path = self._place(request.path)
        with self._slots.one(context):
            made = self._datasets.add(path, path.name, options, cancellation(context))
        return pb.AddDatasetResponse(dataset=convert.dataset(made))

    def GetDataset(self, request: pb.GetDatasetRequest, context: Context) -> pb.GetDatasetResponse:
        found = self._datasets.get(validate.required_id("dataset_id", request.dataset_id))
        return pb.GetDatasetResponse(dataset=convert.dataset(found))

    def ListDatasets(self, request: pb.ListDatasetsRequest, context: Context) -> pb.ListDatasetsResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("datasets", request.page_token, "")
        found = self._datasets.page(after, limit + 1)
        shown, following = found[:limit], found[limit - 1].dataset_id if len(found) > limit else ""
        return pb.ListDatasetsResponse(
            datasets=[convert.dataset_summary(info) for info in shown],
            next_page_token=pages.encode("datasets", following),
        )

    def DeleteDataset(self, request: pb.DeleteDatasetRequest, context: Context) -> pb.DeleteDatasetResponse:
        self._datasets.delete(validate.required_id("dataset_id", request.dataset_id))
        return pb.DeleteDatasetResponse()

    def PreviewDataset(self, request: pb.PreviewDatasetRequest, context: Context) -> pb.PreviewDatasetResponse:
        preview = PreviewRequest(
            validate.required_id("preset", request.preset),
            validate.count("drawings", request.drawings, PREVIEW_DRAWINGS, DEFAULT_PREVIEW_DRAWINGS),
            validate.count("views", request.views, PREVIEW_VIEWS, DEFAULT_PREVIEW_VIEWS),
            request.seed,
        )
        info = self._datasets.get(validate.required_id("dataset_id", request.dataset_id))
        with self._slots.one(context):
            sheet = self._previewer.draw_sheet(info, self._datasets.folder(info.dataset_id), preview)
        return convert.preview(sheet)


def _stays_there(is_active: Callable[[], bool], patience_s: float = 1.0) -> bool:
    """Return whether a caller whose stream has ended is still there. gRPC ends the stream of a caller that is gone like
    that of one that has sent everything, and may notice the difference only a moment later.
    """
    deadline = time.monotonic() + patience_s
    while is_active():
        if time.monotonic() >= deadline:
            return True
        time.sleep(0.02)
    return False


def _header(requests: Iterator[pb.UploadDatasetRequest]) -> pb.UploadDatasetHeader:
    first = next(requests, None)
    if first is None or first.WhichOneof("part") != "header":
        raise InvalidInput("header", "is missing; an upload starts with it")
    return first.header


def _chunks(requests: Iterator[pb.UploadDatasetRequest]) -> Iterator[bytes]:
    """Yield the chunks. Raises InvalidInput for anything else, and for a chunk that is too large."""
    for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise InvalidInput("part", "is out of order; send one header, then chunks")
        if len(request.chunk) > MAX_RECEIVED_CHUNK_BYTES:
            raise InvalidInput(
                "chunk", f"has {len(request.chunk):,} bytes; at most {MAX_RECEIVED_CHUNK_BYTES:,} are allowed"
            )
        yield request.chunk

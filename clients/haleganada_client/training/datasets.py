"""Data sets of drawings or lines to train and evaluate models on: `client.datasets`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import BinaryIO

from haleganada.v1 import dataset_service_pb2 as pb
from haleganada.v1 import dataset_service_pb2_grpc

from ..calls.dual import Asynchronous, Blocking, dual_method
from ..errors import NO_SERVER, Unavailable
from ..labeled.label_file import Labels
from ..labeled.labeled_zip import name_folder, open_labeled
from ..operations.base import Operations
from ..types import RefusedItem
from ..wire import convert
from ..wire.arguments import parse_choice, to_path
from ..wire.build import build
from ..wire.packing import hash_file, open_packed

_CHUNK_BYTES = 256 * 1024
_IMPORT_TIMEOUT_S = 6 * 3600.0
_PREVIEW_TIMEOUT_S = 150.0
_MAX_IDLE_RESUMES = 20  # in a row, without a new byte
_PAUSE_S = 1.0
_SPLITS = {
    "auto": pb.SPLIT_RULE_UNSPECIFIED,
    "stratified": pb.SPLIT_RULE_STRATIFIED,
    "writer": pb.SPLIT_RULE_BY_WRITER,
}
_ORIENTATIONS = {
    "auto": pb.IDX_ORIENTATION_UNSPECIFIED,
    "upright": pb.IDX_ORIENTATION_UPRIGHT,
    "transposed": pb.IDX_ORIENTATION_TRANSPOSED,
}
LINE_FORMATS = {
    "auto": pb.LINE_FORMAT_UNSPECIFIED,
    "lines-tsv": pb.LINE_FORMAT_TSV,
    "iam": pb.LINE_FORMAT_IAM,
    "words": pb.LINE_FORMAT_WORDS,
    "alto": pb.LINE_FORMAT_ALTO,
    "page": pb.LINE_FORMAT_PAGE,
}
Progress = Callable[[int, int], None]
"""Called with the number of bytes sent so far and in all."""
_KINDS = {pb.DATASET_KIND_DRAWINGS: "drawings", pb.DATASET_KIND_LINES: "lines"}


@dataclass(frozen=True)
class DatasetLabel:
    """Number of items of one label in each part."""

    label: str
    train: int
    validation: int
    test: int


@dataclass(frozen=True)
class RepeatedItem:
    """An item that was left out because the same image is there again, and the one that was kept.

    part: that the source gives it: train, validation or test; "" if it gives none. kept_part: that the kept one is in;
    "" if that was not noted.
    """

    item: str
    kept: str
    part: str
    kept_part: str


@dataclass(frozen=True)
class DatasetNote:
    """Something to know before trusting a metric. reason: a stable word. labels: those that it concerns."""

    reason: str
    message: str
    labels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Drawings, each with its label and its part, or lines, each with its text and its part; kind: drawings or lines.
    Labels of lines are their characters.

    sha256: of drawings, labels and parts. labels, refused, leaked, duplicated, notes: () in lists. writers: 0 if they
    are not known. train, validation, test: labeled items; unknown: those of none of the labels, which teach models
    what to call unknown. refused: at most 1,000 of refused_total. leaks: left out because the same image is in a later
    part; leaked: at most 1,000 of them. duplicates: left out because it is in the same part; duplicated: at most 1,000
    of them. imbalance: items of the largest label to train on over those of the smallest. damage: why it cannot be
    used, and what to do; "" if nothing is known against it.
    """

    dataset_id: str
    name: str
    create_time: datetime
    sha256: str
    train: int
    validation: int
    test: int
    labels: tuple[DatasetLabel, ...]
    labels_total: int
    writers: int
    refused: tuple[RefusedItem, ...]
    refused_total: int
    leaks: int
    duplicates: int
    imbalance: float
    size_bytes: int
    leaked: tuple[RepeatedItem, ...]
    duplicated: tuple[RepeatedItem, ...]
    notes: tuple[DatasetNote, ...]
    unknown: DatasetLabel
    damage: str
    kind: str = "drawings"


@dataclass(frozen=True)
class DatasetPreview:
    """Drawings as a network receives them. sheet: a PNG, a row for each label, enlarged. input_size_px: height and
    width of one drawing as the network receives it.
    """

    sheet: bytes = field(repr=False)
    labels: tuple[str, ...]
    input_size_px: int


class DatasetOperations(Operations):
    """What DatasetsClient and AsyncDatasetsClient do."""

    @cached_property
    def _stub(self) -> dataset_service_pb2_grpc.DatasetServiceStub:
        return self._connection.make_stub(dataset_service_pb2_grpc.DatasetServiceStub)

    @dual_method
    async def upload(
        self,
        path: str | os.PathLike[str],
        *,
        name: str = "",
        split: str = "auto",
        validation_share: float | None = None,
        test_share: float | None = None,
        seed: int = 0,
        orientation: str = "auto",
        folder_names: str = "auto",
        small_letters: bool = False,
        unknown_folder: str = "",
        line_format: str = "auto",
        labels: Labels | None = None,
        on_progress: Progress | None = None,
    ) -> Dataset:
        """Upload a folder, a .zip, a .npz or a .jsonl; return the data set that the server makes of it.

        That may take minutes. A folder is zipped first, without the links in it. An interrupted upload goes on where it
        was, in this call or in a later one. name: "" = the file's. split: auto, stratified or writer. validation_share,
        test_share: 0..0.5, None = 0.15. seed: for the split. orientation: of IDX images: auto, upright or transposed.
        folder_names: how to read folders that are named by numbers: auto, text or code-points. small_letters: call
        letters of IDX files whose capital and small form share a number by the small one. unknown_folder: of drawings
        that have none of the labels, "" = 999, if there is one and no 998. labels: a CSV or JSON lines file with the
        path and the label of each picture, or a mapping, instead of folder names; pictures without a label are left
        out, and unknown_folder is a label there. line_format: how lines are laid out: auto, lines-tsv, iam, words, alto
        or page; auto also takes drawings. Raises OSError for what cannot be read.
        """
        source = to_path(path, "path")
        name = name or source.stem
        if labels is not None and unknown_folder:
            unknown_folder = name_folder(unknown_folder)
        options = _build_options(
            name, split, validation_share, test_share, seed, orientation, folder_names, small_letters, unknown_folder,
            line_format,
        )  # fmt: skip
        with ExitStack() as stack:
            if labels is not None:
                source = await self._connection.offload(stack.enter_context, open_labeled(source, labels))
            file = await self._connection.offload(stack.enter_context, open_packed(source))
            file_name = source.name + (".zip" if source.is_dir() else "")
            sha256 = await self._connection.offload(hash_file, file)
            header = build(pb.UploadDatasetHeader, options=options, file_name=file_name, sha256=sha256)
            return await self._send(header, file, on_progress)

    @dual_method
    async def add(
        self,
        path: str,
        *,
        name: str = "",
        split: str = "auto",
        validation_share: float | None = None,
        test_share: float | None = None,
        seed: int = 0,
        orientation: str = "auto",
        folder_names: str = "auto",
        small_letters: bool = False,
        unknown_folder: str = "",
        line_format: str = "auto",
    ) -> Dataset:
        """Make a data set of a folder or file on the server's own disk; arguments as in upload. Raises
        FailedPrecondition unless the server was started with --datasets-from.
        """
        name = name or to_path(path, "path").stem
        options = _build_options(
            name, split, validation_share, test_share, seed, orientation, folder_names, small_letters, unknown_folder,
            line_format,
        )  # fmt: skip
        request = build(pb.AddDatasetRequest, options=options, path=path)
        answer = await self._connection.call_once(self._stub.AddDataset, request, _IMPORT_TIMEOUT_S)
        return _convert_dataset(answer.dataset)

    @dual_method
    async def list(self) -> list[Dataset]:
        """Return all data sets, newest first, without their labels."""
        pages = self._connection.pages(self._stub.ListDatasets, pb.ListDatasetsRequest(page_size=500))
        return [_convert_dataset(dataset) async for page in pages for dataset in page.datasets]

    @dual_method
    async def get(self, dataset: str) -> Dataset:
        """Return one data set with its labels and what was refused."""
        request = build(pb.GetDatasetRequest, dataset_id=dataset)
        answer = await self._connection.call(self._stub.GetDataset, request)
        return _convert_dataset(answer.dataset)

    @dual_method
    async def delete(self, dataset_id: str) -> None:
        """Delete a data set, given by its id. Raises FailedPrecondition while a job uses it."""
        await self._connection.call_once(
            self._stub.DeleteDataset, build(pb.DeleteDatasetRequest, dataset_id=dataset_id)
        )

    @dual_method
    async def preview(
        self, dataset: str, preset: str, *, drawings: int = 0, views: int = 0, seed: int = 0
    ) -> DatasetPreview:
        """Return drawings as the network of a preset receives them in training. drawings: rows, 0 = 8. views: augmented
        views of each, 0 = 7.
        """
        request = build(
            pb.PreviewDatasetRequest, dataset_id=dataset, preset=preset, drawings=drawings, views=views, seed=seed
        )
        answer = await self._connection.call(self._stub.PreviewDataset, request, _PREVIEW_TIMEOUT_S)
        return convert.from_message(DatasetPreview, answer)

    async def _send(self, header: pb.UploadDatasetHeader, file: BinaryIO, progress: Progress | None) -> Dataset:
        """Send what has not arrived, again and again while that makes progress."""
        idle, before = 0, -1
        while True:
            status_request = build(pb.GetUploadRequest, sha256=header.sha256)
            received = (await self._connection.call(self._stub.GetUpload, status_request)).received_bytes
            idle, before = (0 if received > before else idle + 1), received
            header.offset_bytes = received
            requests = _upload_requests(header, file, progress)
            try:
                answer = await self._connection.call_once(self._stub.UploadDataset, requests, _IMPORT_TIMEOUT_S)
                return _convert_dataset(answer.dataset)
            except Unavailable as error:
                if not self._connection.config.retry or error.reason == NO_SERVER or idle >= _MAX_IDLE_RESUMES:
                    raise
                await self._connection.pause(error.retry_after_s or _PAUSE_S)


class DatasetsClient(DatasetOperations, Blocking):
    """The data sets of a server. Every method raises HaleganadaError. A data set is given by its id or unique name."""


class AsyncDatasetsClient(DatasetOperations, Asynchronous):
    """What DatasetsClient does, as coroutines."""


def _upload_requests(
    header: pb.UploadDatasetHeader, file: BinaryIO, progress: Progress | None
) -> Iterator[pb.UploadDatasetRequest]:
    total = file.seek(0, os.SEEK_END)
    sent = file.seek(header.offset_bytes)
    yield build(pb.UploadDatasetRequest, header=header)
    while chunk := file.read(_CHUNK_BYTES):
        yield build(pb.UploadDatasetRequest, chunk=chunk)
        sent += len(chunk)
        if progress:
            progress(sent, total)


def _build_options(
    name: str,
    split: str,
    validation_share: float | None,
    test_share: float | None,
    seed: int,
    orientation: str,
    folder_names: str,
    small_letters: bool,
    unknown_folder: str,
    line_format: str,
) -> pb.DatasetOptions:
    return build(
        pb.DatasetOptions,
        name=name,
        split=parse_choice(split, _SPLITS, "split"),
        validation_share=validation_share,
        test_share=test_share,
        seed=seed,
        orientation=parse_choice(orientation, _ORIENTATIONS, "orientation"),
        folder_names=parse_choice(folder_names, convert.FOLDER_NAMES, "folder_names"),
        small_letters=small_letters,
        unknown_folder=unknown_folder,
        line_format=parse_choice(line_format, LINE_FORMATS, "line_format"),
    )


def _convert_dataset(message: pb.Dataset) -> Dataset:
    labels = convert.to_tuple(lambda label: convert.from_message(DatasetLabel, label), message.labels)
    unknown = convert.from_message(DatasetLabel, message.unknown)
    refused = convert.to_tuple(lambda item: RefusedItem(item.item, convert.item_error(item.error)), message.refused)
    left_out = {
        name: convert.to_tuple(_convert_repeated_item, getattr(message, name)) for name in ("leaked", "duplicated")
    }
    notes = convert.to_tuple(lambda note: convert.from_message(DatasetNote, note), message.notes)
    return convert.from_message(
        Dataset, message, labels=labels, unknown=unknown, refused=refused, notes=notes,
        kind=_KINDS.get(message.kind, "drawings"), **left_out,
    )  # fmt: skip


def _convert_repeated_item(message: pb.RepeatedItem) -> RepeatedItem:
    return RepeatedItem(message.item, message.kept, _part_name(message.part), _part_name(message.kept_part))


def _part_name(part: pb.DatasetPart.ValueType) -> str:
    return pb.DatasetPart.Name(part).removeprefix("DATASET_PART_").lower() if part else ""

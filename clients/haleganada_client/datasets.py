"""Data sets to train and evaluate models on: `client.datasets`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from haleganada.v1 import dataset_service_pb2 as pb
from haleganada.v1 import dataset_service_pb2_grpc

from . import convert
from .connection import Connection
from .errors import NO_SERVER, InvalidInput, Unavailable
from .packing import hash_file, open_packed
from .types import RefusedItem

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
Progress = Callable[[int, int], None]
"""Called with the number of bytes sent so far and in all."""


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
    """Drawings, each with its label and its part.

    sha256: of drawings, labels and parts. labels, refused, leaked, duplicated, notes: () in lists. writers: 0 if they
    are not known. refused: at most 1,000 of refused_total. leaks: left out because the same image is in a later part;
    leaked: at most 1,000 of them. duplicates: left out because it is in the same part; duplicated: at most 1,000 of
    them. imbalance: items of the largest label to train on over those of the smallest.
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


@dataclass(frozen=True)
class DatasetPreview:
    """Drawings as a network receives them. sheet: a PNG, a row for each label, enlarged. input_size_px: height and
    width of one drawing as the network receives it.
    """

    sheet: bytes
    labels: tuple[str, ...]
    input_size_px: int


class DatasetsClient:
    """The data sets of a server. Every method raises HaleganadaError. A data set is given by its id or unique name."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._stub = dataset_service_pb2_grpc.DatasetServiceStub(connection.channel)

    def upload(
        self,
        path: str | os.PathLike[str],
        *,
        name: str = "",
        split: str = "auto",
        validation_share: float | None = None,
        test_share: float | None = None,
        seed: int = 0,
        orientation: str = "auto",
        on_progress: Progress | None = None,
    ) -> Dataset:
        """Upload a folder, a .zip, a .npz or a .jsonl; return the data set that the server makes of it.

        That may take minutes. A folder is zipped first, without the links in it. An interrupted upload goes on where it
        was, in this call or in a later one. name: "" = the file's. split: auto, stratified or writer.
        validation_share, test_share: 0..0.5, None = 0.15. seed: for the split. orientation: of IDX images: auto,
        upright or transposed. Raises OSError for what cannot be read.
        """
        options = _build_options(name or Path(path).stem, split, validation_share, test_share, seed, orientation)
        with ExitStack() as stack:
            file = stack.enter_context(open_packed(Path(path)))
            file_name = Path(path).name + (".zip" if Path(path).is_dir() else "")
            header = pb.UploadDatasetHeader(options=options, file_name=file_name, sha256=hash_file(file))
            return self._send(header, file, on_progress)

    def add(
        self,
        path: str,
        *,
        name: str = "",
        split: str = "auto",
        validation_share: float | None = None,
        test_share: float | None = None,
        seed: int = 0,
        orientation: str = "auto",
    ) -> Dataset:
        """Make a data set of a folder or file on the server's own disk; arguments as in upload. Raises
        FailedPrecondition unless the server was started with --datasets-from.
        """
        options = _build_options(name or Path(path).stem, split, validation_share, test_share, seed, orientation)
        request = pb.AddDatasetRequest(options=options, path=path)
        return _convert_dataset(self._connection.call_once(self._stub.AddDataset, request, _IMPORT_TIMEOUT_S).dataset)

    def list(self) -> list[Dataset]:
        """Return all data sets, newest first, without their labels."""
        found: list[Dataset] = []
        token = ""
        while True:
            request = pb.ListDatasetsRequest(page_size=500, page_token=token)
            answer = self._connection.call(self._stub.ListDatasets, request)
            found += [_convert_dataset(dataset) for dataset in answer.datasets]
            token = answer.next_page_token
            if not token:
                return found

    def get(self, dataset: str) -> Dataset:
        """Return one data set with its labels and what was refused."""
        request = pb.GetDatasetRequest(dataset_id=dataset)
        return _convert_dataset(self._connection.call(self._stub.GetDataset, request).dataset)

    def delete(self, dataset_id: str) -> None:
        """Delete a data set, given by its id. Raises FailedPrecondition while a job uses it."""
        self._connection.call_once(self._stub.DeleteDataset, pb.DeleteDatasetRequest(dataset_id=dataset_id))

    def preview(self, dataset: str, preset: str, *, drawings: int = 0, views: int = 0, seed: int = 0) -> DatasetPreview:
        """Return drawings as the network of a preset receives them in training. drawings: rows, 0 = 8. views: augmented
        views of each, 0 = 7.
        """
        request = pb.PreviewDatasetRequest(dataset_id=dataset, preset=preset, drawings=drawings, views=views, seed=seed)
        answer = self._connection.call(self._stub.PreviewDataset, request, _PREVIEW_TIMEOUT_S)
        return convert.from_message(DatasetPreview, answer)

    def _send(self, header: pb.UploadDatasetHeader, file: BinaryIO, progress: Progress | None) -> Dataset:
        """Send what has not arrived, again and again while that makes progress."""
        idle, before = 0, -1
        while True:
            status_request = pb.GetUploadRequest(sha256=header.sha256)
            received = self._connection.call(self._stub.GetUpload, status_request).received_bytes
            idle, before = (0 if received > before else idle + 1), received
            header.offset_bytes = received
            requests = _upload_requests(header, file, progress)
            try:
                return _convert_dataset(
                    self._connection.call_once(self._stub.UploadDataset, requests, _IMPORT_TIMEOUT_S).dataset
                )
            except Unavailable as error:
                if not self._connection.config.retry or error.reason == NO_SERVER or idle >= _MAX_IDLE_RESUMES:
                    raise
                time.sleep(error.retry_after_s or _PAUSE_S)


def _upload_requests(
    header: pb.UploadDatasetHeader, file: BinaryIO, progress: Progress | None
) -> Iterator[pb.UploadDatasetRequest]:
    total = file.seek(0, os.SEEK_END)
    sent = file.seek(header.offset_bytes)
    yield pb.UploadDatasetRequest(header=header)
    while chunk := file.read(_CHUNK_BYTES):
        yield pb.UploadDatasetRequest(chunk=chunk)
        sent += len(chunk)
        if progress:
            progress(sent, total)


def _build_options(
    name: str, split: str, validation_share: float | None, test_share: float | None, seed: int, orientation: str
) -> pb.DatasetOptions:
    return pb.DatasetOptions(
        name=name,
        split=_parse_choice(split, _SPLITS, "split"),
        validation_share=validation_share,
        test_share=test_share,
        seed=seed,
        orientation=_parse_choice(orientation, _ORIENTATIONS, "orientation"),
    )


def _parse_choice(name: str, choices: dict[str, Any], field: str) -> Any:
    if name not in choices:
        raise InvalidInput(f"there is no {field} “{name}”; choose one of {', '.join(choices)}", "INVALID_INPUT", field)
    return choices[name]


def _convert_dataset(message: pb.Dataset) -> Dataset:
    labels = convert.to_tuple(lambda label: convert.from_message(DatasetLabel, label), message.labels)
    refused = convert.to_tuple(lambda item: RefusedItem(item.item, convert.item_error(item.error)), message.refused)
    left_out = {
        name: convert.to_tuple(_convert_repeated_item, getattr(message, name)) for name in ("leaked", "duplicated")
    }
    notes = convert.to_tuple(lambda note: convert.from_message(DatasetNote, note), message.notes)
    return convert.from_message(Dataset, message, labels=labels, refused=refused, notes=notes, **left_out)


def _convert_repeated_item(message: pb.RepeatedItem) -> RepeatedItem:
    return RepeatedItem(message.item, message.kept, _part_name(message.part), _part_name(message.kept_part))


def _part_name(part: pb.DatasetPart.ValueType) -> str:
    return pb.DatasetPart.Name(part).removeprefix("DATASET_PART_").lower() if part else ""

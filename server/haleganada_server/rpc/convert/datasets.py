"""Messages of DatasetService <-> the domain's values."""

from __future__ import annotations

from haleganada.v1 import common_pb2
from haleganada.v1 import dataset_service_pb2 as pb

from haleganada_server.core.datasets.dataset import (
    DatasetInfo,
    DatasetKind,
    DatasetOptions,
    LabelCount,
    LineFormat,
    Orientation,
    Part,
    RefusedDrawing,
    RepeatedDrawing,
    SplitRule,
)
from haleganada_server.core.datasets.preview import PreviewSheet
from haleganada_server.core.errors import InvalidInput

from .common import folder_names, timestamp

_INVALID_ARGUMENT = 3
_SPLITS = {
    pb.SPLIT_RULE_UNSPECIFIED: SplitRule.AUTO,
    pb.SPLIT_RULE_STRATIFIED: SplitRule.STRATIFIED,
    pb.SPLIT_RULE_BY_WRITER: SplitRule.BY_WRITER,
}
_ORIENTATIONS = {
    pb.IDX_ORIENTATION_UNSPECIFIED: Orientation.AUTO,
    pb.IDX_ORIENTATION_UPRIGHT: Orientation.UPRIGHT,
    pb.IDX_ORIENTATION_TRANSPOSED: Orientation.TRANSPOSED,
}
_LINE_FORMATS = {
    pb.LINE_FORMAT_UNSPECIFIED: LineFormat.AUTO,
    pb.LINE_FORMAT_TSV: LineFormat.TSV,
    pb.LINE_FORMAT_IAM: LineFormat.IAM,
    pb.LINE_FORMAT_WORDS: LineFormat.WORDS,
    pb.LINE_FORMAT_ALTO: LineFormat.ALTO,
    pb.LINE_FORMAT_PAGE: LineFormat.PAGE,
}
_KINDS = {
    DatasetKind.DRAWINGS: pb.DATASET_KIND_DRAWINGS,
    DatasetKind.LINES: pb.DATASET_KIND_LINES,
}
_PARTS = {
    None: pb.DATASET_PART_UNSPECIFIED,
    Part.TRAIN: pb.DATASET_PART_TRAIN,
    Part.VALIDATION: pb.DATASET_PART_VALIDATION,
    Part.TEST: pb.DATASET_PART_TEST,
}


def options(message: pb.DatasetOptions) -> DatasetOptions:
    """Convert options; what is absent has its default. Raises InvalidInput for enum numbers that are not known."""
    if message.split not in _SPLITS:
        raise InvalidInput("options.split", f"{message.split} is not known to this server; leave it out")
    if message.orientation not in _ORIENTATIONS:
        raise InvalidInput("options.orientation", f"{message.orientation} is not known to this server; leave it out")
    if message.line_format not in _LINE_FORMATS:
        raise InvalidInput("options.line_format", f"{message.line_format} is not known to this server; leave it out")
    usual = DatasetOptions(message.name)
    return DatasetOptions(
        name=message.name,
        split=_SPLITS[message.split],
        validation_share=message.validation_share if message.HasField("validation_share") else usual.validation_share,
        test_share=message.test_share if message.HasField("test_share") else usual.test_share,
        seed=message.seed,
        orientation=_ORIENTATIONS[message.orientation],
        folder_names=folder_names("options.folder_names", message.folder_names),
        small_letters=message.small_letters,
        unknown_folder=message.unknown_folder,
        line_format=_LINE_FORMATS[message.line_format],
    )


def dataset(value: DatasetInfo) -> pb.Dataset:
    """Convert a data set in full."""
    message = dataset_summary(value)
    message.labels.extend(map(_convert_label, value.labels))
    message.refused.extend(_convert_refused(refused) for refused in value.refused)
    message.leaked.extend(_convert_repeated(one) for one in value.leaked)
    message.duplicated.extend(_convert_repeated(one) for one in value.duplicated)
    message.notes.extend(
        pb.DatasetNote(reason=one.reason, message=one.message, labels=one.labels) for one in value.notes
    )
    return message


def dataset_summary(value: DatasetInfo) -> pb.Dataset:
    """Convert a data set as lists show it: without its labels and the items that were left out."""
    return pb.Dataset(
        dataset_id=value.dataset_id,
        name=value.name,
        create_time=timestamp(value.created_us),
        sha256=value.sha256,
        train=value.count(Part.TRAIN),
        validation=value.count(Part.VALIDATION),
        test=value.count(Part.TEST),
        labels_total=len(value.labels),
        writers=value.writers,
        refused_total=value.refused_total,
        leaks=value.leaks,
        duplicates=value.duplicates,
        imbalance=value.imbalance,
        size_bytes=value.bytes_on_disk,
        unknown=_convert_label(value.unknown),
        damage=value.damage,
        kind=_KINDS[value.kind],
    )


def preview(value: PreviewSheet) -> pb.PreviewDatasetResponse:
    return pb.PreviewDatasetResponse(sheet=value.sheet, labels=value.labels, input_size_px=value.side)


def _convert_label(value: LabelCount) -> pb.DatasetLabel:
    return pb.DatasetLabel(label=value.label, train=value.train, validation=value.validation, test=value.test)


def _convert_repeated(value: RepeatedDrawing) -> pb.RepeatedItem:
    return pb.RepeatedItem(item=value.item, kept=value.kept, part=_PARTS[value.part], kept_part=_PARTS[value.kept_part])


def _convert_refused(value: RefusedDrawing) -> common_pb2.RefusedItem:
    error = common_pb2.ItemError(code=_INVALID_ARGUMENT, reason=value.reason, message=value.message)
    return common_pb2.RefusedItem(item=value.item, error=error)

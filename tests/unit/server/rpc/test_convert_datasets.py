"""Messages of data sets and the domain's values say the same: what goes in comes out, field by field."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from haleganada.v1 import dataset_service_pb2 as pb
from haleganada_server.core.datasets.dataset import (
    DatasetInfo,
    DatasetNote,
    DatasetOptions,
    LabelCount,
    Orientation,
    Part,
    RefusedDrawing,
    RepeatedDrawing,
    SplitRule,
)
from haleganada_server.core.datasets.preview import PreviewSheet
from haleganada_server.core.errors import InvalidInput
from haleganada_server.rpc.convert import datasets as convert

INFO = DatasetInfo(
    dataset_id="0a" * 6,
    name="ಅ",
    created_us=1_700_000_000_123_456,
    sha256="ab" * 32,
    labels=(LabelCount("a", 8, 2, 1), LabelCount("b", 2, 4, 0)),
    writers=7,
    refused=(RefusedDrawing("x/1.png", "INVALID_INPUT", "it is blank"),),
    refused_total=5,
    leaks=3,
    duplicates=2,
    bytes_on_disk=9999,
    leaked=(RepeatedDrawing("train/2.png", "test/7.png"),),
    duplicated=(
        RepeatedDrawing("3.png", "4.png", None, Part.VALIDATION),
        RepeatedDrawing("5.png", "6.png", Part.TRAIN, Part.TEST),
    ),
    damage="it is damaged",
    unknown=LabelCount("", 5, 1, 2),
    notes=(DatasetNote("MERGED_CHARACTERS", "one label stands for two", ("A",)),),
)


def test_every_field_arrives() -> None:
    message = convert.dataset(INFO)
    listed = {"labels", "refused", "leaked", "duplicated", "notes", "unknown"}
    assert message.kind == pb.DATASET_KIND_DRAWINGS
    for field in {field.name for field in fields(INFO)} - {"created_us", "bytes_on_disk", "kind", "lines", *listed}:
        assert getattr(message, field) == getattr(INFO, field) != type(getattr(INFO, field))()
    assert message.create_time.ToMicroseconds() == INFO.created_us and message.size_bytes == INFO.bytes_on_disk != 0
    assert (message.train, message.validation, message.test, message.labels_total) == (10, 6, 1, 2)
    assert message.imbalance == 4
    assert [LabelCount(one.label, one.train, one.validation, one.test) for one in message.labels] == list(INFO.labels)
    assert (message.unknown.train, message.unknown.validation, message.unknown.test) == (5, 1, 2)
    (refused,) = message.refused
    assert (refused.item, refused.error.reason, refused.error.message) == ("x/1.png", "INVALID_INPUT", "it is blank")
    assert refused.error.code == 3
    assert [(leak.item, leak.kept) for leak in message.leaked] == [("train/2.png", "test/7.png")]
    assert [(one.item, one.kept, one.part, one.kept_part) for one in message.duplicated] == [
        ("3.png", "4.png", pb.DATASET_PART_UNSPECIFIED, pb.DATASET_PART_VALIDATION),
        ("5.png", "6.png", pb.DATASET_PART_TRAIN, pb.DATASET_PART_TEST),
    ]
    assert [DatasetNote(one.reason, one.message, tuple(one.labels)) for one in message.notes] == list(INFO.notes)


def test_a_list_is_short() -> None:
    message = convert.dataset_summary(INFO)
    assert (
        not message.labels
        and not message.refused
        and not message.leaked
        and not message.duplicated
        and not message.notes
        and message.labels_total == 2
        and message.refused_total == 5
    )


def test_absent_is_not_zero() -> None:
    assert convert.options(pb.DatasetOptions(name="x")) == DatasetOptions("x")
    given = pb.DatasetOptions(name="x", validation_share=0, test_share=0.5, seed=-3)
    assert convert.options(given) == DatasetOptions("x", validation_share=0, test_share=0.5, seed=-3)


def test_every_number_has_its_value() -> None:
    rules = {convert.options(pb.DatasetOptions(split=number)).split for number in pb.SplitRule.values()}
    turns = {convert.options(pb.DatasetOptions(orientation=n)).orientation for n in pb.IdxOrientation.values()}
    assert rules == set(SplitRule) and turns == set(Orientation)
    for message in (pb.DatasetOptions(split=9), pb.DatasetOptions(orientation=9)):  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            convert.options(message)


def test_a_preview() -> None:
    message = convert.preview(PreviewSheet(b"png", ("a", "b"), 32))
    assert (message.sheet, list(message.labels), message.input_size_px) == (b"png", ["a", "b"], 32)


def test_a_set_without_items_to_train_on_has_no_imbalance() -> None:
    only_test = replace(INFO, labels=(LabelCount("a", 0, 0, 1),))
    assert convert.dataset(only_test).imbalance == 0

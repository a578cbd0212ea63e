"""Presets are for drawings or for lines, and so are data sets."""

from __future__ import annotations

import pytest
from haleganada_server.core.datasets.dataset import DatasetInfo, DatasetKind, LabelCount, Part
from haleganada_server.core.errors import Precondition
from haleganada_server.core.jobs.settings import require_fitting_kind, require_testable, require_trainable


def make_info(kind: DatasetKind, train: int = 5, test: int = 0) -> DatasetInfo:
    """Return a data set of two labels, or of lines that have two characters."""
    labels = tuple(LabelCount(label, train, 0, test) for label in "ab")
    lines = LabelCount("", train, 0, test) if kind is DatasetKind.LINES else LabelCount("", 0, 0, 0)
    return DatasetInfo(
        dataset_id="1",
        name="set",
        created_us=0,
        sha256="",
        labels=labels,
        writers=0,
        refused=(),
        refused_total=0,
        leaks=0,
        duplicates=0,
        kind=kind,
        lines=lines,
    )


@pytest.mark.parametrize(
    ("preset", "kind", "other"),
    [("cnn36", DatasetKind.DRAWINGS, "crnn"), ("crnn", DatasetKind.LINES, "cnn36")],
)
def test_a_preset_trains_on_what_it_is_for(preset: str, kind: DatasetKind, other: str) -> None:
    require_trainable(preset, make_info(kind))
    require_fitting_kind(preset, make_info(kind))
    with pytest.raises(Precondition, match=rf"has {kind.value}.*choose .*{preset}"):
        require_trainable(other, make_info(kind))


def test_lines_to_train_and_to_test_on_are_needed() -> None:
    with pytest.raises(Precondition, match="no lines to train on"):
        require_trainable("crnn", make_info(DatasetKind.LINES, train=0))
    require_testable(make_info(DatasetKind.LINES, test=1))
    with pytest.raises(Precondition, match="nothing to test on"):
        require_testable(make_info(DatasetKind.LINES))


def test_lines_are_counted_as_such() -> None:
    info = make_info(DatasetKind.LINES, train=5)
    assert (info.count(Part.TRAIN), info.imbalance) == (5, 0.0)

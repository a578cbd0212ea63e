"""Well-known data sets, where the development data is available: every array is understood."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from haleganada_server.core.datasets.dataset import Part

from tests.unit.server.store.datasets.sources.reading import read_all

_DATA = os.environ.get("HALEGANADA_DATA", "")

pytestmark = pytest.mark.skipif(not _DATA, reason="set HALEGANADA_DATA to the folder of the development data")


@pytest.mark.parametrize(
    ("file", "items", "labels", "writers", "some"),
    [
        ("mnist/mnist_28.npz", 70_000, 10, 1, "0123456789"),
        ("english_chars62/english_chars62_64.npz", 5_012, 62, 1, "09AZaz"),
        ("chars74k_kannada/chars74k_kannada_96.npz", 9_855, 655, 15, "ಅಕೞಱ"),
        ("dhcd_devanagari/dhcd_32.npz", 11_500, 46, 1, "कख"),
        ("kannada_mnist/scans_40.npz", 20_907, 10, 49, "09"),
    ],
)
def test_a_known_set(file: str, items: int, labels: int, writers: int, some: str) -> None:
    path = Path(_DATA) / file
    if not path.exists():
        pytest.skip(f"{file} is not there")
    found = read_all(path)
    assert (len(found), len({item.writer for item in found})) == (items, writers)
    counted = Counter(item.label for item in found)
    assert len(counted) == labels and set(some) <= set(counted)
    if file.startswith("mnist"):
        assert Counter(item.part for item in found) == {Part.TRAIN: 60_000, Part.TEST: 10_000}

"""Readers of Kannada on degraded and merged words: python -m tests.bench.reading.kannada.measure (torch).

Words come from HALEGANADA_DATA. Degraded ones are those of the last pages of book 219, of which none was trained on; 60
of the 87 chose between two states of kannada-print. Merged symbols are pieces of words whose letters touch, cut out
without a margin; none was trained on.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy as np
from haleganada_server.core.lines.texts import clean_line
from PIL import Image

from tests.bench.reading.kannada.lines import read_words
from tests.bench.reading.line_models import list_readers, measure
from tests.bench.reading.sets import SETS, Sample
from tests.bench.table import Table

_MERGED = 300


def read_merged(data: Path) -> list[Sample]:
    """Return pieces of words, at random, with dark ink, which is white in the files."""
    with zipfile.ZipFile(data / "mile_kannada_words" / "merged_symbols.zip") as file:
        table = next(name for name in file.namelist() if name.endswith(".tsv"))
        rows = [row.split("\t")[:2] for row in file.read(table).decode().splitlines()[1:]]
        chosen = np.random.default_rng(0).permutation(len(rows))[:_MERGED]
        return [
            Sample(rows[i][0], 255 - np.asarray(Image.open(io.BytesIO(file.read(rows[i][0]))).convert("RGB")), text)
            for i in chosen.tolist()
            if (text := clean_line(rows[i][1]))
        ]


def main() -> None:
    """Measure, and print a table for each kind."""
    data = Path(os.environ["HALEGANADA_DATA"])
    held_out = read_words(data)[1]
    degraded = [Sample(str(i), np.repeat(one.gray[..., None], 3, 2), one.text) for i, one in enumerate(held_out)]
    for name, samples in (("Degraded words", degraded), ("Merged symbols", read_merged(data))):
        table = Table(name, ("reader", "CER (95 %)", "WER (95 %)", "per line, one core", "lines"))
        measure(samples, list_readers(SETS[0], [sample.picture for sample in samples], ()), table)
        print(table.markdown())


if __name__ == "__main__":
    main()

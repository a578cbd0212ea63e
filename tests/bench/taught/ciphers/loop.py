"""The loop on lines of real ciphers, of which nothing was taught before.

Where the symbols of a line are is not known, only which ones there are. So its true boxes are those of the best path
that reads the transcript, by a head that was taught with cut-outs of the symbols; the loop knows nothing of that head.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from haleganada_server.core.reading.options import ReadOptions
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.taught.page import take_page_apart
from PIL import Image

from tests.bench.accuracy.features import Recognizer, make_product_rasters
from tests.bench.taught.alignment import align
from tests.bench.taught.ciphers.lines import load_lessons, load_line, load_transcripts
from tests.bench.taught.corrector import Corrector, Lessons


@dataclass(frozen=True)
class CipherRun:
    """corrections: made. distinct: symbols. symbols: on all lines. left: those that did not become right."""

    corrections: int
    distinct: int
    symbols: int
    left: int


def correct_lines(recognizer: Recognizer, cipher: str, data: Path, folder: Path, *, many: bool) -> CipherRun:
    """Correct the lines of a cipher one after another, each until all of it is right, or nothing can be done. folder:
    for files that are not kept.
    """
    cut_outs, lessons = Lessons(recognizer), Lessons(recognizer)
    pictures, labels = zip(*((picture, symbol) for picture, symbol in load_lessons(cipher, data)), strict=True)
    drawings = [255 - np.asarray(Image.open(io.BytesIO(one)).convert("L"), np.uint8) for one in pictures]
    for label, vector in zip(labels, recognizer.embed(make_product_rasters(drawings)), strict=True):  # type: ignore[arg-type]
        cut_outs.add(label, vector)
    corrections, left, seen = 0, 0, list[str]()
    for name, symbols in load_transcripts(cipher).items():
        path = folder / name
        path.write_bytes(load_line(cipher, name, data))
        taken, _ = take_page_apart(open_document(path), 1, ReadOptions())
        page = taken.embed(recognizer.embedder.embed, recognizer.embedder.hash)
        truth = align(page, symbols, cut_outs)
        corrector = Corrector(page, truth, lessons, many=many)
        corrector.correct(5 * len(truth))
        corrections += len(corrector.errors) - 1
        left += corrector.errors[-1]
        seen += [glyph.label for glyph in truth]
    return CipherRun(corrections, len(set(seen)), len(seen), left)

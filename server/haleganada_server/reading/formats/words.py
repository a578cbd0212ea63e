"""A zip in the layout of the IAM handwriting database: words.txt, and pictures of words and pages.

A page is a form, named page-00001; its words are page-00001-00-00 and so on, by line and word, with their pictures in
words/page/page-00001/. img_names_sequence.txt lists those pictures in reading order. A word that was not read has a
picture and no line in words.txt.
"""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO

import cv2

from haleganada_server.core.disk.zip_writer import ZipWriter
from haleganada_server.core.reading.page import PageReading, TextLine, TextWord
from haleganada_server.reading.documents import open_document

from .cutting import Picture, cut_box, to_png
from .kept import KeptReading
from .outlines import surround
from .texts import on_one_line

WORDS, SEQUENCE = "words.txt", "img_names_sequence.txt"
_HEADER = """#--- words.txt ---------------------------------------------------------------#
#
# format: page-00001-00-00 ok 154 408 768 27 51 UNK A
#
#     page-00001-00-00  -> word 00 of line 00 of page 00001
#     ok                -> result of the word's segmentation
#     154               -> gray level that parts ink from paper in the line of this word
#     408 768 27 51     -> the word's box on the page: x, y, width, height
#     UNK               -> its grammatical tag, which is unknown
#     A                 -> its text
#
"""


def write(reading: KeptReading, target: Path) -> tuple[str, str]:
    with (
        ZipWriter(target) as archive,
        closing(open_document(reading.document)) as document,
        tempfile.TemporaryFile(dir=target.parent) as words,
        tempfile.TemporaryFile(dir=target.parent) as sequence,
    ):
        words.write(_HEADER.encode())
        for page in reading.pages():
            picture = document.draw(page.page)
            form = f"page-{page.page:05d}"
            archive.add(f"page/{form}.png", to_png(picture))
            for number, line in enumerate(page.lines):
                _write_line(archive, words, sequence, page, line, f"{form}-{number:02d}", picture)
        archive.add_text(WORDS, words)
        archive.add_text(SEQUENCE, sequence)
    return f"{reading.stem}.words.zip", "application/zip"


def _write_line(
    archive: ZipWriter,
    words: IO[bytes],
    sequence: IO[bytes],
    page: PageReading,
    line: TextLine,
    line_id: str,
    picture: Picture,
) -> None:
    threshold = _find_threshold(cut_box(picture, surround(line.polygon, page.width, page.height)))
    form = line_id.rsplit("-", 1)[0]
    for number, word in enumerate(line.words or (TextWord(text=line.text, polygon=line.polygon),)):
        box, word_id = surround(word.polygon, page.width, page.height), f"{line_id}-{number:02d}"
        archive.add(f"words/page/{form}/{word_id}.png", to_png(cut_box(picture, box)))
        sequence.write(f"{word_id}.png\n".encode())
        if text := on_one_line(word.text):
            fields = (word_id, "ok", threshold, box.left, box.top, box.width, box.height, "UNK", text)
            words.write((" ".join(map(str, fields)) + "\n").encode())


def _find_threshold(line: Picture) -> int:
    """Return the gray level that parts ink from paper, 0 to 255."""
    level, _ = cv2.threshold(cv2.cvtColor(line, cv2.COLOR_RGB2GRAY), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return int(level)

"""The table of the formats."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from haleganada_server.core.reading.reading import ReadingFormat

from . import crops, json_file, pdf, plain_text, tsv, words
from .kept import KeptReading
from .xml import alto, hocr, page_xml

_WRITERS: dict[ReadingFormat, Callable[[KeptReading, Path], tuple[str, str]]] = {
    ReadingFormat.TEXT: plain_text.write,
    ReadingFormat.JSON: json_file.write,
    ReadingFormat.HOCR: hocr.write,
    ReadingFormat.ALTO: alto.write,
    ReadingFormat.PAGE_XML: page_xml.write,
    ReadingFormat.PDF: pdf.write,
    ReadingFormat.TSV: tsv.write,
    ReadingFormat.WORDS: words.write,
    ReadingFormat.CROPS: crops.write,
}


def export_reading(reading: Path, file_name: str, form: ReadingFormat, target: Path) -> tuple[str, str]:
    """Write a reading to `target`, and return a name for the file and its MIME type.

    reading: its folder. file_name: of its document, "" = unknown. Raises DataLoss, READING_DAMAGED, if a page cannot be
    read, and what opening its document raises; `target` does not exist then.
    """
    try:
        return _WRITERS[form](KeptReading(reading, file_name), target)
    except BaseException:
        target.unlink(missing_ok=True)
        raise

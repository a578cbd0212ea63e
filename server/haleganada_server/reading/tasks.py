"""What a reader can be asked to do, see runtime/processes/reader_messages.py.

Each task imports what it needs when it is first called, so that a reader that only counts pages loads no engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haleganada_server.core.reading import codec
from haleganada_server.core.reading.page import StepPicture
from haleganada_server.core.reading.reading import ReadingFormat

if TYPE_CHECKING:
    from .documents.document import Document

Json = dict[str, Any]
Answer = tuple[Json, bytes]
Task = Callable[[Json], Answer]

_MAX_PICTURES_BYTES = 12 * 2**20  # of a page; a message has 16 MiB at most


def list_engines(_request: Json) -> Answer:
    from .engines import list_engines

    return {"engines": [codec.engine_to_json(engine) for engine in list_engines()]}, b""


def count_pages(request: Json) -> Answer:
    with _open_document(request) as document:
        return {"pages": document.pages_total}, b""


def read_one_page(request: Json) -> Answer:
    from .page_reader import read_page

    options = codec.options_from_json(request["options"])
    with _open_document(request) as document:
        page = read_page(document, request["page"], options)
        pages_total = document.pages_total
    pictures, payload = _pack_pictures(page.step_pictures)
    return {"page": codec.page_to_json(page), "pages_total": pages_total, "pictures": pictures}, payload


def take_apart(request: Json) -> Answer:
    from .taught.page import take_page_apart

    options = codec.options_from_json(request["options"])
    with _open_document(request) as document:
        page, step_pictures = take_page_apart(document, request["page"], options)
        pages_total = document.pages_total
    pictures, payload = _pack_pictures(step_pictures)
    return {"pages_total": pages_total, "pictures": pictures}, payload + page.to_bytes()


def draw_page(request: Json) -> Answer:
    from .page_image import encode_jpeg

    with _open_document(request) as document:
        picture = document.draw(request["page"])
    width, height, jpeg = encode_jpeg(picture, request["max_side"])
    return {"width": width, "height": height}, jpeg


def export(request: Json) -> Answer:
    from .formats import export_reading

    form, target = ReadingFormat(request["format"]), Path(request["target"])
    file_name, content_type = export_reading(Path(request["reading"]), request["file_name"], form, target)
    return {"file_name": file_name, "content_type": content_type}, b""


def import_reading(request: Json) -> Answer:
    from .formats import import_words

    return {"pages": import_words(Path(request["archive"]), Path(request["reading"]))}, b""


TASKS: Mapping[str, Task] = {
    "engines": list_engines,
    "count_pages": count_pages,
    "read_page": read_one_page,
    "take_apart": take_apart,
    "draw_page": draw_page,
    "export": export,
    "import_words": import_reading,
}


@contextmanager
def _open_document(request: Json) -> Iterator[Document]:
    from .documents import open_document

    document = open_document(Path(request["document"]))
    try:
        yield document
    finally:
        document.close()


def _pack_pictures(pictures: Sequence[StepPicture]) -> tuple[list[Json], bytes]:
    """Return the names and sizes of pictures, and the pictures, reduced to what a message holds."""
    if not pictures:
        return [], b""
    from .page_image import fit_pictures

    fitted = fit_pictures(pictures, _MAX_PICTURES_BYTES)
    sizes = [{"step": picture.step, "size": len(picture.image)} for picture in fitted]
    return sizes, b"".join(picture.image for picture in fitted)

"""A reader for tests: the real worker process with a text engine that needs no picture, so that it starts and reads at
once. What a workspace was taught is read from real pictures.

A document begins with “TINY” and a line feed; form feeds part its pages. A page is its text; an empty line parts the
blocks. Lines with a directive make the reader misbehave: “!sleep SECONDS”, “!work SECONDS” of processor time,
“!hang”, “!crash”, “!memory”, “!fault”, “!allocate BYTES”, “!keep BYTES” (as a library does that leaks), “!spawn” (a
program that runs until it is killed), “!temporary” (a file that stays).
"""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import NotFound, Precondition
from haleganada_server.core.reading import codec
from haleganada_server.core.reading.engines import EngineInfo
from haleganada_server.core.reading.options import ReadMode, ReadOptions
from haleganada_server.core.reading.page import PageReading, Polygon, StepPicture, TextBlock, TextLine, TextWord
from haleganada_server.core.reading.reading import ReadingFormat
from haleganada_server.reading import tasks
from haleganada_server.reading.tasks import Answer, Json, Task
from haleganada_server.reading.worker import main

COMMAND = (sys.executable, str(Path(__file__).absolute()))
ENGINE = EngineInfo(
    engine="tiny",
    display_name="Tiny",
    version="1.0",
    modes=(ReadMode.PRINTED,),
    languages=("en",),
    installed=True,
    install_hint="",
)
MISSING = EngineInfo(
    engine="missing",
    display_name="Missing",
    version="",
    modes=(ReadMode.HANDWRITTEN,),
    languages=(),
    installed=False,
    install_hint="pip install missing, then start the server again",
)
WIDTH, HEIGHT = 400, 300
PICTURE = b"\x89PNG"
_HEAD = b"TINY\n"
_KEPT: list[bytes] = []


def tiny(*pages: str) -> bytes:
    """Return a document with these pages."""
    return _HEAD + "\f".join(pages).encode()


def list_engines(request: Json) -> Answer:
    return {"engines": [codec.engine_to_json(engine) for engine in (ENGINE, MISSING)]}, b""


def count_pages(request: Json) -> Answer:
    if Path(request["document"]).read_bytes().startswith(PICTURE):
        return tasks.count_pages(request)
    return {"pages": len(_pages(Path(request["document"])))}, b""


def read_page(request: Json) -> Answer:
    options = codec.options_from_json(request["options"])
    _check(options)
    pages = _pages(Path(request["document"]))
    if not 1 <= request["page"] <= len(pages):
        raise NotFound("page", str(request["page"]), "the document has fewer")
    page = _read(request["page"], pages[request["page"] - 1], options)
    pictures = [{"step": "skew", "size": len(PICTURE)}, {"step": "light", "size": 2}] if options.debug else []
    payload = PICTURE + b"ab" if options.debug else b""
    return {"page": codec.page_to_json(page), "pages_total": len(pages), "pictures": pictures}, payload


def draw_page(request: Json) -> Answer:
    from PIL import Image

    if Path(request["document"]).read_bytes().startswith(PICTURE):
        return tasks.draw_page(request)
    if not 1 <= request["page"] <= len(_pages(Path(request["document"]))):
        raise NotFound("page", str(request["page"]), "the document has fewer")
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    image.thumbnail((request["max_side"], request["max_side"]))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return {"width": image.width, "height": image.height}, buffer.getvalue()


def export(request: Json) -> Answer:
    pages = sorted(Path(request["reading"]).glob("page-*.json"))
    texts = [codec.page_from_json(json.loads(path.read_bytes())).text for path in pages]
    Path(request["target"]).write_text("\f".join(texts), encoding="utf-8")
    stem = Path(request["file_name"] or "reading").stem
    return {"file_name": f"{stem}.{ReadingFormat(request['format']).value}", "content_type": "text/plain"}, b""


def import_words(request: Json) -> Answer:
    try:
        with zipfile.ZipFile(request["archive"]) as archive:
            text = archive.read("words.txt").decode()
    except (zipfile.BadZipFile, KeyError) as error:
        raise Precondition("the file is no zip with words.txt; send one", Reason.DOCUMENT_UNREADABLE) from error
    folder = Path(request["reading"])
    (folder / "document").write_bytes(tiny(text))
    page = codec.page_to_json(_read(1, text, ReadOptions()))
    (folder / "page-00001.json").write_text(json.dumps(page), encoding="utf-8")
    return {"pages": 1}, b""


TASKS: Mapping[str, Task] = {
    task.__name__: task for task in (count_pages, read_page, draw_page, export, import_words)
} | {"engines": list_engines, "take_apart": tasks.take_apart}


def _check(options: ReadOptions) -> None:
    if options.mode is ReadMode.TAUGHT:
        raise Precondition("no engine reads what was taught yet; choose another mode", Reason.MODE_UNAVAILABLE)
    if options.engine == MISSING.engine:
        raise Precondition("the engine missing is not installed; run pip install missing", Reason.ENGINE_NOT_INSTALLED)
    if options.engine not in ("", ENGINE.engine):
        raise NotFound("engine", options.engine, "list the engines")


def _pages(document: Path) -> list[str]:
    data = document.read_bytes()
    if not data.startswith(_HEAD):
        raise Precondition("the document is no TINY file; convert it", Reason.DOCUMENT_UNREADABLE)
    return data[len(_HEAD) :].decode().split("\f")


def _read(number: int, text: str, options: ReadOptions) -> PageReading:
    blocks, y = [], 0
    for part in text.split("\n\n"):
        lines = []
        for line in part.splitlines():
            if line.startswith("!"):
                _misbehave(*line[1:].split())
                continue
            y += 10
            lines.append(_line("" if options.segment_only else line, float(y)))
        blocks.append(TextBlock(polygon=_box(0, y - 10 * len(lines), WIDTH, y), lines=tuple(lines)))
    pictures = (StepPicture("skew", PICTURE),) if options.debug else ()
    return PageReading(
        page=number,
        width=WIDTH,
        height=HEIGHT,
        blocks=tuple(blocks),
        turn_degrees=0,
        elapsed_ms=1.5,
        step_pictures=pictures,
    )


def _line(text: str, y: float) -> TextLine:
    words = tuple(
        TextWord(text=word, polygon=_box(30 * i, y - 8, 30 * i + 25, y), confidence=0.5)
        for i, word in enumerate(text.split())
    )
    engine = ENGINE.engine if text else ""
    return TextLine(text=text, polygon=_box(0, y - 8, WIDTH, y), confidence=0.75, words=words, engine=engine)


def _box(left: float, top: float, right: float, bottom: float) -> Polygon:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _misbehave(how: str, *arguments: Any) -> None:
    if how == "sleep":
        time.sleep(float(arguments[0]))
    elif how == "work":
        end = time.process_time() + float(arguments[0])
        while time.process_time() < end:
            pass
    elif how == "hang":
        while True:
            time.sleep(60)
    elif how == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "spawn":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    elif how == "temporary":
        tempfile.mkstemp()
    elif how == "allocate":
        bytearray(int(arguments[0]))
    elif how == "keep":
        _KEPT.append(b"x" * int(arguments[0]))
    elif how == "memory":
        raise MemoryError
    elif how == "fault":
        raise RuntimeError("a fault of the engine")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], TASKS))

"""Real documents and the real readers: what cannot be read is a clear status, and the server goes on."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from haleganada.v1 import reading_service_pb2 as pb
from haleganada.v1 import reading_service_pb2_grpc

from tests.e2e.processes import ServerProcess, server, zigzag
from tests.support.slow import slow

for package in ("rapidocr", "cv2", "pypdfium2", "pikepdf"):
    pytest.importorskip(package, reason=f"{package}, of the read extra, is not installed")

import pikepdf  # noqa: E402
from PIL import Image  # noqa: E402

from tests.unit.server.reading.pages import PdfDraft, draw_page, raw_stream, write_raw_pdf  # noqa: E402

Stub = reading_service_pb2_grpc.ReadingServiceStub
SIZE = (700, 160)
LINES = ("the quick brown fox jumps", "over a lazy dog")
OPTIONS = pb.ReadOptions(engine="rapidocr", mode=pb.READ_MODE_PRINTED)
REFUSALS = {"DOCUMENT_UNREADABLE", "DOCUMENT_ENCRYPTED", "DOCUMENT_TOO_LARGE", "READER_FAILED", "READER_TIMEOUT"}
Make = Callable[[Path], bytes]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data"), "--readers", "1") as process:
        yield process


@pytest.fixture(scope="module")
def stub(running: ServerProcess) -> Iterator[Stub]:
    with grpc.insecure_channel(running.address) as channel:
        yield Stub(channel)


def page(*lines: str) -> Image.Image:
    return draw_page(lines or LINES, SIZE, (20, 30))


def encode(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def tiff(*lines: str) -> bytes:
    first, *rest = (page(line) for line in lines)
    return encode(first, "TIFF", save_all=True, append_images=rest)


def pdf(folder: Path) -> bytes:
    draft = PdfDraft()
    draft.write(draft.add_page(), "page of a PDF", 30, 200)
    return draft.save(folder / "made.pdf").read_bytes()


def long_pdf(folder: Path) -> bytes:
    """A PDF of 1,000 pages."""
    pdf(folder)
    with pikepdf.open(folder / "made.pdf") as document:
        for _ in range(999):
            document.pages.append(document.pages[0])
        document.save(folder / "long.pdf")
    return (folder / "long.pdf").read_bytes()


def encrypt_page(folder: Path) -> bytes:
    pdf(folder)
    with pikepdf.open(folder / "made.pdf") as document:
        document.save(folder / "locked.pdf", encryption=pikepdf.Encryption(owner="a", user="b"))
    return (folder / "locked.pdf").read_bytes()


def bomb(folder: Path) -> bytes:
    """A PDF of a few kilobytes whose page has two hundred megabytes of lines."""
    content = zlib.compress(b"0 0 m 300 400 l S\n" * 12_000_000, 9)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents 4 0 R >>",
        raw_stream(content, b"/Filter /FlateDecode"),
    ]
    return write_raw_pdf(folder / "bomb.pdf", objects).read_bytes()


def photo(_folder: Path) -> bytes:
    waves = np.sin(np.linspace(0, 9, SIZE[0]))[None, :] * np.cos(np.linspace(0, 5, SIZE[1]))[:, None]
    return encode(Image.fromarray(np.uint8(128 + 90 * waves)).convert("RGB"), "JPEG")


def gray_on_gray(_folder: Path) -> bytes:
    return encode(page().convert("L").point(lambda value: 120 + value // 20))


def read_one(stub: Stub, data: bytes, **fields: object) -> tuple[dict[int, str], pb.DocumentResult]:
    """Send one document as a stream; return the text of each page, and the result."""
    start = pb.DocumentStart(document_id="a", **{"options": OPTIONS, **fields})  # type: ignore[arg-type]
    parts = [pb.ReadStreamRequest(start=start)]
    parts += [pb.ReadStreamRequest(chunk=data[i : i + 2**20]) for i in range(0, len(data), 2**20)]
    parts.append(pb.ReadStreamRequest(end=pb.DocumentEnd()))
    *pages, last = stub.ReadStream(iter(parts), timeout=900)
    texts = {one.page.page.page: one.page.page.text for one in pages if one.page.HasField("page")}
    assert len(pages) == last.result.pages_read + last.result.pages_failed
    return texts, last.result


BAD: dict[str, tuple[Make, set[str]]] = {
    "empty": (lambda _: b"", {"DOCUMENT_UNREADABLE"}),
    "text": (lambda _: b"hello " * 1000, {"DOCUMENT_UNREADABLE"}),
    "more pixels than are read": (
        lambda _: encode(Image.new("1", (20_000, 20_000), 1)), {"DOCUMENT_TOO_LARGE"},
    ),
    "an encrypted PDF": (encrypt_page, {"DOCUMENT_ENCRYPTED"}),
    "half a PDF": (lambda folder: pdf(folder)[:300], {"DOCUMENT_UNREADABLE"}),
    "a PDF that is a bomb": (bomb, REFUSALS),
    "half a TIFF": (lambda _: tiff(*LINES)[: SIZE[0] * 40], {"DOCUMENT_UNREADABLE"}),
    "half a PNG": (lambda _: encode(page())[:400], {"DOCUMENT_UNREADABLE"}),
    "half a JPEG": (lambda _: encode(page(), "JPEG")[:700], {"DOCUMENT_UNREADABLE"}),
}  # fmt: skip
SLOW = ("more pixels than are read", "a PDF that is a bomb")


@pytest.mark.parametrize("name", [*(name for name in BAD if name not in SLOW), *slow(*SLOW)])
def test_what_cannot_be_read(stub: Stub, running: ServerProcess, tmp_path: Path, name: str) -> None:
    make, reasons = BAD[name]
    texts, result = read_one(stub, make(tmp_path), file_name="a.png")
    assert not texts and result.error.reason in reasons and result.error.message
    with running.client() as client:
        assert client.predict(zigzag(1)).prediction_id
    assert stub.ListEngines(pb.ListEnginesRequest(), timeout=120).engines


ODD: dict[str, Make] = {
    "inverted": lambda _: encode(page().point(lambda value: 255 - value)),
    "lying about its format": lambda _: encode(page(), "JPEG"),
    "transparent": lambda _: encode(page().convert("RGBA")),
}


@pytest.mark.parametrize("name", ODD)
def test_what_looks_odd_is_read_all_the_same(stub: Stub, tmp_path: Path, name: str) -> None:
    texts, _ = read_one(stub, ODD[name](tmp_path), file_name="a.pdf")
    assert texts == {1: "".join(f"{line}\n" for line in LINES)}


@pytest.mark.parametrize("make", [photo, gray_on_gray])
def test_what_has_hardly_any_text_is_no_error(stub: Stub, tmp_path: Path, make: Make) -> None:
    texts, result = read_one(stub, make(tmp_path))
    assert len(texts) == result.pages_read == 1 and not result.HasField("error")


def test_all_pages_of_a_tiff(stub: Stub) -> None:
    texts, _ = read_one(stub, tiff(*LINES, LINES[0]))
    assert texts == {1: f"{LINES[0]}\n", 2: f"{LINES[1]}\n", 3: f"{LINES[0]}\n"}


def test_pages_of_a_long_pdf(stub: Stub, tmp_path: Path) -> None:
    data = long_pdf(tmp_path)
    texts, result = read_one(stub, data, pages="1,500-501,1000", file_name="a.png")
    assert {number: text.strip() for number, text in texts.items()} == dict.fromkeys(
        (1, 500, 501, 1000), "page of a PDF"
    )
    assert result.pages_read == 4
    assert read_one(stub, data, pages="1001")[1].error.reason == "PAGE_NOT_FOUND"


def test_a_reading_is_kept_drawn_and_exported(stub: Stub) -> None:
    options = pb.ReadOptions(engine="rapidocr", mode=pb.READ_MODE_PRINTED, keep=True, debug=True)
    answer = stub.Read(pb.ReadRequest(document=encode(page()), file_name="fox.png", options=options), timeout=300)
    assert answer.page.text.splitlines() == list(LINES) and {picture.step for picture in answer.page.step_pictures}
    reading_id = answer.reading.reading_id
    drawn = stub.GetPageImage(pb.GetPageImageRequest(reading_id=reading_id), timeout=300)
    assert (drawn.width, drawn.height) == SIZE
    for form in sorted(set(pb.ReadingFormat.values()[1:]) - {pb.READING_FORMAT_GLYPHS}):  # which people have to name
        request = pb.ExportReadingRequest(reading_id=reading_id, format=form)
        header, *chunks, trailer = stub.ExportReading(request, timeout=300)
        assert header.header.file_name.startswith("fox.") and header.header.content_type
        assert trailer.trailer.size_bytes == sum(len(part.chunk) for part in chunks) > 0

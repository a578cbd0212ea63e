"""Every bad file is a clear error, in bounded time and memory."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import Exhausted, HaleganadaError, NotFound, Precondition
from haleganada_server.core.limits import MAX_PAGE_PIXELS, MAX_PAGES
from haleganada_server.reading.documents import open_document
from haleganada_server.reading.documents.pdf import PdfPages
from PIL import Image

from tests.unit.server.reading.pages import PdfDraft, draw_page, raw_stream, write_raw_pdf


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims to be huge."""
    fields = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (fields, data, b"IEND")
    )


def encode_page_as(name: str, **options: object) -> Callable[[Path], bytes]:
    """Return the bytes of a page in a format."""

    def encode(folder: Path) -> bytes:
        draw_page(["Some words"], size=(300, 200), at=(20, 20)).save(folder / name, **options)  # type: ignore[arg-type]
        return (folder / name).read_bytes()

    return encode


def draw_first(path: Path) -> None:
    """Open a file and draw its first page."""
    with contextlib.closing(open_document(path)) as document:
        document.draw(1)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b"", "empty"),
        (b"\0" * 5000, "neither a PDF nor a picture"),
        (b"just some text", "neither a PDF nor a picture"),
        (b"PK\x03\x04" + b"x" * 100, "office document"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "office document"),
        (b"AT&TFORM" + b"x" * 100, "DjVu"),
        (b"%!PS-Adobe-3.0\n", "PostScript"),
        (b"\0\0\0\x18ftypheic" + b"x" * 100, "HEIC"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"%PDF-1.7\n", "cut off or damaged"),
        (b"%PDF-1.7\n" + b"garbage" * 1000, "cut off or damaged"),
        (b"\x89PNG\r\n\x1a\n", "neither a PDF nor a picture"),
        (b"\xff\xd8\xff\xe0", "neither a PDF nor a picture"),
        (b"II*\0" + b"\xff" * 50, "neither a PDF nor a picture"),
    ],
)
def test_tells_what_is_wrong_with_a_file(tmp_path: Path, data: bytes, hint: str) -> None:
    path = tmp_path / "document"
    path.write_bytes(data)

    with pytest.raises(Precondition, match=hint) as error:
        open_document(path)

    assert error.value.reason is Reason.DOCUMENT_UNREADABLE
    assert str(tmp_path) not in error.value.message


def test_a_folder_and_a_pipe_are_no_documents(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing"):
        with pytest.raises(Precondition, match="not a file") as error:
            open_document(path)
        assert error.value.reason is Reason.DOCUMENT_UNREADABLE


@pytest.mark.parametrize(
    "make",
    [
        encode_page_as("a.png"),
        encode_page_as("a.jpg"),
        encode_page_as("a.tif"),
        encode_page_as("a.tif", compression="tiff_lzw"),
        encode_page_as("a.tif", compression="tiff_adobe_deflate"),
        encode_page_as("a.webp"),
        encode_page_as("a.gif"),
        encode_page_as("a.bmp"),
    ],
)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_picture_that_is_cut_off_is_unreadable(tmp_path: Path, make: Callable[[Path], bytes], part: float) -> None:
    data = make(tmp_path)
    path = tmp_path / "document"
    path.write_bytes(data[: int(len(data) * part)])

    with pytest.raises(Precondition) as error:
        draw_first(path)

    assert error.value.reason is Reason.DOCUMENT_UNREADABLE


def test_pages_before_the_end_of_a_cut_off_tiff_are_read(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    pages = [Image.fromarray(dice.integers(0, 255, (80, 100), np.uint8)) for _ in range(5)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    data = (tmp_path / "a.tif").read_bytes()
    (tmp_path / "a.tif").write_bytes(data[: int(len(data) * 0.7)])

    document = open_document(tmp_path / "a.tif")

    assert 4 <= document.pages_total <= 5
    for page in (1, 2, 3):
        assert np.array_equal(document.draw(page)[:, :, 0], np.asarray(pages[page - 1]))
    with pytest.raises(Precondition, match=f"page {document.pages_total}") as error:
        document.draw(document.pages_total)
    assert error.value.reason is Reason.DOCUMENT_UNREADABLE
    assert document.draw(1).shape == (80, 100, 3)
    document.close()


@pytest.mark.parametrize("size", [(20_000, 20_000), (11_000, 11_000), (2**31 - 1, 2**31 - 1), (MAX_PAGE_PIXELS + 1, 1)])
def test_a_picture_that_claims_to_be_huge_is_not_decoded(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "document"
    path.write_bytes(png_header(*size))

    with pytest.raises(Exhausted, match="megapixels") as error:
        draw_first(path)

    assert error.value.reason is Reason.DOCUMENT_TOO_LARGE


def test_a_picture_without_width_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "document"
    path.write_bytes(png_header(0, 100))

    with pytest.raises(Precondition) as error:
        draw_first(path)

    assert error.value.reason is Reason.DOCUMENT_UNREADABLE


def test_a_jpeg_with_endless_passes_is_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "document"
    Image.new("L", (64, 64)).save(path, "JPEG", progressive=True)
    data = path.read_bytes()
    scan = data[data.rindex(b"\xff\xda") : -2]
    path.write_bytes(data[:-2] + scan * 500 + data[-2:])

    with pytest.raises(Precondition, match="progressive passes"):
        open_document(path)


def test_a_tiff_whose_pages_go_in_circles_ends(tmp_path: Path) -> None:
    pages = [Image.new("L", (10, 10)) for _ in range(3)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    data = bytearray((tmp_path / "a.tif").read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    at = first
    for _ in range(2):
        (count,) = struct.unpack_from("<H", data, at)
        end = at + 2 + 12 * count
        (at,) = struct.unpack_from("<I", data, end)
    (count,) = struct.unpack_from("<H", data, at)
    struct.pack_into("<I", data, at + 2 + 12 * count, first)
    (tmp_path / "a.tif").write_bytes(data)

    document = open_document(tmp_path / "a.tif")

    assert document.pages_total == 3
    document.close()


def test_more_pages_than_allowed_are_refused(tmp_path: Path) -> None:
    count = MAX_PAGES + 1
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    kids = b" ".join(b"%d 0 R" % at for at in range(3, count + 3))
    pages = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, kids)
    path = write_raw_pdf(tmp_path / "document", [b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[page] * count])

    with pytest.raises(Exhausted, match="split it") as error:
        open_document(path)

    assert error.value.reason is Reason.DOCUMENT_TOO_LARGE


def test_an_encrypted_pdf_is_told_apart(tmp_path: Path) -> None:
    path = write_raw_pdf(
        tmp_path / "document",
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] >>",
            b"<< /Filter /Standard /V 1 /R 2 /P -44 /O <%s> /U <%s> >>" % (b"41" * 32, b"42" * 32),
        ],
        trailer=b"/Encrypt 4 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]",
    )

    with pytest.raises(Precondition, match="password") as error:
        open_document(path)

    assert error.value.reason is Reason.DOCUMENT_ENCRYPTED


def one_page_pdf(path: Path, content: bytes, box: bytes = b"[0 0 300 400]", more: tuple[bytes, ...] = ()) -> Path:
    """A page with this content; its resources are object 5, the objects after that are `more`."""
    return write_raw_pdf(
        path,
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources 5 0 R >>" % box,
            raw_stream(content),
            *(more or (b"<< >>",)),
        ],
    )


@pytest.mark.parametrize(
    ("box", "most"),
    [
        (b"[0 0 1000000 1000000]", MAX_PAGE_PIXELS),
        (b"[0 0 14400 1]", MAX_PAGE_PIXELS),
        (b"[0 0 1e30 1e30]", MAX_PAGE_PIXELS),
        (b"[0 0 0 0]", 40_000_000),
        (b"[0 0 0.001 0.001]", 40_000_000),
        (b"[10 10 -500 -500]", 40_000_000),
        (b"[0 0 nan inf]", 40_000_000),
        (b"null", 40_000_000),
        (b"[(a) /b]", 40_000_000),
    ],
)
def test_a_page_of_any_claimed_size_is_drawn_bounded_or_refused(tmp_path: Path, box: bytes, most: int) -> None:
    document = open_document(one_page_pdf(tmp_path / "document", b"0 0 100 100 re f", box))

    try:
        height, width, _ = document.draw(1).shape
        assert 0 < width * height <= most
    except (Precondition, Exhausted) as error:
        assert error.reason in (Reason.DOCUMENT_UNREADABLE, Reason.DOCUMENT_TOO_LARGE)
    document.close()


def test_a_huge_picture_in_a_pdf_is_not_decoded(tmp_path: Path) -> None:
    side = 40_000
    data = zlib.compress(zlib.compress(bytes(side * side // 8), 9), 9)
    image = raw_stream(
        data,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 1 "
        b"/Filter [/FlateDecode /FlateDecode]" % (side, side),
    )
    more = (b"<< /XObject << /I 6 0 R >> >>", image)
    document = open_document(one_page_pdf(tmp_path / "document", b"q 300 0 0 400 0 0 cm /I Do Q", more=more))

    with pytest.raises(Exhausted, match="megapixels") as error:
        document.draw(1)

    assert error.value.reason is Reason.DOCUMENT_TOO_LARGE
    document.close()


@pytest.mark.parametrize(
    "content",
    [b"q " * 100_000 + b"0 0 99 99 re f", b"/a " + b"<< /a " * 50_000 + b" BDC", b"[" * 100_000, b"(" * 100_000],
)
def test_deep_nesting_harms_nobody(tmp_path: Path, content: bytes) -> None:
    with contextlib.closing(open_document(one_page_pdf(tmp_path / "document", content))) as document:
        assert document.draw(1).shape == (1667, 1250, 3)
        assert document.text_lines(1) == []


def test_a_page_that_takes_too_long_to_draw_is_given_up(tmp_path: Path) -> None:
    path = one_page_pdf(tmp_path / "document", b"0 0 m 300 400 l S\n" * 200_000)
    begin = time.monotonic()

    with contextlib.closing(PdfPages(path, draw_s=0.5)) as document, pytest.raises(Exhausted, match="seconds") as error:
        document.draw(1)

    assert error.value.reason is Reason.DOCUMENT_TOO_LARGE
    assert time.monotonic() - begin < 20


@pytest.mark.slow
def test_a_large_picture_is_decoded_in_bounded_memory(tmp_path: Path) -> None:
    """50 megapixels: as they are decoded, 150 MB; as they are returned, 150 MB; and no third time."""
    Image.new("RGB", (10_000, 5_000), "white").save(tmp_path / "a.png", compress_level=1)
    code = (
        "import pathlib, resource, sys\n"
        "from haleganada_server.reading.documents import open_document\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "open_document(pathlib.Path(sys.argv[1])).draw(1)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "a.png"], capture_output=True, text=True, timeout=120, check=True
    )

    assert int(done.stdout) < 450  # MiB; Pillow keeps 4 bytes for each px


def test_files_are_closed_whatever_happens(tmp_path: Path) -> None:
    paths = []
    for name, data in (("cut.png", png_header(30_000, 30_000)), ("cut.pdf", b"%PDF-1.7\n"), ("text", b"text")):
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    encode_page_as("a.tif")(tmp_path)
    paths.append(tmp_path / "a.tif")
    draft = PdfDraft()
    draft.add_page()
    paths.append(draft.save(tmp_path / "a.pdf"))
    before = len(list(Path("/proc/self/fd").iterdir()))

    for path in paths * 20:
        try:
            document = open_document(path)
        except HaleganadaError:
            continue
        document.draw(1)
        with pytest.raises(NotFound):
            document.draw(2)
        document.close()

    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1

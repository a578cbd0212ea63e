"""Pages of documents are items; what cannot be opened is one."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from haleganada_server.app import open_recognizers
from haleganada_server.bulk.documents import DOCUMENTS, list_pages
from haleganada_server.bulk.items import Item, ItemList
from haleganada_server.config import ServerConfig
from PIL import Image


def write_tiff(pages: int) -> bytes:
    buffer = io.BytesIO()
    first, *others = [Image.new("L", (60, 40), 255 - number) for number in range(pages)]
    first.save(buffer, "TIFF", save_all=True, append_images=others)
    return buffer.getvalue()


def test_each_page_is_an_item(tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "book.tif").write_bytes(write_tiff(3))
    (scans / "broken.tif").write_bytes(b"no picture")
    (scans / "leaf.png").write_bytes(b"is opened by a worker")
    with zipfile.ZipFile(scans / "more.zip", "w") as zipped:
        zipped.writestr("two.tiff", write_tiff(2))
    found = ItemList(DOCUMENTS)
    found.add(str(scans))
    recognizers = open_recognizers(ServerConfig(tmp_path / "data", device="cpu", readers=1))
    pages = list_pages(found.items, recognizers.pages, tmp_path)
    recognizers.close()
    named = [(Path(item.name).name, item.page) for item in pages]
    assert named == [
        ("book.tif", 1), ("book.tif", 2), ("book.tif", 3), ("broken.tif", 1), ("leaf.png", 1), ("two.tiff", 1),
        ("two.tiff", 2),
    ]  # fmt: skip
    assert pages[-1] == Item(f"{scans}/more.zip/two.tiff", str(scans / "more.zip"), "two.tiff", page=2)
    assert not list(tmp_path.glob("document-*")), "nothing is left of what was unpacked"

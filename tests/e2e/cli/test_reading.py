"""Reading documents with a real server and whatever engine it has: the command line, and the Python client."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, NotFound, Unavailable
from PIL import Image, ImageDraw, ImageFont

from tests.e2e.cli.command_line import AS_AT_A_TERMINAL, Done, haleganada
from tests.e2e.processes import ServerProcess, server
from tests.support.waiting import wait_until

MAGIC = {
    "text": b"Hello",
    "json": b"{",
    "hocr": b"<?xml",
    "alto": b"<?xml",
    "page": b"<?xml",
    "pdf": b"%PDF-",
    "tsv": b"",
    "words": b"PK",
    "crops": b"PK",
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with server(tmp_path_factory.mktemp("data")) as process:
        yield process


@pytest.fixture(scope="module")
def engine(running: ServerProcess) -> str:
    """The id of an engine that reads printed Latin script; the small one first, which starts faster."""
    with running.client() as client:
        installed = [found.engine for found in client.engines() if found.installed and "printed" in found.modes]
    if not installed:
        pytest.skip(
            "no engine that reads text is installed: pip install 'haleganada[read]', or apt install tesseract-ocr"
        )
    return "tesseract" if "tesseract" in installed else installed[0]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """hello.png, and two.pdf with a page like it and another."""
    folder = tmp_path_factory.mktemp("scans")
    first, second = draw("Hello world\nsecond line"), draw("Another page\nwith words")
    first.save(folder / "hello.png")
    first.save(folder / "two.pdf", save_all=True, append_images=[second], resolution=150)
    return folder


def draw(text: str) -> Image.Image:
    image = Image.new("RGB", (900, 400), "white")
    font = ImageFont.load_default(44)
    for row, line in enumerate(text.splitlines()):
        ImageDraw.Draw(image).text((60, 60 + 90 * row), line, fill="black", font=font)
    return image


class Reader:
    """Runs commands of one server; reads with one engine."""

    def __init__(self, address: str, engine: str) -> None:
        self.address, self.engine = address, engine

    def run(self, *arguments: str | Path, stdin: bytes | None = None) -> Done:
        return haleganada("--server", self.address, *arguments, stdin=stdin)

    def read(self, *arguments: str | Path, stdin: bytes | None = None) -> Done:
        return self.run("read", "--engine", self.engine, *arguments, stdin=stdin)


@pytest.fixture
def reader(running: ServerProcess, engine: str) -> Reader:
    return Reader(running.address, engine)


def test_engines_are_listed_with_what_to_install(running: ServerProcess) -> None:
    done = haleganada("--server", running.address, "engines", "--json")
    engines = json.loads(done.stdout)
    assert {"rapidocr", "tesseract"} <= {engine["engine"] for engine in engines}
    assert all(engine["installed"] or "install" in engine["install_hint"] for engine in engines)
    table = haleganada("--server", running.address, "engines").stdout
    assert all(engine["engine"] in table for engine in engines)


def test_the_text_of_a_picture_and_of_standard_input(reader: Reader, scans: Path) -> None:
    printed = reader.read(scans / "hello.png")
    assert printed.returncode == 0 and not printed.stderr and "Hello world" in printed.stdout
    assert reader.read("-", stdin=(scans / "hello.png").read_bytes()).stdout == printed.stdout


def test_some_pages_of_a_pdf(reader: Reader, scans: Path) -> None:
    both = reader.read(scans / "two.pdf").stdout
    first, second = both.split("\f")
    assert "Hello" in first and "Another" in second
    assert reader.read(scans / "two.pdf", "--pages", "2-").stdout == second
    missing = reader.read(scans / "two.pdf", "--pages", "7")
    assert missing.returncode == 4 and "two.pdf" in missing.stderr and not missing.stdout


def test_json_tells_where_every_word_is(reader: Reader, scans: Path) -> None:
    [document] = json.loads(reader.read(scans / "hello.png", "--json").stdout)
    [page] = document["pages"]
    words = [word for block in page["blocks"] for line in block["lines"] for word in line["words"]]
    assert [word["text"] for word in words][:2] == ["Hello", "world"]
    for word in words:
        assert all(0 <= x <= 900 and 0 <= y <= 400 for x, y in word["polygon"])
        assert word["confidence"] is None or 0 <= word["confidence"] <= 1


def test_a_format_of_the_server_is_a_file_and_leaves_nothing_there(reader: Reader, scans: Path, tmp_path: Path) -> None:
    done = reader.read(scans / "two.pdf", "--format", "alto", "--out", tmp_path)
    assert done.returncode == 0 and str(tmp_path / "two.alto.zip") in done.stdout, done.stderr
    with zipfile.ZipFile(tmp_path / "two.alto.zip") as archive:
        assert len(archive.namelist()) == 2
    assert b"<html" in reader.read(scans / "hello.png", "--format", "hocr").stdout.encode()
    assert reader.run("readings").stdout == "no readings\n"


def test_bad_files_are_told_and_the_rest_is_read(reader: Reader, scans: Path, tmp_path: Path) -> None:
    (tmp_path / "lying.png").write_bytes(b"no picture at all")
    (tmp_path / "empty.pdf").write_bytes(b"")
    (tmp_path / "cut.pdf").write_bytes((scans / "two.pdf").read_bytes()[:200])
    done = reader.read(tmp_path, scans / "hello.png", tmp_path / "missing.tif", "--out", tmp_path / "out")
    assert done.returncode == 1 and [path.name for path in (tmp_path / "out").iterdir()] == ["hello.txt"]
    named = sorted(line.split(": ")[1] for line in done.stderr.splitlines())
    assert named == sorted(str(tmp_path / name) for name in ("lying.png", "empty.pdf", "cut.pdf", "missing.tif"))


def test_the_steps_of_the_preparation_can_be_seen_and_left_out(reader: Reader, scans: Path, tmp_path: Path) -> None:
    for name, skipped in (("all", []), ("fewer", ["--skip", "light", "--skip", "turn"])):
        assert reader.read(scans / "hello.png", "--debug", tmp_path / name, *skipped).returncode == 0
    steps = {
        name: {path.stem.partition("-")[2] for path in (tmp_path / name / "hello-page-1").iterdir()}
        for name in ("all", "fewer")
    }
    assert {"light", "turn"} <= steps["all"] and not {"light", "turn"} & steps["fewer"]
    for path in (tmp_path / "all").rglob("*.png"):
        Image.open(path).verify()


def test_what_the_server_cannot_do_has_its_own_exit_code(reader: Reader, scans: Path) -> None:
    assert reader.run("read", scans / "hello.png", "--engine", "abacus").returncode == 4
    assert reader.run("read", scans / "hello.png", "--engine", reader.engine, "--mode", "taught").returncode == 5


def test_segments_are_pictures_with_a_manifest(reader: Reader, scans: Path, tmp_path: Path) -> None:
    done = reader.run("segment", "--engine", reader.engine, scans / "two.pdf", "--out", tmp_path / "parts")
    assert done.returncode == 0, done.stderr
    assert "2 pages, 4 lines" in done.stdout
    manifest = (tmp_path / "parts" / "manifest.json").read_text()
    assert "Hello" in manifest and json.loads(manifest)
    pictures = list((tmp_path / "parts").rglob("*.png")) + list((tmp_path / "parts").rglob("*.jpg"))
    assert len(pictures) >= 4 + 9 + 2
    for path in pictures:
        Image.open(path).verify()


def test_a_kept_reading_is_listed_shown_exported_imported_and_deleted(
    reader: Reader, scans: Path, tmp_path: Path
) -> None:
    done = reader.read(scans / "hello.png", "--keep", "--json")
    reading_id = json.loads(done.stdout)[0]["reading"]["reading_id"]
    assert reading_id in reader.run("readings").stdout
    assert "Hello world" in reader.run("readings", "show", reading_id).stdout
    for form, magic in MAGIC.items():
        exported = reader.run("readings", "export", reading_id, tmp_path / form, "--format", form)
        assert exported.returncode == 0, (form, exported.stderr)
        content = (tmp_path / form).read_bytes()
        assert content and content.startswith(magic)
    assert "Hello world" in reader.run("readings", "export", reading_id, "-").stdout
    assert reader.run("readings", "export", reading_id, tmp_path / "text").returncode == 2  # it is there already
    imported = json.loads(reader.run("readings", "import", tmp_path / "words", "--json").stdout)["reading_id"]
    shown = json.loads(reader.run("readings", "show", imported, "--json").stdout)
    assert "Hello" in shown["pages"][0]["text"]
    assert reader.run("readings", "delete", reading_id, imported).returncode == 0
    assert reader.run("readings", "show", reading_id).returncode == 4


@pytest.mark.slow
def test_an_interrupted_command_leaves_nothing_half(reader: Reader, scans: Path, tmp_path: Path) -> None:
    for number in range(60):  # more than are read before the signal comes
        os.link(scans / "hello.png", tmp_path / f"{number:02}.png")
    line = [
        sys.executable,
        "-c",
        AS_AT_A_TERMINAL,
        "--server",
        reader.address,
        "read",
        "--engine",
        reader.engine,
    ]
    out = tmp_path / "out"
    with subprocess.Popen([*line, tmp_path, "--out", out], stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: out.exists() and any(out.glob("*.txt")))
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None and "stopped" in process.stderr.read()
    assert process.returncode == 130
    assert all(path.suffix == ".txt" and path.read_text() for path in out.iterdir()) and len(list(out.iterdir())) < 60
    assert reader.read(scans / "hello.png").returncode == 0


def test_the_python_client_reads_one_page(running: ServerProcess, engine: str, scans: Path) -> None:
    with running.client() as client:
        page = client.read(scans / "two.pdf", 2, engine=engine)
        assert (page.page, page.pages_total) == (2, 2) and page.text.startswith("Another page")
        assert [word.text for word in page.words][:2] == ["Another", "page"]
        assert page.lines[0].engine == engine and page.reading is None
        with pytest.raises(NotFound, match="2 pages"):
            client.read((scans / "two.pdf").read_bytes(), 3, engine=engine)


def test_the_python_client_keeps_and_draws_readings(running: ServerProcess, engine: str, scans: Path) -> None:
    with running.client() as client:
        kept = client.read(scans / "hello.png", engine=engine, keep=True).reading
        assert kept is not None and kept.file_name == "hello.png" and kept.engines == (engine,)
        assert client.readings.page(kept.reading_id).text.startswith("Hello")
        image = client.readings.image(kept.reading_id, max_side=300)
        assert (image.width, image.height) == (300, 133) and image.image.startswith(b"\xff\xd8")
        assert client.readings.list(1) == [kept]
        client.readings.delete(kept.reading_id)
        with pytest.raises(NotFound):
            client.readings.get(kept.reading_id)


def test_the_python_client_reads_many_documents(running: ServerProcess, engine: str, scans: Path) -> None:
    documents: list[Path | bytes] = [scans / "hello.png", b"no document", scans / "two.pdf"]
    with running.client() as client:
        found = {done.index: done for done in client.read_many(documents, engine=engine)}
        assert found[0].text.startswith("Hello") and [page.page for page in found[2].pages] == [1, 2]
        error = found[1].error
        assert error is not None and error.reason == "DOCUMENT_UNREADABLE"


@pytest.mark.slow
def test_the_python_client_says_that_a_server_is_gone(tmp_path: Path, scans: Path) -> None:
    with server(tmp_path) as running:
        client = HaleganadaClient(running.address)
        client.health()
        running.kill()
    with client, pytest.raises(Unavailable):
        list(client.read_many([scans / "hello.png"]))

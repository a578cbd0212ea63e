"""What a user installs: a client without the server, a server of the same version, their data, and nothing else."""

from __future__ import annotations

import email
import hashlib
import os
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.support.slow import slow

ROOT = Path(__file__).parents[2]
CLIENT, SERVER, KANNADA, HAND = "haleganada", "haleganada_server", "haleganada_kannada", "haleganada_latin_hand"
DISTRIBUTIONS = (CLIENT, SERVER, KANNADA, HAND)
NEEDED = {
    CLIENT: (
        "haleganada/py.typed",
        "haleganada/v1/ocr_service_pb2.pyi",
        "haleganada_client/cli/root.py",
        "haleganada_client/examples/copiale/README.md",
        "haleganada_client/examples/copiale/copiale.png",
        "haleganada_client/examples/copiale/symbols.zip",
        "haleganada_client/starter.jsonl",
        "haleganada_client/web/templates/index.html",
        "haleganada_client/web/static/draw_page.js",
        "haleganada_client/web/static/i18n/en.json",
        "haleganada_client/web/static/i18n/languages.js",
        "haleganada_client/web/static/styles/base.css",
        "haleganada_client/web/static/vendor/uplot.min.js",
        "haleganada_client/web/static/openapi.json",
    ),
    SERVER: (
        *(f"haleganada_server/training/evaluation/matrix_page_parts/{name}" for name in ("page.html", "page.css")),
        *(f"haleganada_server/training/evaluation/matrix_page_parts/{name}.js" for name in ("matrix", "controls")),
        "haleganada_server/py.typed",
        "haleganada_server/weights/card.json",
        "haleganada_server/weights/embedder.onnx",
        "haleganada_server/weights/starter/memory.png",
        "haleganada_server/weights/starter/model.json",
        "haleganada_server/weights/starter/model.onnx",
    ),
    KANNADA: (
        *(f"haleganada_kannada/kannada-print/{name}" for name in ("MODEL_CARD.md", "model.json", "model.onnx")),
        *(f"haleganada_kannada/kannada-print/{name}" for name in ("model.safetensors", "symbol_order.npz")),
    ),
    HAND: (
        *(f"haleganada_latin_hand/latin-hand/{name}" for name in ("MODEL_CARD.md", "model.json", "model.onnx")),
        *(f"haleganada_latin_hand/latin-hand/{name}" for name in ("model.safetensors", "symbol_order.npz")),
    ),
}
PACKAGES = {
    CLIENT: {"haleganada", "haleganada_client"},
    **{distribution: {distribution} for distribution in (SERVER, KANNADA, HAND)},
}
SOURCES = {
    CLIENT: {".gitignore", "LICENSE", "PKG-INFO", "README.md", "clients", "generated", "proto", "pyproject.toml"},
    SERVER: {".gitignore", "LICENSE", "PKG-INFO", "README.md", "haleganada_server", "pyproject.toml"},
    KANNADA: {".gitignore", "LICENSE", "PKG-INFO", "README.md", "haleganada_kannada", "pyproject.toml"},
    HAND: {".gitignore", "LICENSE", "PKG-INFO", "README.md", "haleganada_latin_hand", "pyproject.toml"},
}
MAX_BYTES = {CLIENT: 1_500_000, SERVER: 6_000_000, KANNADA: 15_000_000, HAND: 15_000_000}
ONLY_FOR_TRAINING = "haleganada_server/weights/embedder.safetensors"
BUILD_TOOLS = {**os.environ, "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all distributions, freshly built."""
    folder = tmp_path_factory.mktemp("built")
    line = [ROOT / ".ci/build", ROOT, folder]
    subprocess.run(line, check=True, capture_output=True, timeout=300, env=BUILD_TOOLS)
    return folder


def names_in_wheel(built: Path, distribution: str) -> list[str]:
    with zipfile.ZipFile(_find_wheel(built, distribution)) as wheel:
        return wheel.namelist()


def read_metadata(built: Path, distribution: str) -> Message:
    with zipfile.ZipFile(_find_wheel(built, distribution)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(wheel.read(name))


def _find_wheel(built: Path, distribution: str) -> Path:
    [wheel] = built.glob(f"{distribution}-*.whl")
    return wheel


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_wheel_is_whole_and_has_nothing_else(built: Path, distribution: str) -> None:
    names = names_in_wheel(built, distribution)
    assert not [name for name in NEEDED[distribution] if name not in names]
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES[distribution]
    others = [name for name in names if name not in NEEDED[distribution]]
    assert not [name for name in others if "__pycache__" in name or name.endswith((".sqlite3", ".npz"))]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert _find_wheel(built, distribution).stat().st_size < MAX_BYTES[distribution]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_sources_of_one_distribution_are_not_in_the_other(built: Path, distribution: str) -> None:
    [archive] = built.glob(f"{distribution}-*.tar.gz")
    with tarfile.open(archive) as sources:
        assert {name.split("/")[1] for name in sources.getnames()} == SOURCES[distribution]


def test_the_network_to_train_further_comes_with_the_sources_alone(built: Path) -> None:
    [archive] = built.glob(f"{SERVER}-*.tar.gz")
    with tarfile.open(archive) as sources:
        assert any(name.endswith(ONLY_FOR_TRAINING) for name in sources.getnames())
    assert ONLY_FOR_TRAINING not in names_in_wheel(built, SERVER)


def test_all_have_one_version_and_pin_each_other(built: Path) -> None:
    client, server, kannada, hand = (read_metadata(built, distribution) for distribution in DISTRIBUTIONS)
    version = client["Version"]
    assert server["Version"] == kannada["Version"] == hand["Version"] == version
    assert f"haleganada-kannada=={version}; extra == 'kannada'" in server.get_all("Requires-Dist", [])
    assert f"haleganada-latin-hand=={version}; extra == 'latin-hand'" in server.get_all("Requires-Dist", [])
    assert not kannada.get_all("Requires-Dist", []) and not hand.get_all("Requires-Dist", [])
    assert f"haleganada=={version}" in server.get_all("Requires-Dist", [])
    needed = client.get_all("Requires-Dist", [])
    for extra in ("server", "read", "train", "tensorboard"):
        assert f"haleganada-server=={version}; extra == '{extra}'" in needed


def test_an_extra_of_the_server_is_one_of_the_client_too(built: Path) -> None:
    """So that everybody can write haleganada[read], wherever the server's code is."""
    client, server = (read_metadata(built, distribution) for distribution in (CLIENT, SERVER))
    needed = client.get_all("Requires-Dist", [])
    for extra in server.get_all("Provides-Extra", []):
        assert f"haleganada-server[{extra}]; extra == '{extra}'" in needed


def test_a_client_needs_nothing_of_a_server(built: Path) -> None:
    needed = [line for line in read_metadata(built, CLIENT).get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {line.partition(">")[0].partition("<")[0] for line in needed} == {
        "click", "grpcio", "grpcio-status", "protobuf"
    }  # fmt: skip


def test_both_have_one_license() -> None:
    assert (ROOT / "server/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("distribution", [CLIENT, *slow(SERVER)])
def test_the_same_sources_make_the_same_files(built: Path, tmp_path: Path, distribution: str) -> None:
    """Built again from its own sources, at another place, under other dates and permissions."""
    [archive] = built.glob(f"{distribution}-*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()
    for path in source.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
        path.chmod(0o700 if path.is_dir() else 0o600)
    again = tmp_path / "again"
    line = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(again), str(source)]
    subprocess.run(line, check=True, capture_output=True, timeout=300, umask=0o077)
    assert _hashes(again, distribution) == _hashes(built, distribution)


def _hashes(folder: Path, distribution: str) -> dict[str, str]:
    files = folder.glob(f"{distribution}-*")
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

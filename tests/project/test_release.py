"""`make release` builds from a commit that is ready, and refuses any other one; it publishes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", "clients", "generated", "proto", "server")
FILES = (".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml")
PROTO = "proto/haleganada/v1/ocr_service.proto"
BINARIES = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


class Repository:
    """A repository of its own with what a release is made of."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def prepare(cls, folder: Path) -> None:
        """Make one that is ready for a release."""
        for name in FOLDERS:
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
        for name in FILES:
            shutil.copy(ROOT / name, folder / name)
        repository = cls(folder)
        repository.git("init", "--quiet")
        repository.edit("CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n## 0.1.0 (2030-01-01)\n")
        repository.renew_baseline()
        repository.commit()

    def git(self, *words: str) -> None:
        author = ("-c", "user.name=Somebody", "-c", "user.email=somebody@localhost")
        subprocess.run(["git", *author, *words], check=True, cwd=self.folder, capture_output=True)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    def renew_baseline(self) -> None:
        line = [str(BINARIES / "buf"), "build", "proto", "--exclude-source-info", "-o", "proto/baseline.binpb"]
        subprocess.run(line, check=True, cwd=self.folder)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--no-gpg-sign", "--message", "A change")

    def release(self) -> str:
        """Try to release with the tools of this environment; return what it is refused for."""
        environment = {**os.environ, "PATH": os.pathsep.join((str(BINARIES), os.environ["PATH"]))}
        line = [self.folder / ".ci/release"]
        done = subprocess.run(line, capture_output=True, text=True, env=environment, timeout=300, check=False)
        assert done.returncode == 1 and not (self.folder / "dist").exists()
        return done.stderr


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a repository that is ready for a release."""
    folder = tmp_path_factory.mktemp("prepared") / "repository"
    Repository.prepare(folder)
    return folder


@pytest.fixture
def repository(prepared: Path, tmp_path: Path) -> Repository:
    shutil.copytree(prepared, tmp_path / "repository", symlinks=True)
    return Repository(tmp_path / "repository")


def test_what_is_not_committed_is_not_released(repository: Repository) -> None:
    (repository.folder / "server/haleganada_server/new.py").touch()
    assert "commit or remove what git status lists" in repository.release()


def test_a_version_without_an_entry_in_the_changelog_is_not_released(repository: Repository) -> None:
    repository.edit("pyproject.toml", 'version = "0.1.0"', 'version = "0.1"')
    repository.commit()
    assert "CHANGELOG.md has no entry “## 0.1”" in repository.release()


def test_a_baseline_that_lacks_something_is_to_be_renewed(repository: Repository) -> None:
    repository.edit(PROTO, "message PredictRequest {", "message Added {}\n\nmessage PredictRequest {")
    repository.commit()
    assert "run make proto-baseline" in repository.release()


def test_a_contract_that_breaks_clients_of_the_last_release_is_not_released(repository: Repository) -> None:
    """Also where its baseline has been renewed."""
    repository.git("tag", "v0.0.9")
    repository.edit(PROTO, "message PredictRequest {", "message Renamed {}\n\nmessage PredictRequest {")
    repository.renew_baseline()
    repository.commit()
    repository.git("tag", "v0.0.10")
    repository.edit(PROTO, "message Renamed {}\n", "")
    repository.renew_baseline()
    repository.commit()
    assert "breaks clients of v0.0.10" in repository.release()


@pytest.mark.slow
def test_a_release_is_files_with_their_checksums(repository: Repository) -> None:
    """It takes what the distributions need from the package index, to list it."""
    subprocess.run(["make", "release"], check=True, cwd=repository.folder, capture_output=True, timeout=900)
    dist = repository.folder / "dist"
    lines = (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = {name: checksum for checksum, name in (line.split() for line in lines)}
    assert sums == {path.name: _hash(path) for path in dist.iterdir() if path.name != "SHA256SUMS"}
    endings = ("-py3-none-any.whl", ".tar.gz", ".cdx.json")
    names = ("haleganada", "haleganada_server", "haleganada_kannada", "haleganada_latin_hand")
    assert {*sums} == {f"{name}-0.1.0{ending}" for name in names for ending in endings}
    client, server = (_read_sbom(dist / f"{name}-0.1.0.cdx.json") for name in ("haleganada", "haleganada_server"))
    assert client >= {("haleganada", "0.1.0"), ("uplot", _version_of_uplot())}
    assert server >= {("haleganada", "0.1.0"), ("haleganada-server", "0.1.0")}
    assert {"flask", "grpcio", "uharfbuzz"} < _names(client) and not _names(client) & {"numpy", "haleganada-server"}
    assert {"grpcio", "numpy", "onnxruntime", "rapidocr"} < _names(server) and not _names(server) & {"flask", "torch"}


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_sbom(file: Path) -> set[tuple[str, str]]:
    """Return the names and versions of what an SBOM describes and of its components."""
    text = file.read_text(encoding="utf-8")
    assert "file:" not in text, "it tells where it was made"
    sbom = json.loads(text)
    return {(part["name"], part["version"]) for part in (sbom["metadata"]["component"], *sbom["components"])}


def _names(components: set[tuple[str, str]]) -> set[str]:
    return {name.lower() for name, _ in components}


def _version_of_uplot() -> str:
    package = json.loads((ROOT / "clients/package.json").read_text(encoding="utf-8"))
    return str(package["devDependencies"]["uplot"])

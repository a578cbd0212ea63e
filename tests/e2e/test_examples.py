"""The examples in other languages: made and run with the commands of their README, from the .proto files alone."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.processes import server

ROOT = Path(__file__).parents[2]
SHOWN = "127.0.0.1:50051"
GO_PACKAGES = Path("/usr/share/gocode/src/google.golang.org")  # where Debian has them


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy of the examples in which nothing is made yet, beside the contract."""
    copy = tmp_path / "clients" / "examples"
    shutil.copytree(ROOT / "clients" / "examples", copy, ignore=shutil.ignore_patterns("build", "node_modules"))
    (tmp_path / "proto").symlink_to(ROOT / "proto")
    return copy


def test_node(examples: Path, tmp_path: Path) -> None:
    require("node", "npm")
    try:
        check(examples, "node", tmp_path / "data")
    except BuildError:
        pytest.skip("npm cannot install @grpc/grpc-js here")


@pytest.mark.slow
def test_go(examples: Path, tmp_path: Path) -> None:
    require("make", "go", "protoc", "protoc-gen-go", "protoc-gen-go-grpc")
    if not (GO_PACKAGES / "grpc").is_dir() or not (GO_PACKAGES / "protobuf").is_dir():
        pytest.skip("golang-google-grpc-dev and golang-github-golang-protobuf-1-5-dev are not installed")
    check(examples, "go", tmp_path / "data")


@pytest.mark.slow
def test_cpp(examples: Path, tmp_path: Path) -> None:
    require("make", "g++", "pkg-config", "protoc", "grpc_cpp_plugin")
    if subprocess.run(["pkg-config", "--exists", "grpc++", "protobuf"], check=False).returncode != 0:
        pytest.skip("libgrpc++-dev and libprotobuf-dev are not installed")
    check(examples, "cpp", tmp_path / "data")


class BuildError(AssertionError):
    """An example could not be made ready to run."""


def require(*programs: str) -> None:
    """Skip the test if a program is not installed."""
    if missing := [program for program in programs if shutil.which(program) is None]:
        pytest.skip(f"{', '.join(missing)} not installed")


def check(examples: Path, language: str, data: Path) -> None:
    """Make an example, run it against a server, and against none."""
    *preparations, program = commands_of(examples, language)
    for line in preparations:
        made = run(line, examples / language)
        if made.returncode != 0:
            raise BuildError(made.stderr)
    with server(data) as running:
        done = run(program.replace(SHOWN, running.address), examples / language)
        address = running.address
    assert done.returncode == 0, done.stderr
    taught, found, refused = done.stdout.splitlines()
    assert taught == "taught: × (sample 1)"
    assert (match := re.fullmatch(r"found: × (\d+\.\d) %", found)) and float(match[1]) > 50
    assert refused.startswith("refused: INVALID_INPUT (label: is empty")

    alone = run(program.replace(SHOWN, address), examples / language)
    assert alone.returncode == 1 and alone.stderr.count("\n") == 1  # a sentence, not a stack


def commands_of(examples: Path, language: str) -> list[str]:
    """Return the lines that the README gives for a language."""
    readme = (examples / "README.md").read_text(encoding="utf-8")
    found = re.search(rf"In \[{language}/\].*?```\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(line, shell=True, cwd=folder, capture_output=True, text=True, timeout=600, check=False)

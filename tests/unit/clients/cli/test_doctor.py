"""doctor when something is wrong: each finding says what to do, and the exit code is 1."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def doctor(cwd: Path, *options: str, path: Path | None = None) -> tuple[int, dict[str, tuple[str, str]]]:
    """Return the exit code, and what -> (state, detail). path: searched for packages first."""
    environment = {**os.environ, "PYTHONPATH": str(path or "")}
    line = [sys.executable, "-m", "haleganada_client.cli", "--server", "127.0.0.1:1", "doctor", "--json", *options]
    done = subprocess.run(line, capture_output=True, text=True, cwd=cwd, env=environment, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, {found["what"]: (found["state"], found["detail"]) for found in json.loads(done.stdout)}


@pytest.fixture
def other_weights(tmp_path: Path) -> Path:
    """A server package with weights of its own, to be found before the real one."""
    weights = tmp_path / "haleganada_server/weights"
    weights.mkdir(parents=True)
    (weights.parent / "__init__.py").write_text("raise ImportError('doctor only looks for the files')")
    (weights / "embedder.onnx").write_bytes(b"weights")
    card = {"sha256": {"embedder.onnx": hashlib.sha256(b"weights").hexdigest()}}
    (weights / "card.json").write_text(json.dumps(card))
    return tmp_path


def test_no_server_is_a_failure_with_the_way_out(tmp_path: Path) -> None:
    code, found = doctor(tmp_path)
    assert code == 1
    assert found["server"][0] == "fail" and "haleganada serve" in found["server"][1]
    assert not list(tmp_path.iterdir()), "doctor wrote something"


def test_good_weights_are_found_without_importing_the_server(tmp_path: Path, other_weights: Path) -> None:
    assert doctor(tmp_path, path=other_weights)[1]["weights"] == ("ok", "1 files match their checksums")


def test_an_installed_wheel_lacks_the_network_that_only_training_needs(tmp_path: Path, other_weights: Path) -> None:
    folder = other_weights / "haleganada_server/weights"
    hashes = {name: hashlib.sha256(b"weights").hexdigest() for name in ("embedder.onnx", "embedder.safetensors")}
    (folder / "card.json").write_text(json.dumps({"sha256": hashes}))
    assert doctor(tmp_path, path=other_weights)[1]["weights"] == ("ok", "1 files match their checksums")
    (folder / "embedder.safetensors").write_bytes(b"damaged")
    assert doctor(tmp_path, path=other_weights)[1]["weights"][0] == "fail"
    (folder / "embedder.safetensors").unlink()
    (folder / "embedder.onnx").unlink()
    assert doctor(tmp_path, path=other_weights)[1]["weights"][0] == "fail"


def test_a_server_of_another_version_is_a_warning(tmp_path: Path) -> None:
    metadata = tmp_path / "packages/haleganada_server-0.0.1.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Metadata-Version: 2.1\nName: haleganada-server\nVersion: 0.0.1\n")
    state, detail = doctor(tmp_path, path=tmp_path / "packages")[1]["versions"]
    assert state == "warn" and "haleganada-server 0.0.1" in detail and "install -e '.[server]' -e server" in detail
    assert doctor(tmp_path)[1]["versions"][0] == "ok"


def test_the_disk_is_named_in_full(tmp_path: Path) -> None:
    state, detail = doctor(tmp_path)[1]["disk"]
    assert state in ("ok", "warn") and str(tmp_path / "saved_model") in detail and "--data" in detail


@pytest.mark.parametrize("damage", ["embedder.onnx", "card.json"])
def test_damaged_weights_are_a_failure(tmp_path: Path, other_weights: Path, damage: str) -> None:
    (other_weights / "haleganada_server/weights" / damage).write_bytes(b"damaged")
    state, detail = doctor(tmp_path, path=other_weights)[1]["weights"]
    assert state == "fail" and "reinstall the package" in detail


def install(packages: Path, name: str, content: bytes, recorded: bytes, requires: str = "") -> None:
    """Write a distribution of one file. recorded: what its hash says that it has."""
    info = packages / f"{name.replace('-', '_')}-0.0.1.dist-info"
    info.mkdir(parents=True)
    (packages / f"{name}.bin").write_bytes(content)
    needed = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n{needed}")
    digest = base64.urlsafe_b64encode(hashlib.sha256(recorded).digest()).rstrip(b"=").decode()
    (info / "RECORD").write_text(f"{name}.bin,sha256={digest},{len(recorded)}\n")


def test_offline_no_server_is_asked_and_all_files_are_compared(tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    install(packages, "haleganada-server", b"server", b"server", "some-engine>=1; extra == 'read'")
    install(packages, "some-engine", b"a model", b"a model")
    code, found = doctor(tmp_path, "--offline", path=packages)
    assert code == 0 and "server" not in found and "round trip" not in found
    assert found["files"][0] in ("ok", "warn") and "match their hashes" in found["files"][1]
    (packages / "some-engine.bin").write_bytes(b"a modem")
    code, found = doctor(tmp_path, "--offline", path=packages)
    assert code == 1 and found["files"][0] == "fail" and "some-engine.bin differ" in found["files"][1]


def test_a_busy_port_is_a_warning(tmp_path: Path, busy_port: int) -> None:
    state, detail = doctor(tmp_path, "--port", str(busy_port))[1]["port"]
    assert state == "warn" and "--port" in detail

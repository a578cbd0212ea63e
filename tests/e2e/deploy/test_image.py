"""The image: its steps, carried out on this machine, give a server that needs neither root nor a disk beside /data."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient

from tests.e2e.deploy.dockerfile import Image, can_carry_out, parse

DOCKERFILE = Path(__file__).parents[3] / "server/deploy/Dockerfile"
SHARED_MEMORY = Path("/dev/shm")
MAX_BYTES = 225_000_000  # beside Python's image of 125 MB, 350 MB in all
STROKE = [[(10, 10), (90, 90)], [(90, 10), (10, 90)]]


def test_all_targets_have_the_same_ways() -> None:
    stages = parse(DOCKERFILE)
    assert stages["cpu"].base == stages["cluster"].base == stages["cuda"].base == "base"
    assert list(stages)[-1] == "cpu", "what is built if no target is named"
    instructions = [word for word, _ in stages["base"].steps]
    assert {"USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "VOLUME"} <= set(instructions)


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if not SHARED_MEMORY.is_dir():
        pytest.skip("the layer that an image is built in must not lie on the disk that it covers")
    with tempfile.TemporaryDirectory(dir=SHARED_MEMORY) as folder:
        if not can_carry_out(Path(folder)):
            pytest.skip(
                "carrying out a Dockerfile without a container engine needs root, Linux, and layers over the disk"
            )
        yield Image(DOCKERFILE, "cpu", Path(folder))


@pytest.fixture
def server(image: Image, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The image's server on a port of its choice, and its address."""
    data = tmp_path / "data"
    data.mkdir()
    words = ["127.0.0.1:0" if word == "0.0.0.0:50051" else word for word in image.command]
    process = image.start(*words, data=data)
    timer = threading.Timer(60, process.kill)
    timer.start()
    assert process.stdout and process.stderr
    line = process.stdout.readline()
    timer.cancel()
    address = re.search(r"127\.0\.0\.1:\d+", line)
    try:
        assert address, process.stderr.read()
        yield process, address[0]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.slow  # installs what the image has
def test_it_is_small_and_serves_without_rights(
    image: Image, server: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    assert image.measure("/opt/haleganada") < MAX_BYTES
    process, address = server
    owner = re.search(r"^Uid:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
    assert owner and owner[1] == image.user.split(":")[0] != "0"
    with HaleganadaClient(address) as client:
        client.train(STROKE, "x")
        assert client.predict(STROKE).candidates[0].label == "x"
    image.environment["HALEGANADA_TARGET"] = address
    assert image.check_health(tmp_path / "data") == 0
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert image.check_health(tmp_path / "data") == 3

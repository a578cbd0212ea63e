"""nginx and Envoy with our files: gRPC, streams and the page through one port with TLS."""

from __future__ import annotations

import io
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.connection.config import ClientConfig

from tests.e2e.deploy.envoy import PROXIES, command, find_envoy, read_config, set_servers, take_ports
from tests.support.network.certificates import Pair, make_pair, needs_openssl
from tests.support.network.ports import HOST, can_connect, find_free_port
from tests.support.waiting import wait_until

STROKES = [[(10, 10), (90, 90)], [(90, 10), (10, 90)]]

pytestmark = needs_openssl


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, int]]:
    """The server and the page behind the proxies. Yields their ports by those of the files."""
    ports = {50051: find_free_port(), 8080: find_free_port()}
    command = (sys.executable, "-m", "haleganada_client.cli", "up", "--device", "cpu", "--data")
    words = (str(tmp_path_factory.mktemp("data")), "--listen", f"127.0.0.1:{ports[50051]}", "--port", str(ports[8080]))
    process = subprocess.Popen((*command, *words), stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout and process.stdout.readline()
        yield ports
        process.terminate()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, "server")


def write_nginx(to: Path, ports: dict[int, int], pair: Pair) -> list[str]:
    """Write our file with other ports and certificates, and what a machine has around it. Returns the command line."""
    text = (PROXIES / "nginx.conf").read_text().replace("box.example", "localhost")
    text = text.replace("/etc/haleganada/server.pem", str(pair.certificate))
    text = text.replace("/etc/haleganada/server.key", str(pair.key))
    for old, new in ((":50051;", ports[50051]), (":8080;", ports[8080])):
        text = text.replace(old, f":{new};")
    text = text.replace("listen 443", f"listen 127.0.0.1:{ports[443]}").replace(
        "listen 80", f"listen 127.0.0.1:{ports[80]}"
    )
    (to / "haleganada.conf").write_text(text)
    temporary = "".join(
        f"{kind}_temp_path {to / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    around = (
        f"daemon off; pid {to / 'pid'}; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off; {temporary} include {to / 'haleganada.conf'}; }}\n"
    )
    (to / "nginx.conf").write_text(around)
    return ["nginx", "-p", str(to), "-c", str(to / "nginx.conf")]


def write_envoy(to: Path, ports: dict[int, int], pair: Pair) -> list[str]:
    """Write our file with other ports and certificates. Returns the command line."""
    config = read_config("envoy.yaml")
    take_ports(config, ports, pair)
    set_servers(config, "server", [f"{HOST}:{ports[50051]}"])
    set_servers(config, "page", [f"{HOST}:{ports[8080]}"])
    return command(to, config)


def write_envoy_for_replicas(to: Path, ports: dict[int, int], pair: Pair) -> list[str]:
    """As write_envoy, with our file for several servers, of which there is one."""
    config = read_config("envoy-replicas.yaml")
    take_ports(config, {50051: find_free_port(), 443: ports[443]}, pair)
    set_servers(config, "servers", [f"{HOST}:{ports[50051]}"])
    set_servers(config, "page", [f"{HOST}:{ports[8080]}"])
    return command(to, config)


WRITERS = {"nginx": write_nginx, "envoy": write_envoy, "envoy for replicas": write_envoy_for_replicas}


@pytest.mark.parametrize("program", [*WRITERS])
def test_calls_streams_and_the_page_come_through(
    program: str, tmp_path: Path, inside: dict[int, int], pair: Pair
) -> None:
    if not (shutil.which("nginx") if program == "nginx" else find_envoy()):
        pytest.skip(f"{program.split()[0]} is not installed")
    ports = {**inside, 443: find_free_port(), 80: find_free_port()}
    line = WRITERS[program](tmp_path, ports, pair)
    process = subprocess.Popen(line, stderr=subprocess.DEVNULL)
    try:
        config = ClientConfig(target=f"localhost:{ports[443]}", ca=pair.certificate, workspace=program)
        with HaleganadaClient(config=config) as client:
            wait_until(lambda: can_connect(ports[443]))
            client.create_workspace(program)
            client.train(STROKES, "x")
            assert client.predict(STROKES).candidates[0].label == "x"
            exported = io.BytesIO()
            client.export(exported)
            assert exported.getvalue().startswith(b"PK")
        trust = ssl.create_default_context(cafile=str(pair.certificate))
        with urllib.request.urlopen(f"https://localhost:{ports[443]}/", context=trust, timeout=10) as page:
            assert b"Haleganada" in page.read()
    finally:
        process.terminate()  # nginx ends its workers then
        process.wait(30)

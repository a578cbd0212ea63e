"""Envoy with one of our files, on ports of this machine."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from haleganada_client import HaleganadaClient, HaleganadaError

from tests.support.network.certificates import Pair
from tests.support.network.ports import HOST, can_connect, find_free_port
from tests.support.waiting import wait_until

PROXIES = Path(__file__).parents[3] / "server/deploy/proxies"
_TLS = "transport_socket"


def find_envoy() -> str:
    """Return the path of the program; "" where it is not installed. PyPI's is beside this Python."""
    return shutil.which("envoy", path=str(Path(sys.executable).parent)) or shutil.which("envoy") or ""


def read_config(name: str, uncommented: bool = False) -> dict[str, Any]:
    """Return what is in one of our files, with its aliases written out. uncommented: with TLS to the servers."""
    text = (PROXIES / name).read_text()
    if uncommented:
        text = re.sub(r"^      # (transport_socket:|  )", r"      \1", text, flags=re.MULTILINE)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def take_ports(config: dict[str, Any], ports: dict[int, int], pair: Pair | None) -> None:
    """Let a configuration listen on this machine only, on other ports. ports: those instead of the file's. pair: the
    certificate; None = without the listeners that need one.
    """
    resources = config["static_resources"]
    resources["listeners"] = [one for one in resources["listeners"] if pair or _TLS not in one["filter_chains"][0]]
    for listener in resources["listeners"]:
        place = listener["address"]["socket_address"]
        place.update(address=HOST, port_value=ports[place["port_value"]])
        if pair and (tls := listener["filter_chains"][0].get(_TLS)):
            tls["typed_config"]["common_tls_context"]["tls_certificates"] = [
                {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}
            ]


def set_servers(config: dict[str, Any], cluster: str, addresses: Sequence[str], trusted: Path | None = None) -> None:
    """Let a cluster of a configuration have servers at these addresses, HOST:PORT. trusted: by whom their certificates
    are, where it uses TLS.
    """
    places = [address.rpartition(":") for address in addresses]
    endpoints = [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": int(port)}}}}
        for host, _, port in places
    ]
    (found,) = (one for one in config["static_resources"]["clusters"] if one["name"] == cluster)
    found["load_assignment"]["endpoints"] = [{"lb_endpoints": endpoints}]
    if trusted:
        context = found[_TLS]["typed_config"]["common_tls_context"]
        context["validation_context"]["trusted_ca"]["filename"] = str(trusted)


def command(folder: Path, config: dict[str, Any]) -> list[str]:
    """Write a configuration to a folder, and return the command line that runs it."""
    path = folder / "envoy.json"
    path.write_text(json.dumps(config))
    options = ["--log-level", "error", "--concurrency", "1", "--use-dynamic-base-id"]
    return [find_envoy(), "--config-path", str(path), *options]


@contextmanager
def envoy_before(folder: Path, servers: Sequence[str], trusted: Path | None = None) -> Iterator[str]:
    """Run Envoy with our file for replicas. Yields its address, which has no TLS. servers: the addresses of theirs.
    trusted: by whom their certificates are; None = they have none.
    """
    config, port = read_config("envoy-replicas.yaml", uncommented=trusted is not None), find_free_port()
    take_ports(config, {50051: port}, None)
    set_servers(config, "servers", servers, trusted)
    process = subprocess.Popen(command(folder, config), stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: can_connect(port))
        yield f"{HOST}:{port}"
    finally:
        process.terminate()
        process.wait(30)


def is_ready(client: HaleganadaClient) -> bool:
    """Return whether Envoy has found a server."""
    try:
        return client.health() == "SERVING"
    except HaleganadaError:
        return False

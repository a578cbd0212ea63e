"""The alerts and the dashboard that the project ships name only what a server exports."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada_server.config import Tls
from haleganada_server.core.workspaces.types import Lag
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.watching import collector
from haleganada_server.watching.gpu import GpuState

from tests.conftest import StartServer
from tests.contract.drawings import cross
from tests.contract.watching.scrape import metrics_page, scrape
from tests.support.network.certificates import make_pair, needs_openssl

DEPLOY = Path(__file__).parents[3] / "server" / "deploy"
RULES, CONFIG = DEPLOY / "prometheus" / "haleganada-rules.yml", DEPLOY / "prometheus" / "prometheus.yml"
DASHBOARD = DEPLOY / "grafana" / "haleganada.json"
NAME = re.compile(r"\b(?:haleganada|process|python)_\w+")
OF_PROMETHEUS = {"up"}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return found


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*(rule["expr"] for rule in rules()), *shown]


def label_values() -> Iterator[tuple[str, str]]:
    """Each comparison of a label with text."""
    for expression in expressions():
        yield from re.findall(r'(\w+)[=!]~?"([^"]*)"', expression)


@pytest.fixture
def exported(start_server: StartServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """All metrics of a server that has everything, a GPU and other servers as well, as it tells them."""
    gpu = GpuState(used_bytes=2, size_bytes=4, own_bytes=1, utilization=0.5)
    monkeypatch.setattr(collector, "measure_gpu", lambda _: gpu)
    lag = Lag(is_current=True, is_away=False, look_age_s=0.5, behind_revisions=0)
    monkeypatch.setattr(Workspaces, "measure_lag", lambda _: lag)
    pair = make_pair(tmp_path, "server")
    server = start_server(tls=Tls(pair.certificate, pair.key), data_quota=2**30)
    with metrics_page(server.app) as page, urlopen(page.url) as answer:
        told: str = answer.read().decode()
    return told


@needs_openssl
def test_every_metric_that_is_named_is_exported(exported: str) -> None:
    known = set(re.findall(r"^# HELP (\w+)", exported, re.MULTILINE))
    known |= {name + ending for name in known for ending in ("_bucket", "_sum", "_count")} | OF_PROMETHEUS
    named = {name for expression in expressions() for name in NAME.findall(expression)}
    assert len(named) > 30 and not named - known


def test_every_value_of_a_label_can_occur(start_server: StartServer) -> None:
    server = start_server()
    server.ocr.Predict(ocr.PredictRequest(glyph=cross()))
    with metrics_page(server.app) as page:
        labels = {key for family in scrape(page.url).values() for one in family.samples for key in one.labels}
        states = {one.labels["state"] for one in scrape(page.url)["haleganada_jobs"].samples}
    for label, value in label_values():
        assert label in labels | {"job", "instance", "reason"}, label
        assert label != "state" or value in states, value


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool, of Prometheus, is not installed")
@needs_openssl
def test_prometheus_itself_finds_nothing_wrong(exported: str) -> None:
    subprocess.run(["promtool", "check", "config", str(CONFIG)], check=True, capture_output=True)
    checked = subprocess.run(["promtool", "check", "metrics"], input=exported, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_each_alert_says_how_bad_it_is_and_what_it_is_about() -> None:
    documented = (DEPLOY.parents[1] / "docs" / "operating" / "watching.md").read_text(encoding="utf-8")
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "ticket") and rule["annotations"]["summary"]
        assert f"`{rule['alert']}`" in documented, f"watching.md does not say what to do about {rule['alert']}"


def test_the_dashboard_can_be_imported() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found) > 20
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in found]
    assert len(set(places)) == len(places) and all(x + 8 <= 24 for x, _ in places)
    assert all(panel["title"] and panel["targets"] for panel in found)

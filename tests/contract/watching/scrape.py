"""Fetching a server's metrics, as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from haleganada_server.app import App
from haleganada_server.watching.http import MetricsPage
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families


@contextmanager
def metrics_page(app: App) -> Iterator[MetricsPage]:
    """The page of a server's metrics, on any port."""
    page = MetricsPage(app, "127.0.0.1", 0)
    try:
        yield page
    finally:
        page.close()


def scrape(url: str) -> dict[str, Metric]:
    """The families of metrics by name; those that count have it without _total."""
    with urlopen(url, timeout=30) as answer:
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    """The sum of all samples of that name with these labels, and any others; 0 if there are none."""
    found = [
        one.value
        for family in families.values()
        for one in family.samples
        if one.name == sample and labels.items() <= one.labels.items()
    ]
    return sum(found)

"""Metrics in the form that prometheus_client writes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from haleganada_server.core.measures import Distribution

PREFIX = "haleganada_"
Values = Iterable[tuple[Sequence[str], float]]
"""The values of the labels, each with a number."""


def gauge(name: str, text: str, value: float | None) -> Iterable[Metric]:
    """Yield what goes up and down; nothing where the value is not known. name: without the prefix."""
    if value is not None:
        yield GaugeMetricFamily(PREFIX + name, text, value=value)


def gauges(name: str, text: str, labels: Sequence[str], values: Values) -> Iterable[Metric]:
    """Yield one gauge for each combination of labels."""
    family = GaugeMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    yield family


def counter(name: str, text: str, value: float) -> Iterable[Metric]:
    """Yield what only grows. name: without the prefix, and without _total, which is added."""
    yield CounterMetricFamily(PREFIX + name, text, value=value)


def counters(name: str, text: str, labels: Sequence[str], values: Values) -> Iterable[Metric]:
    """Yield one counter for each combination of labels."""
    family = CounterMetricFamily(PREFIX + name, text, labels=labels)
    for key, value in values:
        family.add_metric(key, value)
    yield family


def histogram(name: str, text: str, found: Distribution) -> Iterable[Metric]:
    """Yield a histogram."""
    yield HistogramMetricFamily(PREFIX + name, text, buckets=_buckets(found), sum_value=found.total)


def histograms(name: str, text: str, label: str, found: Mapping[str, Distribution]) -> Iterable[Metric]:
    """Yield one histogram for each value of a label."""
    family = HistogramMetricFamily(PREFIX + name, text, labels=[label])
    for key, one in found.items():
        family.add_metric([key], buckets=_buckets(one), sum_value=one.total)
    yield family


def _buckets(found: Distribution) -> list[tuple[str, float]]:
    """Return the cumulative counts up to each bound."""
    buckets, total = [], 0
    for bound, count in zip((*map(str, found.bounds), "+Inf"), found.counts, strict=True):
        total += count
        buckets.append((bound, float(total)))
    return buckets

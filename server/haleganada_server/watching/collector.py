"""All metrics of a server, collected when somebody asks for them: a call costs no more than counting it.

No label of a metric is a name that users choose, so their number is bounded by the contract.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain

from prometheus_client.core import Metric

from haleganada_server.app import App
from haleganada_server.core.access.identity import LOCAL
from haleganada_server.core.jobs.job import JobState

from .families import counter, counters, gauge, gauges, histogram, histograms
from .gpu import measure_gpu

_ALL = 1_000_000_000


class ServerCollector:
    """What prometheus_client asks for metrics."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._facts = app.collect_facts()
        self._parts: tuple[Callable[[], Iterable[Metric]], ...] = (
            self._describe, self._calls, self._load, self._encoder, self._commits, self._workspaces, self._replica,
            self._jobs, self._reading, self._disk, self._quotas, self._certificate, self._gpu,
        )  # fmt: skip

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics as they are now."""
        return chain.from_iterable(part() for part in self._parts)

    def _describe(self) -> Iterator[Metric]:
        versions, device = self._facts.versions, self._facts.device.split()[0]
        described = (versions["server"], versions["python"], versions["weights"], device)
        text = "What the server is made of; the value is 1."
        yield from gauges("build_info", text, ["version", "python", "weights", "device"], [(described, 1)])

    def _calls(self) -> Iterator[Metric]:
        latencies = self._app.server.latencies
        calls = latencies.calls()
        by_code = [((one.method, code), count) for one in calls for code, count in one.by_code.items()]
        yield from counters("grpc_requests", "Calls that are over.", ["method", "code"], by_code)
        text, seconds = "Seconds of a call's work, without waiting.", {one.method: one.seconds for one in calls}
        yield from histograms("grpc_request_duration_seconds", text, "method", seconds)
        text = "Seconds that a call waited for its message and its turn."
        yield from histogram("grpc_request_wait_seconds", text, latencies.waits.read())
        text = "Calls that failed or were refused, by the contract's reason."
        reasons = [((reason,), count) for reason, count in latencies.errors_by_reason().items()]
        yield from counters("grpc_errors", text, ["reason"], reasons)

    def _load(self) -> Iterator[Metric]:
        load = self._app.server.load()
        yield from gauge("calls_working", "Short calls that are carried out.", load.working)
        yield from gauge("calls_waiting", "Short calls that wait for their turn.", load.waiting)
        yield from gauge("calls_waiting_limit", "Short calls that may wait.", self._app.config.max_waiting)
        yield from gauge("calls_open", "Short calls from their beginning to their end.", load.short_calls)
        yield from gauge("streams_open", "Streams that are open.", load.streams)

    def _encoder(self) -> Iterator[Metric]:
        measures = self._app.measures
        text = "Drawings that were embedded together."
        yield from histogram("encoder_batch_drawings", text, measures.batch_drawings.read())
        text = "Seconds that the network took for a batch."
        yield from histogram("encoder_batch_duration_seconds", text, measures.batch_s.read())

    def _commits(self) -> Iterator[Metric]:
        commits = self._app.measures.commits
        yield from histogram("commit_duration_seconds", "Seconds of a commit with its fsync.", commits.seconds.read())
        yield from counter(
            "commit_errors", "Commits that failed on the disk or in the database.", commits.errors.read()
        )

    def _workspaces(self) -> Iterator[Metric]:
        census = self._app.workspaces.census()
        yield from gauge("workspaces", "Workspaces that exist.", census.workspaces)
        yield from gauge("workspaces_open", "Workspaces in memory.", census.open)
        yield from gauge("workspaces_damaged", "Workspaces that cannot be read.", census.damaged)
        yield from gauge("workspaces_memory_bytes", "Memory of the workspaces in memory.", census.memory_bytes)
        yield from gauge(
            "memory_budget_bytes", "Memory for workspaces and predictions.", self._app.config.memory_budget
        )
        yield from gauge("samples", "Samples of all workspaces that were looked at.", census.samples)
        yield from gauge("samples_to_embed", "Samples that wait to be embedded again.", census.samples_to_embed)

    def _replica(self) -> Iterator[Metric]:
        if (lag := self._app.workspaces.measure_lag()) is not None:
            text = "Whether this server knows what all servers of its database have acknowledged; only of several."
            yield from gauge("replica_current", text, lag.is_current)
            text = "Seconds since it looked into the database last; only of several."
            yield from gauge("replica_look_age_seconds", text, lag.look_age_s)
            text = "Revisions that it found there then and could not follow; only of several."
            yield from gauge("replica_behind_revisions", text, lag.behind_revisions)

    def _jobs(self) -> Iterator[Metric]:
        found = self._app.jobs.count_by_state()
        counts = [((state.value,), found[state]) for state in JobState]
        yield from gauges("jobs", "Jobs that are kept, by state.", ["state"], counts)

    def _reading(self) -> Iterator[Metric]:
        kept, load = self._app.readings.newest("", _ALL, LOCAL), self._app.reader_pool.load()
        yield from gauge("readings", "Readings that are kept.", len(kept))
        yield from gauge("readings_bytes", "Disk that they take.", sum(reading.size for reading in kept))
        yield from gauge("readings_damaged", "Readings that cannot be read.", sum(reading.damaged for reading in kept))
        yield from gauge("readers", "Processes that may read documents.", load.count)
        yield from gauge("readers_busy", "Processes that read a document.", load.busy)
        yield from gauge("pages_waiting", "Pages that wait for a reader.", load.waiting)
        text = "Seconds until a page was read, or given up."
        yield from histogram("page_duration_seconds", text, self._app.measures.page_s.read())
        yield from counter("pages_failed", "Pages that were not read.", self._app.measures.failed_pages.read())

    def _disk(self) -> Iterator[Metric]:
        with suppress(OSError):
            disk = shutil.disk_usage(self._app.config.data_dir)
            yield from gauge("disk_size_bytes", "Size of the disk that holds the data directory.", disk.total)
            yield from gauge("disk_free_bytes", "What is free on it.", disk.free)
        if (usage := self._app.directory.quota_usage()) is not None:
            used, bound = usage
            yield from gauge("data_bytes", "What the data directory takes; only with a quota.", used)
            yield from gauge("data_quota_bytes", "What it may take; only with a quota.", bound)

    def _quotas(self) -> Iterator[Metric]:
        found = self._app.list_quotas()
        text = "What is used of each quota of the server as a whole; only of those that have a limit."
        yield from gauges("quota_used", text, ["quota"], [((quota.name,), quota.used) for quota in found])
        text = "What may be used of it."
        yield from gauges("quota_limit", text, ["quota"], [((quota.name,), quota.limit) for quota in found])

    def _certificate(self) -> Iterator[Metric]:
        if (certificates := self._app.certificates) is not None:
            text = "When the server's certificate ends, in seconds since 1970; only with TLS."
            yield from gauge("tls_certificate_expiry_timestamp_seconds", text, certificates.find_expiry())

    def _gpu(self) -> Iterator[Metric]:
        if (gpu := measure_gpu(self._app.embedder.device)) is not None:
            yield from gauge("gpu_memory_size_bytes", "Memory of the GPU; only with one.", gpu.size_bytes)
            yield from gauge("gpu_memory_used_bytes", "What all processes use of it.", gpu.used_bytes)
            yield from gauge("gpu_memory_own_bytes", "What this server's tensors use of it.", gpu.own_bytes)
            yield from gauge("gpu_utilization_ratio", "Share of the time that the GPU computes.", gpu.utilization)

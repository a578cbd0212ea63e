"""The gRPC server around the services: limits, health, reflection, and a stop that loses no call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from haleganada.v1 import (
    dataset_service_pb2,
    dataset_service_pb2_grpc,
    job_service_pb2,
    job_service_pb2_grpc,
    model_service_pb2,
    model_service_pb2_grpc,
    ocr_service_pb2,
    ocr_service_pb2_grpc,
    reading_service_pb2,
    reading_service_pb2_grpc,
    sample_service_pb2,
    sample_service_pb2_grpc,
    server_service_pb2,
    server_service_pb2_grpc,
    workspace_service_pb2,
    workspace_service_pb2_grpc,
)

from haleganada_server.core.access.audit import AuditTrail
from haleganada_server.core.access.authentication import Authenticator
from haleganada_server.core.baton import Baton
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.models.models import Models
from haleganada_server.core.reading.readings import Readings
from haleganada_server.core.shares.effective import EffectiveLimits
from haleganada_server.core.shares.quotas import Quota
from haleganada_server.core.shares.rates import Rates
from haleganada_server.core.workspaces.types import Lag
from haleganada_server.core.workspaces.workspaces import Workspaces

from .access.guard import ANY_ROLE, Guard
from .access.open_streams import OpenStreams
from .access.rules import read_rules
from .access.trail import note_call
from .calls.admission import Admission
from .calls.patience import Watchdog
from .calls.waits import Waits
from .calls.workers import Workers
from .certificates import Certificates
from .interceptors import CallInterceptor
from .lanes import Limits, make_lanes, make_transfer_places, make_watcher_places
from .listening import SERVERS, SHARES_PORT, listen
from .metrics import Latencies, ServerFacts, ServerLoad
from .reflection import enable_reflection
from .services.datasets import DatasetDependencies, DatasetServicer
from .services.jobs import JobServicer
from .services.models import ModelServicer
from .services.ocr import OCRServicer
from .services.reading import ReadingServicer
from .services.samples import SampleServicer
from .services.server import ServerServicer
from .services.workspaces import WorkspaceServicer
from .streams import Transfers

_DESCRIPTORS = tuple(
    service
    for contract in (
        ocr_service_pb2,
        sample_service_pb2,
        server_service_pb2,
        workspace_service_pb2,
        model_service_pb2,
        dataset_service_pb2,
        job_service_pb2,
        reading_service_pb2,
    )
    for service in contract.DESCRIPTOR.services_by_name.values()
)
SERVICES = tuple(service.full_name for service in _DESCRIPTORS)

CURRENT = "haleganada.current"
"""What the health service calls knowing everything that other servers of the same database have acknowledged."""
_REFLECTION = "/grpc.reflection."
_FASTEST_CLIENT_PING_MS = 10_000  # clients ping every 20 s while a call is open; faster ones are cut off
_SERVER_PING_MS = 120_000  # finds clients that vanished in the middle of a transfer
_PING_ANSWER_MS = 20_000
_CUT_OFF_S = 5.0  # for what must not be interrupted, such as the commit of an import
_LAST_WORDS_S = 0.5  # for statuses that are still on their way when all calls are done


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Domain:
    """What the services work on."""

    workspaces: Workspaces
    models: Models
    datasets: DatasetDependencies
    jobs: Jobs
    readings: Readings
    list_quotas: Callable[[], Sequence[Quota]]
    """Of the server as a whole."""


class RpcServer:
    """The gRPC server. Call bind(), then serve(), last stop()."""

    def __init__(
        self, limits: Limits, authenticator: Authenticator, trail: AuditTrail, shares: EffectiveLimits
    ) -> None:
        """authenticator: tells who calls. trail: keeps who made audited calls. shares: what each caller may use.
        Raises ValueError for a contract that does not say who may call a method.
        """
        self._limits, self._authenticator, self._trail, self._shares = limits, authenticator, trail, shares
        self._rules = read_rules(_DESCRIPTORS)
        self._rates = Rates(shares)
        self._open_streams = OpenStreams(authenticator)
        self._admission = Admission()
        self._latencies = Latencies()
        self._watchdog = Watchdog()
        self._workers = Workers(limits.workers, limits.max_waiting)
        self._baton = Baton()
        self._lanes = make_lanes(limits, self._workers, self._watchdog, self._baton)
        interceptor = CallInterceptor(
            self._admission, self._latencies, self._lanes, self._make_guard, self._open_streams
        )
        options = _options(limits.max_message_bytes)
        self._servers = [
            grpc.server(self._lanes.short.pool, interceptors=[interceptor], options=options) for _ in range(SERVERS)
        ]
        self._health = health.HealthServicer(
            experimental_non_blocking=True, experimental_thread_pool=self._lanes.health.pool
        )
        for server in self._servers:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        self._measure_lag: Callable[[], Lag | None] = lambda: None
        self._is_current = True
        self._set_health(health_pb2.HealthCheckResponse.NOT_SERVING)

    @property
    def latencies(self) -> Latencies:
        """What is known of all calls since the start."""
        return self._latencies

    def load(self) -> ServerLoad:
        """Return what the server has to do right now."""
        working, waiting = self._workers.load()
        return ServerLoad(working, waiting, self._lanes.short.pool.count, self._lanes.streams.pool.count)

    def bind(self, host: str, port: int, certificates: Certificates | None = None) -> int:
        """Bind a port, 0 = any, and return it. certificates: None = no TLS. Raises Precondition."""
        return listen(self._servers, host, port, certificates)

    def serve(self, domain: Domain, temporary_file: Callable[[], Path], facts: ServerFacts, reflect: bool) -> None:
        """Answer calls from now on. temporary_file: returns a fresh path for an upload."""
        limits, workspaces = self._limits, domain.workspaces
        slots, watchers = make_transfer_places(limits), make_watcher_places(limits)
        transfers = Transfers(slots, temporary_file, limits.max_import_bytes, self._admission.require_time)
        ocr = OCRServicer(workspaces, transfers, Waits(self._workers, self._lanes.long), facts, self._latencies)
        samples, own_workspaces = SampleServicer(workspaces), WorkspaceServicer(workspaces)
        models = ModelServicer(workspaces, domain.models, slots, facts, domain.jobs)
        datasets, jobs = DatasetServicer(domain.datasets, slots), JobServicer(domain.jobs, watchers, slots)
        readings = ReadingServicer(domain.readings, slots, temporary_file, self._admission.require_time)
        itself = ServerServicer(
            facts,
            self._latencies,
            self.load,
            workspaces,
            domain.jobs,
            domain.readings.reader.load,
            domain.list_quotas,
        )
        for server in self._servers:
            ocr_service_pb2_grpc.add_OCRServiceServicer_to_server(ocr, server)
            sample_service_pb2_grpc.add_SampleServiceServicer_to_server(samples, server)
            workspace_service_pb2_grpc.add_WorkspaceServiceServicer_to_server(own_workspaces, server)
            model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, server)
            dataset_service_pb2_grpc.add_DatasetServiceServicer_to_server(datasets, server)
            job_service_pb2_grpc.add_JobServiceServicer_to_server(jobs, server)
            reading_service_pb2_grpc.add_ReadingServiceServicer_to_server(readings, server)
            server_service_pb2_grpc.add_ServerServiceServicer_to_server(itself, server)
            if reflect:
                enable_reflection([*SERVICES, health.SERVICE_NAME], server)
        self._measure_lag = workspaces.measure_lag
        self._authenticator.start(self._look)
        self._watchdog.start()
        self._baton.start()
        for server in self._servers:
            server.start()
        self._set_health(health_pb2.HealthCheckResponse.SERVING)

    def stop(self, grace_s: float) -> bool:
        """Refuse new calls, and let those in progress finish for at most grace_s seconds. Return True if all did.

        Until then health answers NOT_SERVING and new calls get UNAVAILABLE, both by this server itself.
        """
        self._health.enter_graceful_shutdown()
        finished = self._admission.drain(grace_s)
        if not finished:
            self._watchdog.release()
            self._admission.cut_off(_CUT_OFF_S if grace_s else 0)
        for ended in [server.stop(_LAST_WORDS_S if finished or grace_s else 0) for server in self._servers]:
            ended.wait()
        self._watchdog.stop()
        self._baton.stop()
        self._authenticator.stop()
        for lane in (self._lanes.short, self._lanes.streams, self._lanes.health):
            lane.pool.shutdown(wait=False, cancel_futures=True)
        return finished

    def _look(self) -> None:
        """Carry out what has changed of tokens and limits, and tell whether the server has fallen behind others."""
        self._open_streams.end_invalid()
        self._shares.look()
        lag = self._measure_lag()
        if (is_current := lag is None or lag.is_current) != self._is_current:
            self._is_current = is_current
            status = health_pb2.HealthCheckResponse
            self._health.set(CURRENT, status.SERVING if is_current else status.NOT_SERVING)

    def _make_guard(self, name: str) -> Guard:
        """Return the guard of a method, by its full name. Raises KeyError for one of the contract without a rule."""
        rule = ANY_ROLE if name.startswith(_REFLECTION) else self._rules[name]
        note = partial(note_call, self._trail, name.rpartition("/")[2]) if rule.audited else None
        return Guard(self._authenticator, rule, note, self._rates.find(rule.kind))

    def _set_health(self, status: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        for name in ("", CURRENT, *SERVICES):
            self._health.set(name, status)


def _options(max_message_bytes: int) -> Sequence[tuple[str, int]]:
    return (
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        SHARES_PORT,
        ("grpc.http2.min_ping_interval_without_data_ms", _FASTEST_CLIENT_PING_MS),
        ("grpc.keepalive_time_ms", _SERVER_PING_MS),
        ("grpc.keepalive_timeout_ms", _PING_ANSWER_MS),
    )

"""ServerService: unpack, call the domain, pack."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import grpc
from haleganada.v1 import server_service_pb2 as pb
from haleganada.v1 import server_service_pb2_grpc

from haleganada_server.core.jobs.job import JobState
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.reading.ports import ReaderLoad
from haleganada_server.core.shares.quotas import Quota
from haleganada_server.core.workspaces.workspaces import Workspaces
from haleganada_server.runtime.processes.process_load import measure_own_memory

from ..convert import statistics
from ..metrics import Latencies, ServerFacts, ServerLoad

Context = grpc.ServicerContext


class ServerServicer(server_service_pb2_grpc.ServerServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors."""

    def __init__(
        self,
        facts: ServerFacts,
        latencies: Latencies,
        load: Callable[[], ServerLoad],
        workspaces: Workspaces,
        jobs: Jobs,
        reader_load: Callable[[], ReaderLoad],
        list_quotas: Callable[[], Sequence[Quota]],
    ) -> None:
        """load, reader_load: return what the server, and what its readers have to do right now. list_quotas: returns
        those of the server as a whole.
        """
        self._facts, self._latencies, self._load = facts, latencies, load
        self._workspaces, self._jobs, self._reader_load = workspaces, jobs, reader_load
        self._list_quotas = list_quotas

    def GetServerStatus(self, request: pb.GetServerStatusRequest, context: Context) -> pb.GetServerStatusResponse:
        load, reading, census = self._load(), self._reader_load(), self._workspaces.census()
        device = self._facts.describe_device()
        jobs, codes = self._jobs.count_by_state(), self._latencies.count_by_code()
        status = pb.ServerStatus(
            uptime_seconds=self._facts.uptime_s(),
            device=self._facts.device,
            latencies=statistics.latencies(self._latencies.by_method()),
            calls_total=codes.total(),
            calls_failed=codes.total() - codes["OK"],
            calls_working=load.working,
            calls_waiting=load.waiting,
            streams_open=load.streams,
            workspaces=census.workspaces,
            workspaces_open=census.open,
            samples=census.samples,
            jobs_queued=jobs[JobState.QUEUED],
            jobs_running=jobs[JobState.RUNNING],
            jobs_failed=jobs[JobState.FAILED],
            readers=reading.count,
            readers_busy=reading.busy,
            pages_waiting=reading.waiting,
            memory_bytes=measure_own_memory(),
            quotas=statistics.quotas(self._list_quotas()),
            device_memory_bytes=device.memory_bytes,
            device_memory_limit_bytes=device.memory_limit_bytes,
            device_note=device.note,
            replica=statistics.replica(self._workspaces.measure_lag()),
        )
        return pb.GetServerStatusResponse(status=status)

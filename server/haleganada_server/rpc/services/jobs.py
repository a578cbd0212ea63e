"""JobService: unpack, call the domain, pack."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from haleganada.v1 import job_service_pb2 as pb
from haleganada.v1 import job_service_pb2_grpc

from haleganada_server.core.errors import InvalidInput, NotFound
from haleganada_server.core.jobs.job import Job
from haleganada_server.core.jobs.jobs import Jobs
from haleganada_server.core.limits import SENT_CHUNK_BYTES

from .. import pages, validate
from ..caller import caller
from ..calls.places import Places
from ..calls.record import get_call_id
from ..convert import jobs as convert

Context = grpc.ServicerContext


class JobServicer(job_service_pb2_grpc.JobServiceServicer):
    """Each method carries out the RPC of its name. Raises the domain's errors.

    A watcher holds a thread for as long as the job takes, and whoever fetches a file for as long as the client does:
    each have slots of their own.
    """

    def __init__(self, jobs: Jobs, watchers: Places, transfers: Places) -> None:
        self._jobs = jobs
        self._watchers = watchers
        self._transfers = transfers

    def StartTraining(self, request: pb.StartTrainingRequest, context: Context) -> pb.StartTrainingResponse:
        job = self._jobs.start_training(
            request.preset if request.from_model_id else validate.required_id("preset", request.preset),
            validate.required_id("dataset_id", request.dataset_id),
            request.model_name,
            convert.settings(request.settings),
            request.from_model_id,
            get_call_id(),
            caller(context),
        )
        return pb.StartTrainingResponse(job=self._convert(job))

    def StartEvaluation(self, request: pb.StartEvaluationRequest, context: Context) -> pb.StartEvaluationResponse:
        models = [validate.required_id("models", model) for model in request.models]
        dataset_id = validate.required_id("dataset_id", request.dataset_id)
        job = self._jobs.start_evaluation(models, dataset_id, request.quick, get_call_id(), caller(context))
        return pb.StartEvaluationResponse(job=self._convert(job))

    def GetJob(self, request: pb.GetJobRequest, context: Context) -> pb.GetJobResponse:
        return pb.GetJobResponse(job=self._convert(self._jobs.get(_id(request.job_id))))

    def ListJobs(self, request: pb.ListJobsRequest, context: Context) -> pb.ListJobsResponse:
        limit, after = validate.page_size(request.page_size), pages.decode("jobs", request.page_token, "")
        found = self._page(after, limit + 1)
        following = found[limit - 1].job_id if len(found) > limit else ""
        positions = self._jobs.queue_positions()
        return pb.ListJobsResponse(
            jobs=[convert.job_summary(job, positions) for job in found[:limit]],
            next_page_token=pages.encode("jobs", following),
        )

    def CancelJob(self, request: pb.CancelJobRequest, context: Context) -> pb.CancelJobResponse:
        return pb.CancelJobResponse(job=self._convert(self._jobs.cancel(_id(request.job_id))))

    def DeleteJob(self, request: pb.DeleteJobRequest, context: Context) -> pb.DeleteJobResponse:
        self._jobs.delete(_id(request.job_id))
        return pb.DeleteJobResponse()

    def WatchJob(self, request: pb.WatchJobRequest, context: Context) -> Iterator[pb.WatchJobResponse]:
        watch = self._jobs.watch(_id(request.job_id))
        with self._watchers.one(context):
            if context.add_callback(watch.close):  # else the client is gone already
                for job in watch:
                    yield pb.WatchJobResponse(job=self._convert(job))

    def GetJobFile(self, request: pb.GetJobFileRequest, context: Context) -> Iterator[pb.GetJobFileResponse]:
        path = self._jobs.find_file(_id(request.job_id), request.name)
        with self._transfers.one(context), path.open("rb") as file:
            while chunk := file.read(SENT_CHUNK_BYTES):
                yield pb.GetJobFileResponse(chunk=chunk)

    def _convert(self, job: Job) -> pb.Job:
        return convert.job(job, self._jobs.queue_positions())

    def _page(self, after: str, limit: int) -> list[Job]:
        try:
            return self._jobs.page(after, limit)
        except NotFound as error:
            raise InvalidInput("page_token", "belongs to no job of this server; begin again without it") from error


def _id(job_id: str) -> str:
    return validate.required_id("job_id", job_id)

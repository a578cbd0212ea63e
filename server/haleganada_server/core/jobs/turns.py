"""Which of the jobs that wait runs next: callers take turns, so that nobody's many jobs make others wait for long."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from .job import Job, JobState


def order_queue(jobs: Iterable[Job], running: Iterable[Job] = ()) -> list[Job]:
    """Return the jobs that wait, that which runs next first. jobs: all there are. running: those that run, or are about
    to, although they may still be marked as waiting.

    Jobs that ran when the server ended go on first. The others are in rounds: in each, every caller has one job, the
    oldest first, and who has a job that runs has had that of the first round. Within a round, the caller comes first
    whose last job began longest ago.
    """
    found, claimed = list(jobs), {job.job_id for job in running}
    rounds = Counter(job.owner for job in found if job.state is JobState.RUNNING or job.job_id in claimed)
    last_start: defaultdict[str, int] = defaultdict(int)
    for job in found:
        last_start[job.owner] = max(last_start[job.owner], job.started_us)
    places = dict[str, tuple[bool, int, int, tuple[int, str]]]()
    waiting = [job for job in found if job.state is JobState.QUEUED and job.job_id not in claimed]
    for job in sorted(waiting, key=lambda job: job.place):
        places[job.job_id] = (not job.started_us, rounds[job.owner], last_start[job.owner], job.place)
        rounds[job.owner] += 1
    return sorted(waiting, key=lambda job: places[job.job_id])

"""The current state of all jobs, and the watchers of their changes."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from haleganada_server.core.errors import NotFound, Unavailable

from .job import Job, JobState
from .turns import order_queue

_PAUSE_S = 0.1
"""Between two values that a watcher gets; faster changes are merged."""
_EPOCHS_PER_SECOND = 5_000  # a job of 10,000 epochs is half a megabyte, too much to send ten times a second


class JobBoard:
    """Safe from any thread. Watchers are not registered: each just waits for the next change."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.changed = threading.Condition()
        self.is_closed = False
        self._jobs = {job.job_id: job for job in jobs}

    def get(self, job_id: str) -> Job:
        """Return a job. Raises NotFound."""
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound("job", job_id[:64], "list the jobs")
        return job

    def all(self) -> list[Job]:
        """Return all jobs, the newest first."""
        with self.changed:
            return sorted(self._jobs.values(), key=lambda job: job.place, reverse=True)

    def queue_positions(self) -> dict[str, int]:
        """Return where each job that waits stands, 1 = it runs next, by its id."""
        with self.changed:
            return {job.job_id: number for number, job in enumerate(order_queue(self._jobs.values()), 1)}

    def publish(self, job: Job) -> None:
        """Show a new or changed job."""
        with self.changed:
            self._jobs[job.job_id] = job
            self.changed.notify_all()

    def remove(self, job_id: str) -> None:
        """Forget a job that is over."""
        with self.changed:
            self._jobs.pop(job_id, None)

    def watch(self, job_id: str) -> Watch:
        """Return an iterator over the job now and after each change. Raises NotFound."""
        self.get(job_id)
        return Watch(self, job_id)

    def close(self) -> None:
        """End all watches."""
        with self.changed:
            self.is_closed = True
            self.changed.notify_all()


class Watch(Iterator[Job]):
    """One watcher's view of a job; ends with the job, or with close(), which any thread may call."""

    def __init__(self, board: JobBoard, job_id: str) -> None:
        self._board = board
        self._job_id = job_id
        self._shown: Job | None = None
        self._shown_position = 0
        self._is_closed = False

    def __next__(self) -> Job:
        """Return the next value, at least a tenth of a second after the previous one. Raises Unavailable when the
        server stops.
        """
        if self._shown is not None and self._shown.state.is_over:
            raise StopIteration
        with self._board.changed:
            if self._shown is not None:
                pause_s = _PAUSE_S + len(self._shown.epochs) / _EPOCHS_PER_SECOND
                self._board.changed.wait_for(self._has_ended, pause_s)
            self._board.changed.wait_for(lambda: self._has_ended() or self._has_news())
            if self._is_closed:
                raise StopIteration
            if self._board.is_closed:
                raise Unavailable("the server is stopping; watch again when it is back")
            self._shown, self._shown_position = self._current(), self._position()
            return self._shown

    def close(self) -> None:
        """End the iteration, even while it waits."""
        with self._board.changed:
            self._is_closed = True
            self._board.changed.notify_all()

    def _current(self) -> Job:
        return self._board.get(self._job_id)

    def _has_news(self) -> bool:
        return self._current() is not self._shown or self._position() != self._shown_position

    def _position(self) -> int:
        """Return where the job stands in the queue; 0 if it does not wait."""
        if self._current().state is not JobState.QUEUED:
            return 0
        return self._board.queue_positions().get(self._job_id, 0)

    def _has_ended(self) -> bool:
        return self._is_closed or self._board.is_closed or self._current().state.is_over

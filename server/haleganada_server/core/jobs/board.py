"""The jobs as they are now, and those who wait for news of one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

from haleganada_server.core.errors import NotFound, Unavailable

from .job import Job

_PAUSE_S = 0.1
"""Between two values that a watcher gets: changes that come faster are told together."""
_EPOCHS_A_SECOND = 5_000  # a job of 10,000 epochs is half a megabyte, which nobody needs ten times a second


class JobBoard:
    """Safe from any thread. Watchers leave no trace: each only waits for the next change."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.changed = threading.Condition()
        self.closed = False
        self._jobs = {job.job_id: job for job in jobs}

    def get(self, job_id: str) -> Job:
        """Raises NotFound."""
        job = self._jobs.get(job_id)
        if job is None:
            raise NotFound("job", job_id[:64], "list the jobs")
        return job

    def all(self) -> list[Job]:
        """The newest first."""
        with self.changed:
            return sorted(self._jobs.values(), key=lambda job: job.created_us, reverse=True)

    def publish(self, job: Job) -> None:
        """Show a job, new or as it has become."""
        with self.changed:
            self._jobs[job.job_id] = job
            self.changed.notify_all()

    def remove(self, job_id: str) -> None:
        """Forget a job that is over."""
        with self.changed:
            self._jobs.pop(job_id, None)

    def watch(self, job_id: str) -> Watch:
        """The job now and after each change. Raises NotFound."""
        self.get(job_id)
        return Watch(self, job_id)

    def close(self) -> None:
        """Send all watchers away."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()


class Watch(Iterator[Job]):
    """One watcher's view of a job; ends with the job, or with close(), which any thread may call."""

    def __init__(self, board: JobBoard, job_id: str) -> None:
        self._board = board
        self._job_id = job_id
        self._shown: Job | None = None
        self._closed = False

    def __next__(self) -> Job:
        """The next value, at least a tenth of a second after the one before. Raises Unavailable when the server
        stops.
        """
        if self._shown is not None and self._shown.state.is_over:
            raise StopIteration
        with self._board.changed:
            if self._shown is not None:
                pause_s = _PAUSE_S + len(self._shown.epochs) / _EPOCHS_A_SECOND
                self._board.changed.wait_for(self._has_ended, pause_s)
            self._board.changed.wait_for(lambda: self._has_ended() or self._present() is not self._shown)
            if self._closed:
                raise StopIteration
            if self._board.closed:
                raise Unavailable("the server is stopping; watch again when it is back")
            self._shown = self._present()
            return self._shown

    def close(self) -> None:
        """End the iteration, also one that waits just now."""
        with self._board.changed:
            self._closed = True
            self._board.changed.notify_all()

    def _present(self) -> Job:
        return self._board.get(self._job_id)

    def _has_ended(self) -> bool:
        return self._closed or self._board.closed or self._present().state.is_over

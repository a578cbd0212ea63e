"""A job as a value: its request, its state, its result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from haleganada_server.core.access.identity import Caller
from haleganada_server.core.error_reasons import Reason


class JobKind(Enum):
    """The kind of work. The value is what is stored."""

    TRAINING = "training"
    EVALUATION = "evaluation"


class JobState(Enum):
    """The state of a job. The value is what is stored."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """True if nothing more will happen."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Progress:
    """See JobProgress in the contract."""

    stage: str = ""
    done: int = 0
    total: int = 0
    eta_seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """One epoch of a training; see EpochMetrics in the contract. Losses are mean cross-entropies, accuracies 0..1."""

    epoch: int
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job at one moment. *_us: microseconds since 1970 UTC, 0 = not yet.

    request: the caller's request, JSON values only. result: the report of an evaluation that succeeded. files: name ->
    bytes. cancelling: the job was asked to end, and ends as soon as it can. settings: the settings that a training's
    process reports it uses; {} before it has started. call_id: names the call that asked for it in the server's log.
    client: who asked for it, as logs keep callers; "" = not known.
    """

    job_id: str
    kind: JobKind
    state: JobState
    created_us: int
    request: dict[str, Any]
    started_us: int = 0
    ended_us: int = 0
    progress: Progress = Progress()
    epochs: tuple[Epoch, ...] = ()
    model_id: str = ""
    error: str = ""
    error_reason: str = ""
    files: dict[str, int] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)
    cancelling: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    call_id: str = ""
    client: str = ""

    @property
    def author(self) -> str:
        """The name of who asked for it; "" if it is not known."""
        return Caller.parse(self.client).name

    @property
    def owner(self) -> str:
        """Under which name it counts for shares."""
        return Caller.parse(self.client).share

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands among all jobs, which are listed by this, the greatest first."""
        return self.created_us, self.job_id

    @property
    def is_damaged(self) -> bool:
        """Whether its record is damaged, so that only its id is known; it has failed then."""
        return self.error_reason == Reason.JOB_DAMAGED

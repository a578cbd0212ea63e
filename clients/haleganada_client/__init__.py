"""Thin clients of a Haleganada server: the typed SDK, the command line, the web page. They know the contract and no
more.

    from haleganada_client import HaleganadaClient

    with HaleganadaClient("127.0.0.1:50051") as client:
        client.train("a.png", "ಅ")
        print(client.predict("b.png").best)

The client, all that it returns and all that it raises can be imported from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .async_client import AsyncHaleganadaClient as AsyncHaleganadaClient
    from .client import HaleganadaClient as HaleganadaClient
    from .connecting import connect as connect
    from .connection.config import ClientConfig as ClientConfig
    from .errors import *  # noqa: F403
    from .reading.types import *  # noqa: F403
    from .training.datasets import Dataset as Dataset
    from .training.datasets import DatasetLabel as DatasetLabel
    from .training.datasets import DatasetPreview as DatasetPreview
    from .training.evaluation import *  # noqa: F403
    from .training.jobs import EpochMetrics as EpochMetrics
    from .training.jobs import EvaluationJob as EvaluationJob
    from .training.jobs import EvaluationModel as EvaluationModel
    from .training.jobs import Job as Job
    from .training.jobs import JobFile as JobFile
    from .training.jobs import JobProgress as JobProgress
    from .training.jobs import JobState as JobState
    from .training.jobs import TrainingJob as TrainingJob
    from .training.jobs import TrainingSettings as TrainingSettings
    from .training.models import ExportReport as ExportReport
    from .training.models import Model as Model
    from .training.models import ModelExport as ModelExport
    from .training.models import PrecisionReport as PrecisionReport
    from .training.models import Preset as Preset
    from .types import *  # noqa: F403

_ERRORS = (
    "AlreadyExists", "DataLoss", "DeadlineExceeded", "Exhausted", "FailedPrecondition", "HaleganadaError", "Internal",
    "InvalidInput", "NotAllowed", "NotFound", "RevisionMismatch", "Unavailable", "WrongType",
)  # fmt: skip
_TYPES = (
    "Candidate", "ConfusedPair", "Correction", "Decision", "Drawing", "ExportResult", "HistoryPoint", "ImportReport",
    "Ink", "ItemError", "LabelStats", "Lesson", "Linked", "MethodLatency", "NearDuplicate", "OnlineSettings",
    "OnlineStatus", "Picture", "Prediction", "PrunedSnapshots", "Quota", "RefusedItem", "Relabeled",
    "ReplicaStatus", "Sample", "SamplePage", "ServerStatus", "Snapshot", "Stats", "Stroke", "SupportsArray",
    "SupportsImage", "Suspect", "Taught", "TeachNext", "Undone", "Unlinked", "WorkspaceInfo",
)  # fmt: skip
_DATASETS = ("Dataset", "DatasetLabel", "DatasetPreview")
_EVALUATION = (
    "AverageMetrics", "ClassConfusion", "ClassMetrics", "DisagreementExample", "EvaluatedPart", "EvaluationResult",
    "Interval", "ModelDisagreements", "ModelMetrics", "TeachingCounts", "UnknownClasses", "UnknownDrawings",
    "WorstClass",
)  # fmt: skip
_JOBS = (
    "EpochMetrics", "EvaluationJob", "EvaluationModel", "Job", "JobFile", "JobProgress", "JobState", "TrainingJob",
    "TrainingSettings",
)  # fmt: skip
_MODELS = ("ExportReport", "Model", "ModelExport", "PrecisionReport", "Preset")
_READING = (
    "DocumentPage", "DocumentReading", "Engine", "EngineChoice", "GlyphCandidate", "PageError", "PageImage",
    "PageReading", "Point", "Reading", "ReadingFile", "StepPicture", "TextBlock", "TextGlyph", "TextLine", "TextRegion",
    "TextWord",
)  # fmt: skip
_HOMES = {
    "AsyncHaleganadaClient": "async_client",
    "ClientConfig": "connection.config",
    "HaleganadaClient": "client",
    "connect": "connecting",
    **dict.fromkeys(_DATASETS, "training.datasets"),
    **dict.fromkeys(_ERRORS, "errors"),
    **dict.fromkeys(_EVALUATION, "training.evaluation"),
    **dict.fromkeys(_JOBS, "training.jobs"),
    **dict.fromkeys(_MODELS, "training.models"),
    **dict.fromkeys(_READING, "reading.types"),
    **dict.fromkeys(_TYPES, "types"),
}


def __getattr__(name: str) -> Any:
    """Import on first use: `haleganada --help` must not wait for grpc."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)

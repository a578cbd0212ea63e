"""Messages and dataclasses: nothing is lost on the way, and neither side has a field that the other lacks."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timezone
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from haleganada.v1 import common_pb2
from haleganada.v1 import dataset_service_pb2 as dataset_pb
from haleganada.v1 import evaluation_pb2 as evaluation_pb
from haleganada.v1 import job_service_pb2 as job_pb
from haleganada.v1 import model_service_pb2 as model_pb
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import online_pb2 as onl
from haleganada.v1 import sample_service_pb2 as smp
from haleganada.v1 import workspace_service_pb2 as wsp
from haleganada_client import types
from haleganada_client.training import datasets, evaluation, jobs, models
from haleganada_client.wire import convert
from hypothesis import given
from hypothesis import strategies as st

_EVALUATION_MESSAGES = {name: getattr(evaluation_pb, name) for name in evaluation_pb.DESCRIPTOR.message_types_by_name}
SAME: list[tuple[type[Any], Any, set[str], set[str]]] = [
    # dataclass, message, fields that only the message has, fields that only the dataclass has
    (types.Stroke, common_pb2.Stroke, set(), set()),
    (types.Ink, common_pb2.Ink, set(), set()),
    (types.ItemError, common_pb2.ItemError, set(), set()),
    (types.Candidate, ocr.Candidate, set(), set()),
    (types.Prediction, ocr.PredictResponse, set(), set()),
    (types.Taught, ocr.TrainResponse, {"durable"}, set()),  # always true
    (types.Correction, ocr.CorrectResponse, set(), set()),
    (types.Linked, ocr.LinkVariantsResponse, set(), set()),
    (types.Unlinked, ocr.UnlinkVariantsResponse, set(), set()),
    (types.Undone, ocr.UndoResponse, set(), set()),
    (types.LabelStats, ocr.LabelStats, set(), set()),
    (types.HistoryPoint, ocr.HistoryPoint, set(), set()),
    (types.ConfusedPair, ocr.ConfusedPair, set(), set()),
    (types.TeachNext, ocr.TeachNext, {"reason"}, set()),  # follows from confused_with
    (types.Suspect, ocr.Suspect, set(), set()),
    (types.MethodLatency, ocr.MethodLatency, set(), set()),
    (types.Stats, ocr.StatsResponse, set(), set()),
    (types.Snapshot, common_pb2.Snapshot, set(), set()),
    (types.RefusedItem, common_pb2.RefusedItem, set(), set()),
    (types.ImportReport, ocr.ImportResponse, set(), set()),
    (types.Sample, smp.Sample, set(), set()),
    (types.SamplePage, smp.ListSamplesResponse, set(), set()),
    (types.WorkspaceInfo, wsp.Workspace, {"state"}, {"corrupt"}),
    (types.OnlineSettings, onl.OnlineSettings, set(), set()),
    (types.OnlineStatus, onl.OnlineStatus, set(), set()),
    (jobs.Job, job_pb.Job, set(), set()),
    (jobs.JobProgress, job_pb.JobProgress, set(), set()),
    (jobs.JobFile, job_pb.JobFile, set(), set()),
    (jobs.TrainingJob, job_pb.TrainingJob, set(), set()),
    (jobs.TrainingSettings, job_pb.TrainingSettings, set(), set()),
    (jobs.EpochMetrics, job_pb.EpochMetrics, set(), set()),
    (jobs.EvaluationJob, job_pb.EvaluationJob, set(), set()),
    (jobs.EvaluationModel, job_pb.EvaluationModel, set(), set()),
    (models.Model, model_pb.Model, set(), set()),
    (models.Preset, model_pb.Preset, set(), set()),
    (models.ExportReport, model_pb.ExportReport, set(), set()),
    (models.PrecisionReport, model_pb.PrecisionReport, set(), set()),
    (datasets.Dataset, dataset_pb.Dataset, set(), set()),
    (datasets.DatasetPreview, dataset_pb.PreviewDatasetResponse, set(), set()),
    (datasets.RepeatedItem, dataset_pb.RepeatedItem, set(), set()),
    *((getattr(evaluation, name), message, set(), set()) for name, message in _EVALUATION_MESSAGES.items()),
]


@pytest.mark.parametrize(("kind", "message", "only_message", "only_class"), SAME)
def test_both_sides_have_the_same_fields(
    kind: type[Any], message: Any, only_message: set[str], only_class: set[str]
) -> None:
    here, there = {field.name for field in fields(kind)}, set(message.DESCRIPTOR.fields_by_name)
    assert there - here == only_message and here - there == only_class


def test_absent_is_none_and_zero_is_zero() -> None:
    stats = convert.stats(ocr.StatsResponse(accuracy=0.0, versions={"server": "1"}))
    assert stats.accuracy == 0.0 and stats.average_loss is None and stats.versions == {"server": "1"}
    report = convert.import_report(ocr.ImportResponse(imported=2))
    assert report.before is None and report.imported == 2


@given(
    st.builds(types.OnlineSettings, *[st.none() | st.integers(0, 2**31 - 1)] * 2, *[st.none() | st.floats(0, 1)] * 2)
)
def test_settings_of_a_network_that_learns_arrive_as_they_were_sent(settings: types.OnlineSettings) -> None:
    sent = onl.OnlineSettings.FromString(convert.online_settings(settings).SerializeToString())
    status = convert.online_status(onl.OnlineStatus(start="cnn36", settings=sent))
    assert status.settings == settings and status.start == "cnn36" and status.revision is None
    learns = wsp.Workspace(model="online", online=onl.OnlineStatus(start="cnn36", settings=sent))
    assert convert.workspace(learns).online == status and convert.workspace(wsp.Workspace()).online is None


def test_times_are_in_utc_and_enums_have_names() -> None:
    moment = datetime(2026, 2, 3, 4, 5, 6, 789000, timezone.utc)
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    assert convert.sample(smp.Sample(sample_id=1, create_time=stamp)).create_time == moment
    assert convert.workspace(wsp.Workspace(state=wsp.WORKSPACE_STATE_CORRUPT, create_time=stamp)).corrupt
    assert convert.undone(ocr.UndoResponse(kind=ocr.CHANGE_KIND_FORGET)).kind == "forget"


@pytest.mark.parametrize("decision", [value for value in ocr.Decision.values() if value])
def test_only_what_is_recognized_has_a_best_candidate(decision: ocr.Decision.ValueType) -> None:
    candidates = [ocr.Candidate(label="ಅ", probability=0.5)]
    prediction = convert.prediction(ocr.PredictResponse(decision=decision, candidates=candidates))
    assert isinstance(prediction.decision, types.Decision) and prediction.candidates[0].label == "ಅ"
    recognized = decision == ocr.DECISION_RECOGNIZED
    assert prediction.best is (prediction.candidates[0] if recognized else None)
    assert convert.prediction(ocr.PredictResponse(decision=decision)).best is None
    assert "ಅ 50.0%" in repr(prediction) and len(repr(prediction)) < 80

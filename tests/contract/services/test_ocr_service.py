"""OCRService through the generated stubs over loopback: what each RPC does."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from haleganada.v1 import ocr_service_pb2 as ocr

from tests.conftest import RunningServer
from tests.contract.drawings import cross, ladder, ring
from tests.contract.refusals import expect_refusal
from tests.contract.teaching import teach
from tests.support.waiting import wait_until


def test_train(server: RunningServer, workspace: str) -> None:
    request = ocr.TrainRequest(workspace=workspace, glyph=cross(), label="ಕಿ", variant_of="ಕ", request_id="one")
    first, again = server.ocr.Train(request), server.ocr.Train(request)
    assert (first.label, first.canonical, first.labels_known, first.samples_total) == ("ಕಿ", "ಕ", 1, 1)
    assert first.durable and not first.duplicate and first.sample_id >= 1 and first.loss >= 0
    assert again.duplicate and again.sample_id == first.sample_id and again.revision == first.revision


def test_train_batch(server: RunningServer, workspace: str) -> None:
    items = [
        ocr.TrainItem(glyph=cross(), label="a"),
        ocr.TrainItem(label="no drawing"),
        ocr.TrainItem(glyph=ring(), label="b"),
    ]
    answer = server.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=workspace, items=items))
    assert [result.WhichOneof("result") for result in answer.results] == ["taught", "error", "taught"]
    assert (answer.results[1].error.code, answer.results[1].error.field) == (3, "glyph")
    assert answer.revision == answer.results[2].taught.revision


def test_predict(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕಿ")
    server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=ring(), label="ಅ"))
    answer = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(2), top_k=2, model="few-shot"))
    first = answer.candidates[0]
    assert (first.label, list(first.code_points), first.samples) == ("ಕಿ", ["U+0C95", "U+0CBF"], 1)
    assert len(answer.candidates) == 2 and answer.revision == 2 and answer.prediction_id
    total = sum(candidate.probability for candidate in answer.candidates) + answer.unknown_probability
    assert total == pytest.approx(1, abs=1e-9)


def test_an_answer_at_a_revision_is_not_provisional(server: RunningServer, workspace: str) -> None:
    revision = teach(server, workspace).revision
    request = ocr.PredictRequest(workspace=workspace, glyph=cross(1), min_revision=revision)
    answer = server.ocr.Predict(request)
    assert not answer.provisional and answer.revision == revision
    batch = server.ocr.PredictBatch(
        ocr.PredictBatchRequest(workspace=workspace, glyphs=[cross(1)], min_revision=revision)
    )
    assert not batch.results[0].prediction.provisional
    assert list(batch.results[0].prediction.candidates) == list(answer.candidates)
    wait_until(lambda: not server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(1))).provisional)


def test_predict_batch(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    drawings = [cross(1), ocr.PredictRequest().glyph, ring()]
    answer = server.ocr.PredictBatch(ocr.PredictBatchRequest(workspace=workspace, glyphs=drawings, min_revision=1))
    assert [result.WhichOneof("result") for result in answer.results] == ["prediction", "error", "prediction"]
    alone = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross(1), min_revision=1))
    together = answer.results[0].prediction
    assert together.candidates[0].probability == alone.candidates[0].probability  # to the last bit


def ask_odds(server: RunningServer, workspace: str, script_labels: int) -> float:
    """Return the odds of “unknown” for a drawing, which is the same with Predict and PredictBatch."""
    fields: dict[str, Any] = {"workspace": workspace, "min_revision": 1, "script_labels": script_labels}
    alone = server.ocr.Predict(ocr.PredictRequest(glyph=ladder(), **fields)).unknown_probability
    batch = server.ocr.PredictBatch(ocr.PredictBatchRequest(glyphs=[ladder()], **fields))
    assert batch.results[0].prediction.unknown_probability == alone
    return alone / (1 - alone)


def test_the_size_of_the_script_makes_the_odds_of_unknown(server: RunningServer, workspace: str) -> None:
    labels = 30
    for number in range(labels):
        teach(server, workspace, f"L{number}", shift=number)
    even = ask_odds(server, workspace, 1_000_000)  # at most one in two is taken to be untaught
    for script_labels, missing in ((60, 30), (0, 20), (45, 15), (33, 3), (31, 1), (30, 1), (2, 1)):
        odds = ask_odds(server, workspace, script_labels)
        assert odds == pytest.approx(even * missing / labels, rel=1e-6), script_labels


def test_forms_of_a_letter_count_once_among_those_of_the_script(server: RunningServer, workspace: str) -> None:
    for number in range(30):
        teach(server, workspace, f"L{number}", shift=number)
    before = ask_odds(server, workspace, 33)  # 3 of 30 are missing
    for number in range(15):
        form, canonical = f"L{2 * number}", f"L{2 * number + 1}"
        server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form=form, canonical=canonical))
    assert ask_odds(server, workspace, 18) == pytest.approx(before * 2, rel=1e-6)  # 3 of 15 are


def test_correct(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "a")
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=ladder()))
    answer = server.ocr.Correct(
        ocr.CorrectRequest(workspace=workspace, prediction_id=prediction.prediction_id, label="b", request_id="fix")
    )
    assert (answer.taught.label, answer.predicted_revision) == ("b", prediction.revision)
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert stats.corrections == 1


def test_link_variants(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "ಕಿ")
    answer = server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form="ಕಿ", canonical="ಕ"))
    assert (answer.canonical, list(answer.forms), answer.revision) == ("ಕ", ["ಕ", "ಕಿ"], 2)
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
    assert (prediction.candidates[0].label, prediction.candidates[0].canonical) == ("ಕಿ", "ಕ")


def test_unlink_variants(server: RunningServer, workspace: str) -> None:
    server.ocr.LinkVariants(ocr.LinkVariantsRequest(workspace=workspace, form="ಕಿ", canonical="ಕ"))
    answer = server.ocr.UnlinkVariants(ocr.UnlinkVariantsRequest(workspace=workspace, form="ಕಿ"))
    assert (answer.former_canonical, answer.revision) == ("ಕ", 2)


def test_undo(server: RunningServer, workspace: str) -> None:
    taught = teach(server, workspace)
    answer = server.ocr.Undo(ocr.UndoRequest(workspace=workspace, expected_revision=taught.revision))
    assert (answer.kind, answer.undone_revision, answer.sample_id, answer.label) == (
        ocr.CHANGE_KIND_TEACH,
        taught.revision,
        taught.sample_id,
        "ಕ",
    )
    assert server.ocr.Stats(ocr.StatsRequest(workspace=workspace)).samples_total == 0


def test_a_batch_of_several_calls_is_undone_as_one(server: RunningServer, workspace: str) -> None:
    teach(server, workspace, "before")
    for label in ("a", "b"):
        items = [ocr.TrainItem(glyph=cross(shift), label=label, variant_of="c") for shift in range(2)]
        server.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=workspace, items=items, batch_id="one"))
    request = ocr.UndoRequest(workspace=workspace, whole_batch=True, request_id="undo")
    undone, again = server.ocr.Undo(request), server.ocr.Undo(request)
    assert (undone.changes, undone.label, undone.undone_revision) == (4, "a", 2) and undone.revision == 9
    assert again.duplicate and again.revision == undone.revision and again.changes == 4
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert (stats.samples_total, stats.variant_groups, stats.labels[0].label) == (1, 0, "before")
    refusal = expect_refusal(lambda: server.ocr.Undo(ocr.UndoRequest(workspace=workspace, whole_batch=True)))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_TO_UNDO")


def test_a_batch_is_undone_down_to_another_s_change(server: RunningServer, workspace: str) -> None:
    def teach_one() -> None:
        items = [ocr.TrainItem(glyph=ring(), label="a")]
        server.ocr.TrainBatch(ocr.TrainBatchRequest(workspace=workspace, items=items, batch_id="one"))

    teach_one()
    teach(server, workspace, "theirs")
    teach_one()
    assert server.ocr.Undo(ocr.UndoRequest(workspace=workspace, whole_batch=True)).changes == 1
    assert server.ocr.Stats(ocr.StatsRequest(workspace=workspace)).samples_total == 2


def test_a_known_drawing_is_told_or_skipped(server: RunningServer, workspace: str) -> None:
    def train(known: ocr.KnownDrawings.ValueType, label: str = "a") -> ocr.TrainResponse:
        request = ocr.TrainRequest(workspace=workspace, glyph=ring(), label=label, known_drawings=known)
        return server.ocr.Train(request)

    first = train(ocr.KNOWN_DRAWINGS_TELL)
    assert first.known_sample_id == 0
    assert train(ocr.KNOWN_DRAWINGS_UNSPECIFIED).known_sample_id == 0
    told, skipped = train(ocr.KNOWN_DRAWINGS_TELL), train(ocr.KNOWN_DRAWINGS_SKIP)
    assert told.known_sample_id == first.sample_id and not told.duplicate
    assert (skipped.sample_id, skipped.duplicate, skipped.samples_total) == (first.sample_id, True, 3)
    assert train(ocr.KNOWN_DRAWINGS_SKIP, "b").known_sample_id == 0
    assert expect_refusal(lambda: train(9)).fields == ("known_drawings",)  # type: ignore[arg-type]


def test_stats(server: RunningServer, workspace: str) -> None:
    empty = server.ocr.Stats(ocr.StatsRequest(workspace=workspace))
    assert not empty.HasField("average_loss") and not empty.HasField("accuracy")
    for shift in range(3):
        teach(server, workspace, "a", shift)
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace, history_points=2, find_suspects=True))
    assert (stats.samples_total, stats.labels_known, stats.accuracy_samples, len(stats.history)) == (3, 1, 2, 2)
    assert stats.labels[0].samples == 3 and stats.HasField("average_loss") and stats.size_bytes > 0
    assert stats.device.startswith("cpu") and {"server", "python", "onnxruntime", "weights"} <= set(stats.versions)
    assert stats.embedder_hash == server.app.embedder.hash and stats.uptime_seconds > 0
    train = next(latency for latency in stats.latencies if latency.method == "Train")
    assert train.calls >= 3 and 0 < train.p50_ms <= train.p99_ms


def test_stats_names_a_drawing_that_was_taught_twice(server: RunningServer, workspace: str) -> None:
    older, newer = (teach(server, workspace, label).sample_id for label in ("a", "b"))
    stats = server.ocr.Stats(ocr.StatsRequest(workspace=workspace, find_suspects=True))
    (pair,) = stats.near_duplicates
    assert (pair.sample_id, pair.label, pair.other_sample_id, pair.other_label) == (newer, "b", older, "a")
    assert 0.9999 < pair.similarity <= 1


def test_save(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    snapshot = server.ocr.Save(ocr.SaveRequest(workspace=workspace, name="before supper")).snapshot
    assert (snapshot.name, snapshot.revision, snapshot.samples_total, snapshot.trash) == ("before supper", 1, 1, False)
    assert snapshot.size_bytes > 0 and len(snapshot.sha256) == 64 and snapshot.create_time.seconds > 0


def test_reset(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    answer = server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    assert answer.snapshot.trash and answer.snapshot.samples_total == 1 and answer.revision == 2
    prediction = server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=cross()))
    assert prediction.decision == ocr.DECISION_NOTHING_TAUGHT and prediction.unknown_probability == 1


def test_export(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    parts = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace, format=ocr.EXPORT_FORMAT_JSONL)))
    header = parts[0].header
    assert (header.format, header.revision, header.samples_total) == (ocr.EXPORT_FORMAT_JSONL, 1, 1)
    assert parts[-1].trailer.size_bytes == sum(len(part.chunk) for part in parts[1:-1])

    kept = server.ocr.Save(ocr.SaveRequest(workspace=workspace)).snapshot
    teach(server, workspace)
    of_snapshot = ocr.ExportRequest(workspace=workspace, format=ocr.EXPORT_FORMAT_JSONL, snapshot_id=kept.snapshot_id)
    assert list(server.ocr.Export(of_snapshot))[1:] == parts[1:]
    of_snapshot.snapshot_id = "r1-none"
    assert expect_refusal(lambda: list(server.ocr.Export(of_snapshot))).reason == "SNAPSHOT_NOT_FOUND"


def test_import(server: RunningServer, workspace: str) -> None:
    teach(server, workspace)
    parts = list(server.ocr.Export(ocr.ExportRequest(workspace=workspace)))
    requests = [ocr.ImportRequest(header=ocr.ImportHeader(workspace=workspace))]
    requests += [ocr.ImportRequest(chunk=part.chunk) for part in parts[1:-1]]
    requests += [ocr.ImportRequest(trailer=parts[-1].trailer)]
    server.ocr.Reset(ocr.ResetRequest(workspace=workspace, confirm=workspace))
    answer, again = server.ocr.Import(iter(requests)), server.ocr.Import(iter(requests))
    assert (answer.imported, answer.duplicates, answer.refused_total) == (1, 0, 0)
    assert (again.imported, again.duplicates) == (0, 1)
    assert not answer.HasField("before") and not again.HasField("before")

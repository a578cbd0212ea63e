"""ModelService, and predictions by its models, through the generated stubs over loopback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import numpy as np
import onnxruntime
import pytest
from grpc import StatusCode
from haleganada.v1 import job_service_pb2, job_service_pb2_grpc, model_service_pb2_grpc
from haleganada.v1 import model_service_pb2 as pb
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph
from haleganada_server.core.glyphs.types import Glyph as Drawing
from haleganada_server.rpc.convert.common import glyph as unpacked
from haleganada_server.vision import model_input, rasterize
from numpy.typing import NDArray

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import blank, capital_a, cross, ladder, ring, seven, three
from tests.contract.held import unhurried
from tests.contract.refusals import expect_refusal
from tests.support.tiny_model import SIDE, TinyModel, write_tiny_model

FEW_SHOT = "few-shot"
SHAPES = {"ಕ": cross(), "ಕಿ": ring(), "H": ladder()}


def raster(glyph: Glyph) -> NDArray[np.uint8]:
    drawing: Drawing = unpacked(glyph)
    return rasterize(drawing)


def tiny(name: str = "", labels: dict[str, Glyph] = SHAPES, **facts: object) -> TinyModel:
    templates = {label: raster(glyph) for label, glyph in labels.items()}
    return TinyModel(templates, name or f"tiny {uuid4()}", **facts)  # type: ignore[arg-type]


def stub(server: RunningServer) -> model_service_pb2_grpc.ModelServiceStub:
    return model_service_pb2_grpc.ModelServiceStub(server.channel)


@pytest.fixture
def model(server: RunningServer, tmp_path: Path) -> str:
    """Register a model of three shapes on the shared server, and return its id."""
    return server.app.models.register(write_tiny_model(tmp_path, tiny()))


def predict(server: RunningServer, workspace: str, glyph: Glyph, **more: object) -> ocr.PredictResponse:
    return server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=glyph, **more))  # type: ignore[arg-type]


def activate(server: RunningServer, workspace: str, model: str) -> pb.Model:
    return stub(server).ActivateModel(pb.ActivateModelRequest(workspace=workspace, model_id=model)).model


def best(answer: ocr.PredictResponse) -> str:
    return answer.candidates[0].label


def test_list_models(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(built_in_models=())
    made = [
        server.app.models.register(write_tiny_model(tmp_path, tiny(f"m{age}", created_us=age))) for age in (2, 3, 1)
    ]
    pages, token = [], ""
    while True:
        answer = stub(server).ListModels(pb.ListModelsRequest(page_size=2, page_token=token))
        pages.append([found.model_id for found in answer.models])
        if not (token := answer.next_page_token):
            break
    assert pages == [[FEW_SHOT, made[1]], [made[0], made[2]]]
    first, second = stub(server).ListModels(pb.ListModelsRequest()).models[:2]
    assert (second.labels_total, list(second.labels), second.name, second.preset) == (3, [], "m3", "tiny-cnn")
    assert list(first.active_in) == ["default"] and not first.HasField("create_time") and first.labels_total == 0
    assert first.sha256 == server.app.embedder.hash and first.size_bytes > 1_000_000 and first.parameters > 1_000_000


def test_a_built_in_model(start_server: StartServer, tmp_path: Path) -> None:
    """It is listed after the others and cannot be deleted."""
    shipped = write_tiny_model(tmp_path, tiny("letters", created_us=2**50)).rename(tmp_path / "shipped")
    server = start_server(built_in_models=(shipped,))
    own = server.app.models.register(write_tiny_model(tmp_path, tiny("letters", created_us=1)))
    listed = stub(server).ListModels(pb.ListModelsRequest()).models
    assert [found.model_id for found in listed] == [FEW_SHOT, own, "shipped"]
    assert best(predict(server, "", cross(3), model="shipped")) == "ಕ"
    assert activate(server, "", "shipped").active_in == ["default"]
    assert best(predict(server, "", ring(3))) == "ಕಿ"
    activate(server, "", FEW_SHOT)
    assert list(stub(server).ExportModel(pb.ExportModelRequest(model_id="shipped")))
    refusal = expect_refusal(lambda: stub(server).DeleteModel(pb.DeleteModelRequest(model_id="shipped")))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "BUILT_IN_MODEL")
    assert (shipped / "model.onnx").is_file()


def test_the_starter_says_unknown_to_a_capital_and_knows_its_digits(server: RunningServer) -> None:
    """“A” is none of its labels; without “unknown” it is a 4, with 95 %."""
    for lean in (-10.0, 0.0, 10.0):
        answer = predict(server, "", capital_a(lean), model="starter")
        assert answer.decision == ocr.DECISION_UNKNOWN and answer.unknown_probability > 0.5
        assert sum(found.probability for found in answer.candidates) + answer.unknown_probability <= 1 + 1e-9
        for digit, drawing in (("3", three(lean)), ("7", seven(lean))):
            answer = predict(server, "", drawing, model="starter")
            assert answer.decision == ocr.DECISION_RECOGNIZED and best(answer) == digit


def test_several_models_answer_together(server: RunningServer, workspace: str, tmp_path: Path) -> None:
    names = [f"m {uuid4()}" for _ in range(3)]
    known = [SHAPES, {"H": ladder(), "ಕ": cross()}, {"other": ring()}]
    one, two, three = (
        server.app.models.register(write_tiny_model(tmp_path, tiny(name, labels)))
        for name, labels in zip(names, known, strict=True)
    )
    answer = predict(server, workspace, cross(4), models=[names[0], two])
    assert answer.model == f"{one}+{two}" and best(answer) == "ಕ"
    assert {found.label for found in answer.candidates} == {"ಕ", "H"}, "the labels that both know"
    assert sum(found.probability for found in answer.candidates) == pytest.approx(1)
    alone = [predict(server, workspace, cross(4), model=model).candidates[0].probability for model in (one, two)]
    assert min(alone) - 0.05 < answer.candidates[0].probability

    for label, glyph in SHAPES.items():
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=glyph, label=label))
    answer = predict(server, workspace, ring(3), models=["few-shot", one], min_revision=3)
    assert best(answer) == "ಕಿ" and answer.model == f"few-shot+{one}" and answer.revision == 3
    total = sum(found.probability for found in answer.candidates) + answer.unknown_probability
    assert total == pytest.approx(1) and answer.unknown_probability > 0, "of few-shot, which can tell"
    batch = ocr.PredictBatchRequest(
        workspace=workspace, glyphs=[ring(3), Glyph()], models=["few-shot", one], min_revision=3
    )
    results = server.ocr.PredictBatch(batch).results
    assert results[0].prediction.candidates == answer.candidates and results[1].HasField("error")

    refusals: list[tuple[dict[str, object], str]] = [
        ({"models": [one]}, "INVALID_INPUT"),
        ({"models": [one, one]}, "INVALID_INPUT"),
        ({"models": [one, two], "model": one}, "INVALID_INPUT"),
        ({"models": [one, "none"]}, "MODEL_NOT_FOUND"),
        ({"models": [one, three]}, "MODEL_DOES_NOT_FIT"),
    ]
    for more, reason in refusals:
        assert expect_refusal(lambda more=more: predict(server, workspace, cross(), **more)).reason == reason  # type: ignore[misc]


def test_get_model(server: RunningServer, model: str) -> None:
    found = stub(server).GetModel(pb.GetModelRequest(model_id=model)).model
    assert list(found.labels) == list(SHAPES) and found.input_size_px == SIDE and found.parameters == 3 * SIDE * SIDE
    assert (found.validation_accuracy, found.latency_ms, found.dataset_name) == (0.75, 0.2, "shapes")
    assert (
        not found.HasField("test_accuracy") and len(found.sha256) == 64 and found.create_time.seconds == 1_700_000_000
    )
    assert stub(server).GetModel(pb.GetModelRequest(model_id=found.name)).model == found
    few_shot, starter = (stub(server).GetModel(pb.GetModelRequest(model_id=one)).model for one in (FEW_SHOT, "starter"))
    assert few_shot.name == FEW_SHOT and not few_shot.supports_online_learning and starter.supports_online_learning
    assert not found.supports_online_learning, "it has no weights that torch could read"


def test_list_presets(server: RunningServer) -> None:
    presets = stub(server).ListPresets(pb.ListPresetsRequest()).presets
    names = [preset.name for preset in presets]
    assert names == sorted(names) and {"cnn36", "resnet18", "resnet50-transformer", "tiny-cnn"} <= set(names)
    assert all(preset.description and preset.epochs > 0 and preset.learning_rate > 0 for preset in presets)
    assert [preset.name for preset in presets if preset.supports_online_learning] == ["cnn36", "resnet50-transformer"]


@pytest.mark.parametrize(("preset", "hint"), [("cnn36", "`models use cnn36 --online`"), ("resnet18", "train a model")])
def test_the_error_for_a_preset_says_that_it_is_no_model(server: RunningServer, preset: str, hint: str) -> None:
    refusal = expect_refusal(lambda: stub(server).GetModel(pb.GetModelRequest(model_id=preset)))
    assert refusal.code == StatusCode.NOT_FOUND and hint in refusal.message


def test_activate_model(server: RunningServer, workspace: str, model: str) -> None:
    server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=cross(), label="taught"))
    before = predict(server, workspace, cross(), min_revision=0)
    assert activate(server, workspace, model).active_in == [workspace]
    answer = predict(server, workspace, cross(3))
    assert best(answer) == "ಕ" and answer.unknown_probability == 0 and answer.decision == ocr.DECISION_RECOGNIZED
    assert best(predict(server, workspace, cross(), model=FEW_SHOT)) == "taught"
    assert workspace in activate(server, workspace, FEW_SHOT).active_in
    after = predict(server, workspace, cross(), min_revision=0)
    assert list(after.candidates) == list(before.candidates)
    assert after.unknown_probability == before.unknown_probability


def test_delete_model(server: RunningServer, workspace: str, model: str) -> None:
    activate(server, workspace, model)
    refusal = expect_refusal(lambda: stub(server).DeleteModel(pb.DeleteModelRequest(model_id=model)))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "MODEL_IN_USE")
    assert workspace in refusal.message
    activate(server, workspace, FEW_SHOT)
    stub(server).DeleteModel(pb.DeleteModelRequest(model_id=model))
    assert expect_refusal(lambda: stub(server).GetModel(pb.GetModelRequest(model_id=model))).reason == "MODEL_NOT_FOUND"
    assert expect_refusal(lambda: predict(server, workspace, cross(), model=model)).reason == "MODEL_NOT_FOUND"


@pytest.mark.parametrize("precision", [pb.PRECISION_UNSPECIFIED, pb.PRECISION_INT8], ids=pb.Precision.Name)
def test_export_model(server: RunningServer, workspace: str, model: str, precision: pb.Precision.ValueType) -> None:
    """The file runs with onnxruntime alone and gives the same answers as the server."""
    parts = list(stub(server).ExportModel(pb.ExportModelRequest(model_id=model, precision=precision)))
    assert [part.WhichOneof("part") for part in parts] == ["header", *["chunk"] * (len(parts) - 2), "trailer"]
    content, header = b"".join(part.chunk for part in parts), parts[0].header
    assert parts[-1].trailer.sha256 == hashlib.sha256(content).hexdigest() and header.size_bytes == len(content)
    assert header.file_name.endswith(".int8.onnx" if precision == pb.PRECISION_INT8 else f"{model}.onnx")
    assert header.report.samples and header.report.float32.size_bytes and header.report.int8.agreement
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    probabilities = np.asarray(session.run(["probabilities"], {"ink": model_input(raster(ring(4))[None], SIDE)})[0])[0]
    assert list(SHAPES)[int(probabilities.argmax())] == best(predict(server, workspace, ring(4), model=model))


# Predictions


def test_answers_of_a_model_show_the_workspaces_forms_and_samples(
    server: RunningServer, workspace: str, model: str
) -> None:
    for shift in range(2):
        server.ocr.Train(ocr.TrainRequest(workspace=workspace, glyph=ring(shift), label="ಕಿ", variant_of="ಕ"))
    answer = predict(server, workspace, ring(2), model=model, top_k=2, min_revision=2)
    first, second = answer.candidates
    assert (first.label, first.canonical, list(first.forms), first.samples) == ("ಕಿ", "ಕ", ["ಕ", "ಕಿ"], 2)
    assert second.samples == 0 and list(first.code_points) == ["U+0C95", "U+0CBF"]
    everything = {c.label: c.probability for c in predict(server, workspace, ring(2), model=model).candidates}
    assert first.canonical_probability == pytest.approx(everything["ಕ"] + everything["ಕಿ"])
    assert sum(everything.values()) == pytest.approx(1) and answer.revision == 2


def test_an_answer_of_a_model_can_be_corrected(server: RunningServer, workspace: str, model: str) -> None:
    answer = predict(server, workspace, ladder(), model=model)
    fix = ocr.CorrectRequest(workspace=workspace, prediction_id=answer.prediction_id, label="ladder")
    corrected = server.ocr.Correct(fix)
    assert (corrected.predicted, corrected.taught.label) == ("H", "ladder")
    assert best(predict(server, workspace, ladder(), model=FEW_SHOT)) == "ladder"


def test_a_batch_reports_unreadable_images(server: RunningServer, workspace: str, model: str) -> None:
    glyphs = [cross(), Glyph(image=blank()), *[ring(shift / 10) for shift in range(40)], Glyph(), ladder()]
    request = ocr.PredictBatchRequest(workspace=workspace, glyphs=glyphs, model=model, top_k=1)
    results = server.ocr.PredictBatch(request).results
    labels = [best(r.prediction) if r.WhichOneof("result") == "prediction" else r.error.code for r in results]
    assert labels == ["ಕ", 3, *["ಕಿ"] * 40, 3, "H"]


def test_a_batch_of_unreadable_images(server: RunningServer, workspace: str, model: str) -> None:
    results = server.ocr.PredictBatch(
        ocr.PredictBatchRequest(workspace=workspace, glyphs=[Glyph()], model=model)
    ).results
    assert [result.error.field for result in results] == ["glyph"]


# What is kept


def test_a_restart_keeps_models_and_active_models(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server()
    model = server.app.models.register(write_tiny_model(tmp_path, tiny()))
    activate(server, "", model)
    server.stop()
    server = start_server()
    assert best(predict(server, "", ring(3))) == "ಕಿ"
    assert stub(server).GetModel(pb.GetModelRequest(model_id=model)).model.active_in == ["default"]


def test_a_new_workspace_with_the_name_of_a_deleted_one_has_its_own_head(
    server: RunningServer, workspace: str, model: str
) -> None:
    activate(server, workspace, model)
    server.workspaces.DeleteWorkspace(workspaces.DeleteWorkspaceRequest(workspace=workspace, confirm=workspace))
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=workspace))
    assert predict(server, workspace, cross()).decision == ocr.DECISION_NOTHING_TAUGHT
    stub(server).DeleteModel(pb.DeleteModelRequest(model_id=model))


# Bad input


@pytest.fixture
def damaged(server: RunningServer, model: str) -> Iterator[str]:
    """Return the id of a model whose files were changed after its registration."""
    folder = server.app.models.get(model).folder
    for name in ("model.onnx", "model.int8.onnx"):
        (folder / name).write_bytes(b"something else")
    yield model


def test_a_changed_file_is_noticed_and_affects_nothing_else(
    server: RunningServer, workspace: str, damaged: str
) -> None:
    calls = (
        lambda: predict(server, workspace, cross(), model=damaged),
        lambda: activate(server, workspace, damaged),
        lambda: list(stub(server).ExportModel(pb.ExportModelRequest(model_id=damaged))),
    )
    for call in calls:
        refusal = expect_refusal(call)
        assert (refusal.code, refusal.reason) == (StatusCode.DATA_LOSS, "MODEL_DAMAGED")
        assert "train it again, or delete it" in refusal.message
    assert predict(server, workspace, cross()).decision == ocr.DECISION_NOTHING_TAUGHT
    stub(server).DeleteModel(pb.DeleteModelRequest(model_id=damaged))


def damage(server: RunningServer, model: str) -> str:
    """Return what a model says about its damage; check that lists say the same."""
    alone = stub(server).GetModel(pb.GetModelRequest(model_id=model)).model.damage
    listed = {one.model_id: one.damage for one in stub(server).ListModels(pb.ListModelsRequest()).models}
    assert listed[model] == alone
    return alone


def test_a_missing_file_or_another_size_is_reported(server: RunningServer, model: str) -> None:
    assert not damage(server, model)
    weights = server.app.models.get(model).folder / "model.onnx"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    told = damage(server, model)
    assert f"model.onnx has {len(whole) - 1:,} bytes instead of {len(whole):,}" in told
    assert "train it again, or delete it" in told
    weights.unlink()
    assert "model.onnx is missing" in damage(server, model)
    weights.write_bytes(whole)
    assert not damage(server, model)


def test_damage_found_while_reading_is_remembered(server: RunningServer, workspace: str, model: str) -> None:
    folder = server.app.models.get(model).folder
    whole = {name: (folder / name).read_bytes() for name in ("model.onnx", "model.int8.onnx")}
    predict(server, workspace, cross(), model=model)  # it is in memory from now on
    (folder / "model.int8.onnx").write_bytes(bytes(len(whole["model.int8.onnx"])))
    int8 = pb.ExportModelRequest(model_id=model, precision=pb.PRECISION_INT8)
    assert expect_refusal(lambda: list(stub(server).ExportModel(int8))).reason == "MODEL_DAMAGED"
    predict(server, workspace, cross(), model=model)
    assert "the SHA-256 of model.int8.onnx" in damage(server, model)
    (folder / "model.int8.onnx").write_bytes(whole["model.int8.onnx"])
    assert list(stub(server).ExportModel(int8)) and not damage(server, model)


def test_a_model_that_cannot_be_loaded_is_reported_in_lists(server: RunningServer, workspace: str, model: str) -> None:
    path = server.app.models.get(model).folder / "model.onnx"
    whole = path.read_bytes()
    path.write_bytes(bytes(len(whole)))
    assert not damage(server, model), "its size is right, and lists read no file"
    assert expect_refusal(lambda: activate(server, workspace, model)).reason == "MODEL_DAMAGED"
    assert "the SHA-256 of model.onnx" in damage(server, model)
    path.write_bytes(whole)
    activate(server, workspace, model)
    assert not damage(server, model)
    activate(server, workspace, FEW_SHOT)


def test_older_cards_without_sizes_are_accepted(server: RunningServer, tmp_path: Path) -> None:
    made = write_tiny_model(tmp_path, tiny())
    card = json.loads((made / "model.json").read_text(encoding="utf-8"))
    del card["sizes"], card["checksum"]
    (made / "model.json").write_text(json.dumps(card), encoding="utf-8")
    assert not damage(server, server.app.models.register(made))


def test_a_model_with_a_damaged_card_is_listed_and_refused(start_server: StartServer, tmp_path: Path) -> None:
    model = "a" * 12
    (tmp_path / "data/models").mkdir(parents=True)
    card = write_tiny_model(tmp_path, tiny()).rename(tmp_path / "data/models" / model) / "model.json"
    card.write_text(card.read_text(encoding="utf-8").replace('"temperature": 1.0', '"temperature": 1.5'))
    server = start_server()
    assert "model.json cannot be read (it has changed since it was written)" in damage(server, model)
    found = stub(server).GetModel(pb.GetModelRequest(model_id=model)).model
    assert (found.name, found.labels_total, found.sha256) == (model, 0, "") and not found.HasField("create_time")
    jobs = job_service_pb2_grpc.JobServiceStub(server.channel)
    for call in (
        lambda: predict(server, "", cross(), model=model),
        lambda: activate(server, "", model),
        lambda: list(stub(server).ExportModel(pb.ExportModelRequest(model_id=model))),
        lambda: jobs.StartEvaluation(job_service_pb2.StartEvaluationRequest(models=[model], dataset_id="x")),
    ):
        refusal = expect_refusal(call)
        assert (refusal.code, refusal.reason) == (StatusCode.DATA_LOSS, "MODEL_DAMAGED")
        assert "train it again, or delete it" in refusal.message
    stub(server).DeleteModel(pb.DeleteModelRequest(model_id=model))
    assert not card.parent.exists()


def test_an_ambiguous_name_is_refused(server: RunningServer, workspace: str, tmp_path: Path) -> None:
    twins = [server.app.models.register(write_tiny_model(tmp_path, tiny("twin"))) for _ in range(2)]
    for call, field in (
        (lambda: predict(server, workspace, cross(), model="twin"), "model"),
        (lambda: activate(server, workspace, "twin"), "model_id"),
    ):
        refusal = expect_refusal(call)
        assert (refusal.code, refusal.fields) == (StatusCode.INVALID_ARGUMENT, (field,))
        assert all(model in refusal.message for model in twins)
    assert best(predict(server, workspace, cross(), model=twins[0])) == "ಕ"
    assert expect_refusal(lambda: stub(server).DeleteModel(pb.DeleteModelRequest(model_id="twin"))).fields == (
        "model_id",
    )
    for twin in twins:
        stub(server).DeleteModel(pb.DeleteModelRequest(model_id=twin))


Call = Callable[[model_service_pb2_grpc.ModelServiceStub, str, str], object]
BAD_CALLS: dict[str, tuple[Call, StatusCode, str]] = {
    "no model": (lambda s, _w, _m: s.GetModel(pb.GetModelRequest()), StatusCode.INVALID_ARGUMENT, "INVALID_INPUT"),
    "unknown model": (
        lambda s, _w, _m: s.GetModel(pb.GetModelRequest(model_id="nothing")),
        StatusCode.NOT_FOUND,
        "MODEL_NOT_FOUND",
    ),
    "path instead of a model": (
        lambda s, _w, _m: s.GetModel(pb.GetModelRequest(model_id="../default")),
        StatusCode.NOT_FOUND,
        "MODEL_NOT_FOUND",
    ),
    "long name": (
        lambda s, _w, _m: s.GetModel(pb.GetModelRequest(model_id="x" * 65)),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    ),
    "activate unknown": (
        lambda s, w, _m: s.ActivateModel(pb.ActivateModelRequest(workspace=w, model_id="nothing")),
        StatusCode.NOT_FOUND,
        "MODEL_NOT_FOUND",
    ),
    "activate nothing": (
        lambda s, w, _m: s.ActivateModel(pb.ActivateModelRequest(workspace=w)),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    ),
    "activate nowhere": (
        lambda s, _w, m: s.ActivateModel(pb.ActivateModelRequest(workspace="nowhere", model_id=m)),
        StatusCode.NOT_FOUND,
        "WORKSPACE_NOT_FOUND",
    ),
    "delete unknown": (
        lambda s, _w, _m: s.DeleteModel(pb.DeleteModelRequest(model_id="nothing")),
        StatusCode.NOT_FOUND,
        "MODEL_NOT_FOUND",
    ),
    "delete few-shot": (
        lambda s, _w, _m: s.DeleteModel(pb.DeleteModelRequest(model_id=FEW_SHOT)),
        StatusCode.FAILED_PRECONDITION,
        "FEW_SHOT_MODEL",
    ),
    "export few-shot": (
        lambda s, _w, _m: list(s.ExportModel(pb.ExportModelRequest(model_id=FEW_SHOT))),
        StatusCode.FAILED_PRECONDITION,
        "FEW_SHOT_MODEL",
    ),
    "unknown precision": (
        lambda s, _w, m: list(s.ExportModel(pb.ExportModelRequest(model_id=m, precision=9))),  # type: ignore[arg-type]
        StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    ),
    "negative page": (
        lambda s, _w, _m: s.ListModels(pb.ListModelsRequest(page_size=-1)),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    ),
    "garbage token": (
        lambda s, _w, _m: s.ListModels(pb.ListModelsRequest(page_token="garbage")),
        StatusCode.INVALID_ARGUMENT,
        "INVALID_INPUT",
    ),
}


@pytest.mark.parametrize(("call", "code", "reason"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
def test_bad_input(
    server: RunningServer, workspace: str, model: str, call: Call, code: StatusCode, reason: str
) -> None:
    refusal = expect_refusal(lambda: call(stub(server), workspace, model))
    assert (refusal.code, refusal.reason) == (code, reason)


def test_min_revision_applies_to_models_too(server: RunningServer, workspace: str, model: str) -> None:
    refusal = expect_refusal(lambda: predict(server, workspace, cross(), model=model, min_revision=1))
    assert refusal.reason == "REVISION_NOT_REACHED"


def test_a_model_without_int8(server: RunningServer, tmp_path: Path) -> None:
    model = server.app.models.register(write_tiny_model(tmp_path, tiny(int8=False)))
    request = pb.ExportModelRequest(model_id=model, precision=pb.PRECISION_INT8)
    assert expect_refusal(lambda: list(stub(server).ExportModel(request))).reason == "NO_INT8"


def test_exports_of_models_count_as_transfers(start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(max_transfers=1)
    large = {f"{number}": cross(number / 100) for number in range(800)}
    model = server.app.models.register(write_tiny_model(tmp_path, tiny(labels=large)))
    request = pb.ExportModelRequest(model_id=model)
    with unhurried(server.address) as channel:
        slow = model_service_pb2_grpc.ModelServiceStub(channel).ExportModel(request)
        next(slow)
        assert expect_refusal(lambda: list(stub(server).ExportModel(request))).reason == "TOO_MANY_TRANSFERS"
        slow.cancel()
        with pytest.raises(grpc.RpcError):
            list(slow)

"""Online learning through the generated stubs over loopback. Only the learner's process is a stand-in without torch
(tests/support/learning/stand_in.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from grpc import StatusCode
from haleganada.v1 import model_service_pb2 as pb
from haleganada.v1 import model_service_pb2_grpc
from haleganada.v1 import ocr_service_pb2 as ocr
from haleganada.v1 import sample_service_pb2 as samples
from haleganada.v1 import workspace_service_pb2 as workspaces
from haleganada.v1.common_pb2 import Glyph
from haleganada.v1.online_pb2 import OnlineSettings, OnlineStatus
from haleganada_server.core.models.online_config import OnlineConfig
from haleganada_server.core.online.saved_answers import AnswersCard, hash_samples
from haleganada_server.runtime.processes.learner_process import LearnerProcessRunner

from tests.conftest import RunningServer, StartServer
from tests.contract.drawings import cross, ladder, ring
from tests.contract.refusals import expect_refusal
from tests.support.learning.servers import STAND_IN
from tests.support.tiny_model import network
from tests.support.waiting import wait_until

FAST, SLOW = 0.001, 0.5  # seconds for a sample
FEW_SHOT, ONLINE = "few-shot", "online"


@pytest.fixture
def server(start_server: StartServer) -> RunningServer:
    return start_server(learners=STAND_IN)


def activate(
    server: RunningServer, model: str = "cnn36", workspace: str = "", pace: float = FAST, **more: object
) -> OnlineStatus:
    settings = OnlineSettings(learning_rate=pace, **more)  # type: ignore[arg-type]
    request = pb.ActivateModelRequest(workspace=workspace, model_id=model, online=settings)
    return stub(server).ActivateModel(request).online


@pytest.mark.parametrize(("preset", "rate"), [("cnn36", 0.001), ("resnet50-transformer", 0.0001)])
def test_each_preset_has_its_own_default_learning_rate(server: RunningServer, preset: str, rate: float) -> None:
    def settings(**given: float) -> OnlineSettings:
        asked = pb.ActivateModelRequest(model_id=preset, online=OnlineSettings(**given))  # type: ignore[arg-type]
        return stub(server).ActivateModel(asked).online.settings

    assert settings() == OnlineSettings(replay=32, steps=5, learning_rate=rate, weight_decay=0.01, seed=0)
    assert settings(learning_rate=0.5).learning_rate == 0.5
    activate_few_shot(server)


def stub(server: RunningServer) -> model_service_pb2_grpc.ModelServiceStub:
    return model_service_pb2_grpc.ModelServiceStub(server.channel)


def activate_few_shot(server: RunningServer, workspace: str = "") -> None:
    stub(server).ActivateModel(pb.ActivateModelRequest(workspace=workspace, model_id=FEW_SHOT))


def teach(server: RunningServer, label: str, glyph: Glyph, wait_ms: int = 0, workspace: str = "") -> ocr.TrainResponse:
    request = ocr.TrainRequest(workspace=workspace, glyph=glyph, label=label, wait_learned_ms=wait_ms)
    return server.ocr.Train(request)


def predict(server: RunningServer, glyph: Glyph, model: str = "", workspace: str = "") -> ocr.PredictResponse:
    return server.ocr.Predict(ocr.PredictRequest(workspace=workspace, glyph=glyph, model=model))


def status(server: RunningServer, workspace: str = "") -> workspaces.Workspace:
    return server.workspaces.GetWorkspace(workspaces.GetWorkspaceRequest(workspace=workspace)).workspace


def wait_until_learned(server: RunningServer, workspace: str = "") -> None:
    """Wait until everything taught is learned."""

    def known() -> bool:
        now = status(server, workspace)
        return now.online.HasField("revision") and now.online.revision >= now.revision

    wait_until(known)


def learner_pid(server: RunningServer) -> int:
    """Return the process id of the only learner."""
    (folder,) = (server.app.config.data_dir / "online").iterdir()
    return int((folder / "pid").read_text())


def is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def has_same_candidates(one: ocr.PredictResponse, other: ocr.PredictResponse) -> bool:
    """Whether the network answered the same; how probable “unknown” is, comes from the head, which may have adapted."""
    first, second = ({c.label: c.probability / (1 - a.unknown_probability) for c in a.candidates} for a in (one, other))
    return list(first) == list(second) and first == pytest.approx(second, rel=1e-6)


def test_a_model_lists_the_workspaces_that_learn_online_from_it(server: RunningServer) -> None:
    activate(server, "starter")
    starter = stub(server).GetModel(pb.GetModelRequest(model_id="starter")).model
    assert (list(starter.online_in), list(starter.active_in)) == (["default"], [])
    activate_few_shot(server)
    stub(server).ActivateModel(pb.ActivateModelRequest(model_id="starter"))
    (listed,) = (m for m in stub(server).ListModels(pb.ListModelsRequest()).models if m.model_id == "starter")
    assert (list(listed.online_in), list(listed.active_in)) == ([], ["default"])
    activate(server, "cnn36")
    assert not stub(server).GetModel(pb.GetModelRequest(model_id="starter")).model.online_in


def test_samples_taught_before_and_after_the_activation_are_learned(server: RunningServer) -> None:
    teach(server, "cross", cross())
    begun = activate(server, replay=8, seed=3)
    assert (begun.start, begun.settings.replay, begun.settings.steps, begun.settings.seed) == ("cnn36", 8, 5, 3)
    assert status(server).model == ONLINE
    taught = teach(server, "ring", ring(), wait_ms=20_000)
    assert taught.learned and taught.durable
    answer = predict(server, ring(3))
    assert (answer.model, answer.candidates[0].label, answer.revision) == (ONLINE, "ring", taught.revision)
    assert sum(c.probability for c in answer.candidates) + answer.unknown_probability == pytest.approx(1)
    now = status(server).online
    assert (now.samples_learned, now.samples_left, now.labels_known, now.error) == (2, 0, 2, "")


def test_the_head_tells_what_is_none_of_the_labels(server: RunningServer) -> None:
    for number in range(3):
        teach(server, "cross", cross(number))
        teach(server, "ring", ring(number))
    activate(server)
    wait_until_learned(server)
    for drawing, decision in ((cross(4), "RECOGNIZED"), (ladder(), "UNKNOWN")):
        answer = predict(server, drawing)
        assert answer.model == ONLINE and ocr.Decision.Name(answer.decision) == f"DECISION_{decision}"
        assert {candidate.label for candidate in answer.candidates} == {"cross", "ring"}
        assert sum(c.probability for c in answer.candidates) + answer.unknown_probability == pytest.approx(1)


def test_train_waits_for_learning_only_if_asked(server: RunningServer) -> None:
    activate(server, pace=SLOW)
    teach(server, "cross", cross())
    before = teach(server, "ring", ring(), wait_ms=20_000)
    began = time.monotonic()
    taught = teach(server, "ladder", ladder())
    answer = predict(server, ladder(2))
    assert time.monotonic() - began < SLOW and not taught.learned
    assert (answer.model, answer.revision) == (ONLINE, before.revision)
    assert {candidate.label for candidate in answer.candidates} == {"cross", "ring"}
    assert not teach(server, "ladder", ladder(1), wait_ms=1).learned
    wait_until_learned(server)
    assert predict(server, ladder(2)).candidates[0].label == "ladder"


def test_a_network_with_one_label_does_not_answer(server: RunningServer) -> None:
    activate(server)
    assert teach(server, "cross", cross(), wait_ms=20_000).learned and status(server).online.labels_known == 1
    answer = predict(server, ring())
    assert answer.model == FEW_SHOT and answer.candidates[0].probability < 0.9
    assert expect_refusal(lambda: predict(server, ring(), ONLINE)).reason == "ONLINE_NOT_READY"
    teach(server, "ring", ring(), wait_ms=20_000)
    assert predict(server, ring(1)).model == ONLINE


def test_a_revision_that_is_not_learned_yet_is_not_reached(server: RunningServer) -> None:
    activate(server, pace=SLOW)
    teach(server, "cross", cross())
    teach(server, "ring", ring(), wait_ms=20_000)
    taught = teach(server, "ring", ring(1))
    request = ocr.PredictRequest(glyph=ring(), min_revision=taught.revision)
    assert expect_refusal(lambda: server.ocr.Predict(request)).reason == "REVISION_NOT_REACHED"
    wait_until_learned(server)
    assert server.ocr.Predict(request).revision == taught.revision


def test_the_few_shot_head_answers_until_something_is_learned(server: RunningServer) -> None:
    for label, glyph in (("cross", cross()), ("ring", ring()), ("cross", cross(1))):
        teach(server, label, glyph)
    activate(server, pace=SLOW)
    assert predict(server, cross(5)).model == FEW_SHOT
    refusal = expect_refusal(lambda: predict(server, cross(5), ONLINE))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "ONLINE_NOT_READY")
    wait_until_learned(server)
    assert {predict(server, cross(5)).model, predict(server, cross(5), ONLINE).model} == {ONLINE}
    assert predict(server, cross(5), FEW_SHOT).model == FEW_SHOT


def test_after_forgetting_the_network_is_rebuilt_without_the_sample(server: RunningServer) -> None:
    activate(server, pace=0.1)
    for number, glyph in enumerate([cross(), ring(), ring(4)]):
        wrong = teach(server, ["cross", "ring", "cross"][number], glyph, wait_ms=20_000)
    teach(server, "ladder", ladder(), wait_ms=20_000)
    before = predict(server, ring(2))
    server.samples.DeleteSample(samples.DeleteSampleRequest(sample_id=wrong.sample_id))
    assert status(server).online.rebuilding
    assert has_same_candidates(predict(server, ring(2)), before), "the revision from before answers"
    wait_until_learned(server)
    after = predict(server, ring(2))
    never = "never taught"
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=never))
    activate(server, workspace=never)
    for label, glyph in (("cross", cross()), ("ring", ring()), ("ladder", ladder())):
        teach(server, label, glyph, 20_000, never)
    assert has_same_candidates(after, predict(server, ring(2), workspace=never)) and not has_same_candidates(
        after, before
    )


def test_the_status_shows_a_rebuild_right_after_a_change(server: RunningServer) -> None:
    activate(server, pace=0.1)
    taught = [teach(server, "ring", ring(number), wait_ms=20_000).sample_id for number in range(5)]
    for sample_id in taught[:4]:
        server.samples.DeleteSample(samples.DeleteSampleRequest(sample_id=sample_id))
        assert status(server).online.rebuilding
        wait_until_learned(server)
        assert not status(server).online.rebuilding


def test_late_progress_messages_do_not_hide_a_change(server: RunningServer) -> None:
    activate(server, pace=0.3)
    first = teach(server, "ring", ring(), wait_ms=20_000).sample_id
    for number in range(1, 4):
        teach(server, "ring", ring(number))
    server.samples.DeleteSample(samples.DeleteSampleRequest(sample_id=first))
    while (online := status(server).online).samples_left:
        assert online.rebuilding
        time.sleep(0.02)


def test_a_relabeled_sample_is_learned_again(server: RunningServer) -> None:
    activate(server)
    taught = teach(server, "rung", ring(), wait_ms=20_000)
    server.samples.UpdateSample(samples.UpdateSampleRequest(sample_id=taught.sample_id, label="ring"))
    wait_until_learned(server)
    assert [c.label for c in predict(server, ring(2)).candidates] == ["ring"]
    server.ocr.Undo(ocr.UndoRequest())
    wait_until_learned(server)
    assert [c.label for c in predict(server, ring(2)).candidates] == ["rung"]


def test_a_killed_process_is_restarted_and_answers_the_same(server: RunningServer) -> None:
    activate(server)
    for label, glyph in (("cross", cross()), ("ring", ring())):
        teach(server, label, glyph, wait_ms=20_000)
    before = predict(server, ring(2))
    os.kill(learner_pid(server), signal.SIGKILL)
    wait_until(lambda: status(server).online.error != "")
    assert predict(server, ring(2)).model == FEW_SHOT and teach(server, "ladder", ladder()).durable
    wait_until(lambda: predict(server, ladder(2)).model == ONLINE)
    wait_until_learned(server)
    assert status(server).online.error == "" and predict(server, ladder(2)).candidates[0].label == "ladder"
    server.ocr.Undo(ocr.UndoRequest())
    wait_until_learned(server)
    assert has_same_candidates(predict(server, ring(2)), before)


def test_a_restart_keeps_the_active_network(start_server: StartServer) -> None:
    first = start_server(learners=STAND_IN)
    activate(first)
    teach(first, "cross", cross(), wait_ms=20_000)
    before, pid = predict(first, cross(3)), learner_pid(first)
    first.stop()
    assert not is_alive(pid)
    second = start_server(learners=STAND_IN)
    wait_until_learned(second)
    assert has_same_candidates(predict(second, cross(3)), before) and learner_pid(second) != pid


def leave_answers(server: RunningServer, labels: tuple[str, ...]) -> None:
    """Leave a network of these labels where a learner's process would, for the present samples."""
    (folder,) = (server.app.config.data_dir / "online").iterdir()
    with server.app.workspaces.use("") as workspace:
        revision, live = workspace.log.live_samples()
    content = network(np.eye(16 * 16, 2, dtype=np.float32))
    (folder / "answers-0.onnx").write_bytes(content)
    card = AnswersCard(
        labels=labels,
        side=16,
        revision=revision,
        learned=len(live),
        samples_sha256=hash_samples(live),
        network="answers-0.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
    )
    (folder / "answers.json").write_text(card.to_json(), encoding="utf-8")


@pytest.mark.parametrize(("labels", "can_tell"), [(("left", "right"), True), (("of the start", "too"), False)])
def test_the_head_judges_only_labels_that_were_taught(
    start_server: StartServer, labels: tuple[str, ...], can_tell: bool
) -> None:
    first = start_server(learners=STAND_IN)
    activate(first, pace=1.0)
    for label, shift in (("left", 0), ("right", 5)):
        teach(first, label, cross(shift))
    leave_answers(first, labels)
    first.stop()
    answer = predict(start_server(learners=STAND_IN), ladder())
    assert answer.model == ONLINE and (answer.unknown_probability > 0) is can_tell


def test_after_a_restart_the_last_network_answers_until_a_sample_of_it_is_forgotten(start_server: StartServer) -> None:
    first = start_server(learners=STAND_IN)
    activate(first, pace=1.0)
    taught = [teach(first, label, cross(shift)) for label, shift in (("left", 0), ("right", 5))]
    leave_answers(first, ("left", "right"))
    first.stop()
    second = start_server(learners=STAND_IN)
    answer = predict(second, cross(3))
    assert (answer.model, answer.revision) == (ONLINE, 2) and {c.label for c in answer.candidates} == {"left", "right"}
    told = status(second).online
    assert (told.revision, told.labels_known, told.samples_learned, told.samples_left) == (2, 2, 2, 0)
    teach(second, "third", ring())
    assert predict(second, cross(3)).model == ONLINE, "it knows nothing that was taken back"
    second.samples.DeleteSample(samples.DeleteSampleRequest(sample_id=taught[0].sample_id))
    assert predict(second, cross(3)).model == FEW_SHOT


def test_a_damaged_card_of_the_starting_model_does_not_keep_the_server_from_starting(
    start_server: StartServer, tmp_path: Path
) -> None:
    model, models = "a" * 12, tmp_path / "data/models"
    (models / model).mkdir(parents=True)
    (models / model / "model.json").write_text("{")
    active = {"default": {"start": model, "config": asdict(OnlineConfig())}}
    (models / "active.json").write_text(json.dumps(active))
    server = start_server(learners=STAND_IN)
    listed = stub(server).GetModel(pb.GetModelRequest(model_id=model)).model
    assert listed.damage and list(listed.online_in) == ["default"]
    assert expect_refusal(lambda: activate(server, model)).code is StatusCode.DATA_LOSS


@pytest.mark.skipif(find_spec("torch") is None, reason="needs torch")
def test_a_network_whose_starting_model_is_gone_hands_over_to_nobody(start_server: StartServer, tmp_path: Path) -> None:
    models = tmp_path / "data/models"
    models.mkdir(parents=True)
    active = {"default": {"start": "a" * 12, "config": asdict(OnlineConfig())}}
    (models / "active.json").write_text(json.dumps(active))
    server = start_server()
    wait_until(lambda: status(server).online.error != "")
    assert status(server).model == ONLINE
    refusal = expect_refusal(lambda: predict(server, cross(3)))
    assert (refusal.code, refusal.reason) == (StatusCode.DATA_LOSS, "MODEL_DAMAGED")
    activate_few_shot(server)
    assert predict(server, cross(3)).model == FEW_SHOT


def test_back_to_few_shot(server: RunningServer) -> None:
    activate(server)
    teach(server, "cross", cross(), wait_ms=20_000)
    pid = learner_pid(server)
    activate_few_shot(server)
    assert not is_alive(pid) and not list((server.app.config.data_dir / "online").iterdir())
    assert predict(server, cross(3)).model == FEW_SHOT and not status(server).HasField("online")
    assert not teach(server, "ring", ring(), wait_ms=20_000).learned, "no network learns, so nothing waits"
    refusal = expect_refusal(lambda: predict(server, cross(3), ONLINE))
    assert refusal.reason == "NO_ONLINE_NETWORK" and "wait" not in refusal.message


def test_new_settings_replace_the_old_ones(server: RunningServer) -> None:
    activate(server, seed=1)
    first = learner_pid(server)
    activate(server, seed=1)
    assert learner_pid(server) == first, "the same request again changes nothing"
    activate(server, seed=2)
    assert learner_pid(server) != first and not is_alive(first) and status(server).online.settings.seed == 2


def test_reset_restore_and_delete(server: RunningServer) -> None:
    name = "w"
    server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=name))
    activate(server, workspace=name)
    teach(server, "cross", cross(), 20_000, name)
    kept = server.ocr.Reset(ocr.ResetRequest(workspace=name, confirm=name)).snapshot
    wait_until_learned(server, name)
    assert status(server, name).online.samples_learned == 0
    teach(server, "ring", ring(), 20_000, name)
    assert [c.label for c in predict(server, cross(3), workspace=name).candidates] == ["ring"]
    restore = workspaces.RestoreSnapshotRequest(workspace=name, snapshot_id=kept.snapshot_id)
    server.workspaces.RestoreSnapshot(restore)
    wait_until_learned(server, name)
    assert [c.label for c in predict(server, ring(3), workspace=name).candidates] == ["cross"]
    pid = learner_pid(server)
    server.workspaces.DeleteWorkspace(workspaces.DeleteWorkspaceRequest(workspace=name, confirm=name))
    assert not is_alive(pid) and not list((server.app.config.data_dir / "online").iterdir())


def test_at_most_two_networks_learn(server: RunningServer) -> None:
    for name in "abc":
        server.workspaces.CreateWorkspace(workspaces.CreateWorkspaceRequest(workspace=name))
    activate(server, workspace="a")
    activate(server, workspace="b")
    refusal = expect_refusal(lambda: activate(server, workspace="c"))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "TOO_MANY_LEARNERS")
    assert status(server, "c").model == FEW_SHOT
    activate_few_shot(server, "a")
    activate(server, workspace="c")


def test_an_error_at_the_start_is_reported_and_changes_nothing(start_server: StartServer, tmp_path: Path) -> None:
    weights = tmp_path / "weights"
    weights.touch()
    server = start_server(learners=STAND_IN, backbone_weights=(weights,))
    refusal = expect_refusal(lambda: activate(server, "resnet50-transformer"))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "BACKBONE_WEIGHTS_MISSING")
    assert status(server).model == FEW_SHOT and not list((server.app.config.data_dir / "online").iterdir())


def test_without_torch_the_error_says_so(start_server: StartServer) -> None:
    server = start_server(learners=LearnerProcessRunner(needed=("no_such_torch",)))
    refusal = expect_refusal(lambda: activate(server))
    assert (refusal.code, refusal.reason) == (StatusCode.FAILED_PRECONDITION, "TORCH_NOT_INSTALLED")


def test_a_process_that_cannot_start_does_no_harm(start_server: StartServer) -> None:
    server = start_server(learners=LearnerProcessRunner(("/no/such/program",), ()))
    assert expect_refusal(lambda: activate(server)).code == StatusCode.FAILED_PRECONDITION
    assert teach(server, "cross", cross()).durable and predict(server, cross(2)).model == FEW_SHOT


INVALID = [
    ("resnet18", {}, "PRESET_NOT_ONLINE"),
    (FEW_SHOT, {}, "PRESET_NOT_ONLINE"),
    ("no such model", {}, "MODEL_NOT_FOUND"),
    ("", {}, "INVALID_INPUT"),
    ("cnn36", {"replay": -1}, "INVALID_INPUT"),
    ("cnn36", {"replay": 1025}, "INVALID_INPUT"),
    ("cnn36", {"steps": 0}, "INVALID_INPUT"),
    ("cnn36", {"pace": float("nan")}, "INVALID_INPUT"),
    ("cnn36", {"weight_decay": 2.0}, "INVALID_INPUT"),
    ("cnn36", {"seed": -1}, "INVALID_INPUT"),
]


@pytest.mark.parametrize(("model", "settings", "reason"), INVALID)
def test_invalid_requests(server: RunningServer, model: str, settings: dict[str, float], reason: str) -> None:
    assert expect_refusal(lambda: activate(server, model, **settings)).reason == reason  # type: ignore[arg-type]
    assert status(server).model == FEW_SHOT


@pytest.mark.parametrize("milliseconds", [-1, 60_001])
def test_waiting_times_out_of_range(server: RunningServer, milliseconds: int) -> None:
    assert expect_refusal(lambda: teach(server, "cross", cross(), milliseconds)).fields == ("wait_learned_ms",)
    assert status(server).samples_total == 0


def test_many_samples_arrive_in_order(server: RunningServer) -> None:
    """More than fit into one message, some sent while others are being learned."""
    items = [ocr.TrainItem(glyph=[cross, ring, ladder][n % 3](n % 7), label=f"L{n % 30}") for n in range(150)]
    server.ocr.TrainBatch(ocr.TrainBatchRequest(items=items[:100]))
    activate(server, pace=0.002)
    server.ocr.TrainBatch(ocr.TrainBatchRequest(items=items[100:]))
    wait_until_learned(server)
    now = status(server).online
    assert (now.samples_learned, now.labels_known, now.samples_left) == (150, 30, 0)

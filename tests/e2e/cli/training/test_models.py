"""Models on the command line, and the SDK's view of them, against a real server."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from haleganada_client import FailedPrecondition, HaleganadaClient, InvalidInput, NotFound
from haleganada_server.core.glyphs.types import Glyph
from haleganada_server.vision import model_input, rasterize
from onnxruntime import InferenceSession

from tests.e2e.cli.command_line import haleganada
from tests.e2e.pictures import LINES, picture
from tests.e2e.processes import ServerProcess, server
from tests.support.tiny_model import SIDE, TinyModel, write_tiny_model

GOOD, TWIN = "a" * 12, "b" * 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the models “shapes” and “twin”, which know crosses and pluses."""
    data = tmp_path_factory.mktemp("data")
    templates = {label: rasterize(Glyph(image=picture(lines))) for label, lines in LINES.items()}
    for model_id, name, created in ((GOOD, "shapes", 2), (TWIN, "twin", 1)):
        made = write_tiny_model(
            tmp_path_factory.mktemp("made"), TinyModel(templates, name, created_us=created * 10**15)
        )
        (data / "models").mkdir(exist_ok=True)
        made.rename(data / "models" / model_id)
    return data


@pytest.fixture(scope="module")
def running(data: Path) -> Iterator[ServerProcess]:
    with server(data) as process:
        yield process


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with three crosses and one file that is no picture."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for shift in range(3):
        (folder / f"{shift}.png").write_bytes(picture(LINES["cross"], shift))
    (folder / "broken.png").write_bytes(b"broken")
    return folder


def run(running: ServerProcess, *arguments: str | Path, code: int = 0) -> str:
    """What a command prints, on whichever stream it should."""
    done = haleganada("--server", running.address, *arguments)
    assert done.returncode == code, (done.stdout, done.stderr)
    return done.stdout if code in (0, 1) else done.stderr


def test_damaged_models_are_told_in_the_list(running: ServerProcess, data: Path) -> None:
    model = data / "models" / TWIN / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(whole[:-5])
    try:
        listed = run(running, "models")
        assert "twin (damaged)" in listed and "shapes (damaged)" not in listed
        assert f"damaged: {TWIN}, the model “twin” cannot be used: model.onnx has" in listed
        assert "train it again, or delete it" in run(running, "models", "show", "twin")
    finally:
        model.write_bytes(whole)
    assert "damaged" not in run(running, "models")


def test_several_models_answer_together(running: ServerProcess, pictures: Path) -> None:
    together = ("predict", "--model", "shapes", "--model", "twin", pictures / "0.png")
    assert "answered by shapes with twin" in run(running, *together)
    assert json.loads(run(running, *together, "--json"))[0]["model"] == f"{GOOD}+{TWIN}"
    with HaleganadaClient(running.address) as client:
        found = client.predict(pictures / "0.png", model=["shapes", "twin"])
        assert found.candidates[0].label == "cross" and found.model == f"{GOOD}+{TWIN}"
        with pytest.raises(InvalidInput, match="2 to 8 different models"):
            client.predict(pictures / "0.png", model=["shapes"])


def test_list_show_and_presets(running: ServerProcess) -> None:
    table = run(running, "models").splitlines()
    assert table[0].split() == [
        "id",
        "name",
        "kind",
        "labels",
        "size",
        "hash",
        "data",
        "validation",
        "test",
        "ms",
        "created",
        "used",
        "by",
    ]
    models = [line.split()[0] for line in table[1:]]
    assert models[:3] == ["few-shot", GOOD, TWIN] and models[-1] == "starter"
    assert set(models[3:-1]) <= {"kannada-print", "latin-hand"}, "which are there if their distributions are installed"
    assert "75.0 %" in table[2] and "tiny-cnn" in table[2] and f"shapes {'5' * 12}" in table[2]
    shown = run(running, "models", "show", "shapes")
    assert "2: cross plus" in shown and GOOD in shown and "0.2 ms" in shown and "5" * 64 in shown
    assert "cnn36" in run(running, "models", "presets")
    assert run(running, "models", "show", "nothing", code=4).startswith("haleganada: there is no model “nothing”")


def test_predict_with_a_model(running: ServerProcess, pictures: Path, tmp_path: Path) -> None:
    one = run(running, "predict", pictures / "0.png", "--model", "shapes", "--top-k", "1")
    assert "recognized" in one and "cross" in one and "plus" not in one and "none of these" not in one
    viz = tmp_path / "answers.html"
    many = run(running, "predict", "--folder", pictures, "--model", GOOD, "--save-viz", viz, code=1)
    assert "3 recognized" in many and "1 not readable" in many and "cross" in viz.read_text(encoding="utf-8")
    assert "name the images" in run(running, "predict", "--model", GOOD, code=2)
    output = run(running, "predict", pictures / "0.png", "--model", "resnet", code=4)
    assert output.count("\n") == 1 and "resnet" in output


def test_use_a_model_and_go_back(running: ServerProcess, pictures: Path) -> None:
    run(running, "workspaces", "create", "w")
    assert "models use few-shot` goes back" in run(running, "-w", "w", "models", "use", "shapes")
    assert "cross" in run(running, "-w", "w", "predict", pictures / "1.png")
    assert "nothing taught" in run(running, "-w", "w", "predict", pictures / "1.png", "--model", "few-shot")
    assert "answers for “w”" in run(running, "models", "delete", "shapes", "--confirm", "shapes", code=5)
    run(running, "-w", "w", "models", "use", "few-shot")
    assert "nothing taught" in run(running, "-w", "w", "predict", pictures / "1.png")


def test_teaching_while_a_model_answers_says_that_it_does_not_learn(running: ServerProcess, pictures: Path) -> None:
    name = "taught beside a model"
    run(running, "workspaces", "create", name)

    def teach(*arguments: str | Path) -> str:
        return run(running, "-w", name, *arguments)

    (pictures / "broken.png").unlink()
    assert "does not learn" not in teach("train", "x", pictures / "0.png")
    teach("models", "use", "shapes")
    output = teach("train", "x", pictures / "0.png")
    assert "learned x" in output and "saved, but the model shapes answers here and does not learn" in output
    assert "models use few-shot` goes back" in output and "--online" not in output  # a tiny-cnn cannot learn online
    teach("models", "use", "starter")
    many = teach("train", "x", pictures / "1.png", pictures / "2.png")
    assert "learned 2 drawings" in many and "models use starter --online` starts an online network" in many
    (answer,) = json.loads(teach("predict", pictures / "0.png", "--json"))
    assert "the model starter answers here" in teach("correct", answer["prediction_id"], "x")
    assert set(json.loads(teach("train", "y", pictures / "0.png", "--json"))) >= {"sample_id", "learned"}
    teach("models", "use", "few-shot")
    assert "does not learn" not in teach("train", "x", pictures / "1.png")


def test_export(running: ServerProcess, tmp_path: Path) -> None:
    file = tmp_path / "shapes.onnx"
    output = run(running, "models", "export", "shapes", file)
    assert "on 400 drawings:" in output and "differ from torch's by at most 1.9e-06" in output
    rows = [line.split() for line in output.splitlines()]
    assert ["float32", "690.2", "KB", "0.56", "94.3", "%", "100.0", "%"] in rows
    assert ["int8", "371.3", "KB", "0.46", "93.9", "%", "-0.4", "99.2", "%"] in rows
    ink = model_input(rasterize(Glyph(image=picture(LINES["plus"])))[None], SIDE)
    probabilities = np.asarray(InferenceSession(file).run(["probabilities"], {"ink": ink})[0])
    assert probabilities.argmax() == list(LINES).index("plus")
    run(running, "models", "export", "shapes", tmp_path / "small.onnx", "--int8")
    done = haleganada("--server", running.address, "models", "export", "few-shot", tmp_path / "no.onnx")
    assert done.returncode == 5 and not (tmp_path / "no.onnx").exists()


def test_the_sdk(running: ServerProcess, tmp_path: Path) -> None:
    with running.client() as client:
        assert [model.model_id for model in client.models.list()][:2] == ["few-shot", GOOD]
        found = client.models.get("shapes")
        assert found.labels == ("cross", "plus") and found.test_accuracy is None and found.create_time is not None
        done = client.models.export("shapes", tmp_path / "m.onnx", "int8")
        assert done.sha256 == hashlib.sha256((tmp_path / "m.onnx").read_bytes()).hexdigest()
        assert done.file_name == f"tiny-cnn-{GOOD}.int8.onnx" and done.report and done.report.float32
        assert "tiny-cnn" in {preset.name for preset in client.models.presets()}
        answer = client.predict(picture(LINES["plus"]), model="shapes")
        assert answer.best is not None and answer.best.label == "plus"
        assert client.correct(answer.prediction_id, "+", workspace="default").predicted == "plus"
        refusals(client, tmp_path)


def refusals(client: HaleganadaClient, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="float32, int8"):
        client.models.export("shapes", tmp_path / "x", "float16")
    with pytest.raises(NotFound):
        client.models.activate("nothing")
    with pytest.raises(FailedPrecondition):
        client.models.delete("few-shot")
    assert not (tmp_path / "x").exists()


def test_delete(running: ServerProcess) -> None:
    wrong = haleganada("--server", running.address, "models", "delete", "twin", "--confirm", "shapes")
    assert wrong.returncode == 2 and "nothing was deleted" in wrong.stderr
    assert run(running, "models", "delete", "twin", "--confirm", "twin") == f"deleted twin ({TWIN})\n"
    assert TWIN not in run(running, "models", "--json")

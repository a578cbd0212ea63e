"""The JSON behind data sets, jobs and models, in front of a real server whose jobs learn nothing."""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from haleganada_client import HaleganadaClient
from haleganada_client.web import create_app
from haleganada_client.web.routes import slots
from haleganada_server.config import ServerConfig
from haleganada_server.runtime.processes.job_process import JobProcessRunner

from tests.conftest import run_server
from tests.support.jobs.datasets import crosses_and_bars
from tests.support.jobs.world import COMMAND
from tests.support.tiny_model import TinyModel, write_tiny_model
from tests.support.waiting import wait_until
from tests.unit.clients.web.conftest import client_of

BROWSER = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, weights_dir: Path) -> Iterator[FlaskClient]:
    """With a data set called “two”."""
    config = ServerConfig(tmp_path_factory.mktemp("data"), port=0, device="cpu", weights_dir=weights_dir)
    running = run_server(config, JobProcessRunner(COMMAND, {}))
    with HaleganadaClient(running.address, timeout_s=60) as client:
        application = client_of(create_app(client))
        letters(application, tmp_path_factory.mktemp("two"), "two")
        yield application
    running.stop()


def ask(web: FlaskClient, path: str, body: dict[str, Any] | None = None, status: int = 200) -> Any:
    answer = web.get(path) if body is None else web.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def send(web: FlaskClient, content: bytes, query: str, **headers: str) -> Any:
    """Upload a file as a browser does."""
    sent = {"Content-Length": str(len(content)), **headers}
    stream = io.BytesIO(content)
    kind = "application/octet-stream"
    return web.post(f"/page/datasets?{query}", input_stream=stream, content_type=kind, headers=sent)


def letters(web: FlaskClient, folder: Path, name: str = "letters") -> dict[str, Any]:
    """A data set of two labels."""
    query = f"file_name=two.npz&name={name}&test_share=0.25&seed=3"
    answer = send(web, crosses_and_bars(folder).read_bytes(), query)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.get_json()
    return made


def wait_for_end(web: FlaskClient, job_id: str) -> dict[str, Any]:
    """Return a job once it is over."""

    def over() -> dict[str, Any] | None:
        job: dict[str, Any] = ask(web, f"/page/jobs/{job_id}")
        return job if job["state"] in ("succeeded", "failed", "cancelled") else None

    return wait_until(over)


def train_model(web: FlaskClient, dataset: str, **more: Any) -> dict[str, Any]:
    wish = {
        "preset": "cnn36",
        "dataset": dataset,
        "name": "mine",
        "settings": {"epochs": 2, "batch_size": None},
        **more,
    }
    return wait_for_end(web, ask(web, "/page/jobs/training", wish)["job_id"])


def test_a_data_set_comes_and_goes(web: FlaskClient, tmp_path: Path) -> None:
    made = letters(web, tmp_path)
    assert made["name"] == "letters" and made["test"] == 6 and made["labels_total"] == 2
    assert [one["name"] for one in ask(web, "/page/datasets")] == ["letters", "two"]
    seen = ask(web, f"/page/datasets/{made['dataset_id']}")
    assert {label["label"] for label in seen["labels"]} == {"x", "l"} and seen["refused"] == []
    refused = ask(web, f"/page/datasets/{made['dataset_id']}/delete", {"confirm": "other"}, 400)
    assert refused["reason"] == "NOT_CONFIRMED"
    ask(web, f"/page/datasets/{made['dataset_id']}/delete", {"confirm": "letters"})
    assert [one["name"] for one in ask(web, "/page/datasets")] == ["two"]
    assert ask(web, f"/page/datasets/{made['dataset_id']}", status=404)["success"] is False


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("file_name=letters.rar", "file_name"),
        ("", "file_name"),
        ("file_name=a.zip&validation_share=half", "validation_share"),
        ("file_name=a.zip&seed=-1", "seed"),
        ("file_name=a.zip&split=somehow", "split"),
        ("file_name=../../etc/a.zip", ""),
        ("file_name=a.zip", ""),
    ],
)
def test_uploads_that_are_refused(web: FlaskClient, query: str, field: str) -> None:
    answer = send(web, b"no archive", query)
    assert answer.status_code == 400, answer.text
    refused = answer.get_json()
    assert refused["error"] and (not field or refused["field"] == field)
    assert [one["name"] for one in ask(web, "/page/datasets")] == ["two"]


def test_uploads_need_the_pages_token_and_no_form_sends_them(web: FlaskClient) -> None:
    assert send(web, b"x", "file_name=a.zip", **BROWSER).status_code == 403
    form = web.post("/page/datasets?file_name=a.zip", data={"file": (io.BytesIO(b"x"), "a.zip")})
    assert form.status_code == 415


def test_few_uploads_at_a_time(web: FlaskClient) -> None:
    places = web.application.extensions["haleganada_uploads"]
    for _ in range(slots.UPLOADS_AT_ONCE):
        places.acquire()
    answer = send(web, b"x", "file_name=a.zip")
    assert answer.status_code == 429 and answer.get_json()["reason"] == "TOO_MANY_UPLOADS"
    for _ in range(slots.UPLOADS_AT_ONCE):
        places.release()
    assert send(web, b"x", "file_name=a.zip").status_code == 400


def test_train_look_fetch_use_and_delete(web: FlaskClient) -> None:
    job = train_model(web, "two")
    assert job["state"] == "succeeded" and [epoch["epoch"] for epoch in job["training"]["epochs"]] == [1, 2]
    given = {name: value for name, value in job["training"]["requested_settings"].items() if value is not None}
    assert given == {"epochs": 2}  # what is null is the preset's
    file = web.get(f"/page/jobs/{job['job_id']}/files/training_history.json")
    assert file.data == b"{}" and "attachment" in file.headers["Content-Disposition"]
    assert web.get(f"/page/jobs/{job['job_id']}/files/job.json").status_code == 404
    assert [one["job_id"] for one in ask(web, "/page/jobs?limit=1")] == [job["job_id"]]

    names = {model["model_id"]: model["name"] for model in ask(web, "/page/models")}
    assert names[job["training"]["model_id"]] == "mine" and "few-shot" in names
    assert ask(web, f"/page/models/{job['training']['model_id']}")["labels"] and ask(web, "/page/models/active") is None
    ask(web, f"/page/models/{job['training']['model_id']}/delete", {"confirm": "yours"}, 400)
    ask(web, f"/page/models/{job['training']['model_id']}/delete", {"confirm": "mine"})
    assert ask(web, f"/page/models/{job['training']['model_id']}", status=404)["success"] is False


def test_measure(web: FlaskClient) -> None:
    asked = ask(web, "/page/jobs/evaluation", {"models": ["few-shot"], "dataset": "two"})
    job = wait_for_end(web, asked["job_id"])
    assert job["evaluation"]["result"]["models"][0]["accuracy"] == 0.75
    picture = web.get(f"/page/jobs/{job['job_id']}/files/confusion_matrix.png")
    assert picture.mimetype == "image/png" and len(picture.data) == 200_000
    assert "attachment" not in picture.headers["Content-Disposition"]


def test_a_page_among_a_jobs_files_is_only_saved(web: FlaskClient) -> None:
    mine = train_model(web, "two")["training"]["model_id"]
    asked = ask(web, "/page/jobs/evaluation", {"models": ["few-shot", mine], "dataset": "two"})
    job = wait_for_end(web, asked["job_id"])
    (name,) = job["evaluation"]["result"]["models"][0]["files"]
    page = web.get(f"/page/jobs/{job['job_id']}/files/{name}")
    assert name == "few-shot_confusion_matrix.html" and page.data == b"<script>alert(1)</script>"
    assert page.headers["Content-Disposition"] == f"attachment; filename={name}"
    assert page.mimetype == "application/octet-stream" and page.headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_cancel_and_fail(web: FlaskClient) -> None:
    long = {"preset": "cnn36", "dataset": "two", "settings": {"epochs": 10_000}}
    asked = ask(web, "/page/jobs/training", long)["job_id"]
    ask(web, f"/page/jobs/{asked}/cancel", {})
    assert wait_for_end(web, asked)["state"] == "cancelled"
    assert ask(web, f"/page/jobs/{asked}/delete", {}) == {"deleted": asked}
    ask(web, f"/page/jobs/{asked}", status=404)
    failed = train_model(web, "two", name="runs out of memory")
    assert (
        failed["state"] == "failed" and failed["error_reason"] == "OUT_OF_MEMORY" and "smaller batch" in failed["error"]
    )


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ([1], "settings"),
        ({"pace": 1}, "settings.pace"),
        ({"epochs": "2"}, "settings.epochs"),
        ({"epochs": True}, "settings.epochs"),
        ({"epochs": 2**40}, "settings.epochs"),
        ({"epochs": -1}, "settings.epochs"),
        ({"augment": 1}, "settings.augment"),
        ({"learning_rate": float("nan")}, "settings.learning_rate"),
        ({"optimizer": "sgd"}, "settings.optimizer"),
    ],
)
def test_settings_that_are_refused(web: FlaskClient, settings: Any, field: str) -> None:
    refused = ask(web, "/page/jobs/training", {"preset": "cnn36", "dataset": "two", "settings": settings}, 400)
    assert refused["field"] == field and refused["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("training", {"dataset": "two"}, 400),
        ("training", {"preset": "cnn37", "dataset": "two"}, 400),
        ("training", {"preset": "cnn36", "dataset": "nothing"}, 404),
        ("evaluation", {"models": "few-shot", "dataset": "two"}, 400),
        ("evaluation", {"models": [], "dataset": "two"}, 400),
        ("evaluation", {"models": ["few-shot"], "dataset": "two", "quick": "yes"}, 400),
        ("nothing/cancel", {}, 404),
        ("nothing/delete", {}, 404),
    ],
)
def test_jobs_that_are_refused(web: FlaskClient, path: str, body: dict[str, Any], status: int) -> None:
    assert ask(web, f"/page/jobs/{path}", body, status)["error"]


def test_a_workspace_chooses_and_exports(tmp_path: Path) -> None:
    drawing = np.zeros((128, 128), np.uint8)
    drawing[20:108, 58:70] = 255
    root = tmp_path / "data"
    (root / "models").mkdir(parents=True)
    write_tiny_model(tmp_path, TinyModel({"l": drawing, "-": drawing.T})).rename(root / "models" / "0123456789ab")
    running = run_server(ServerConfig(root, port=0, device="cpu"))
    with HaleganadaClient(running.address, timeout_s=60) as client:
        here = client_of(create_app(client))
        model = next(one for one in ask(here, "/page/models") if one["name"] == "tiny")["model_id"]
        assert ask(here, f"/page/models/{model}/activate", {})["active_in"] == ["default"]
        assert ask(here, "/page/models/active") == {"model_id": model, "name": "tiny", "online": None, "behind": False}
        found = ask(here, "/page/predict", {"ink": {"width": 9, "height": 9, "strokes": [{"x": [4, 4], "y": [1, 8]}]}})
        assert found["candidates"][0]["label"] == "l"
        assert ask(here, f"/page/models/{model}/delete", {"confirm": "tiny"}, 409)["error"]
        for precision in ("float32", "int8"):
            file = here.get(f"/page/models/{model}/export?precision={precision}")
            assert file.data[:2] == b"\x08\x08" and "onnx" in file.headers["Content-Disposition"]
        assert here.get(f"/page/models/{model}/export?precision=int4").status_code == 400
        ask(here, "/page/models/few-shot/activate", {})
        assert ask(here, "/page/models/active") is None
    running.stop()


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ([1], "online"),
        ({"pace": 1}, "online.pace"),
        ({"replay": "8"}, "online.replay"),
        ({"seed": 2**40}, "online.seed"),
    ],
)
def test_settings_of_networks_that_learn_along_that_are_refused(web: FlaskClient, settings: Any, field: str) -> None:
    refused = ask(web, "/page/models/cnn36/activate", {"online": settings}, 400)
    assert refused["field"] == field and refused["error"]


@pytest.mark.skipif(importlib.util.find_spec("torch") is not None, reason="torch is installed here")
def test_without_torch_nothing_learns_along(web: FlaskClient) -> None:
    refused = ask(web, "/page/models/cnn36/activate", {"online": {"replay": 8, "steps": None}}, 409)
    assert refused["reason"] == "TORCH_NOT_INSTALLED" and "pip install" in refused["error"]
    assert ask(web, "/page/models/active") is None


def test_a_page_of_its_own(web: FlaskClient) -> None:
    page = web.get("/models")
    assert page.status_code == 200 and 'id="view"' in page.text


def test_previews_say_what_is_missing(web: FlaskClient) -> None:
    refused = ask(web, "/page/datasets/two/preview?preset=cnn37", status=400)
    assert "cnn36" in refused["error"]
    assert ask(web, "/page/datasets/nothing/preview?preset=cnn36", status=404)["error"]

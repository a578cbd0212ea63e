"""The pictures of the page of models, for screenshots.py: a class's data set, a real training on it, its evaluation.

They need a server that can train, in an environment of its own: TRAIN_PYTHON, or .venv-train as `make test` makes it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from haleganada_client import HaleganadaClient, Job, TrainingSettings

from tests.e2e.browser import Page, browser, web
from tests.e2e.class_set import write_class_set
from tests.e2e.processes import ServerProcess, start_process

_HERE = Path(__file__).parents[2]
_PYTHON = Path(os.environ.get("TRAIN_PYTHON", _HERE / ".venv-train" / "bin" / "python"))
_NAME = "ಕನ್ನಡ ತರಗತಿ"
_WRITERS = 60
_EPOCHS = 15
_LONG_S = 1800.0
Shoot = Callable[[Page, str, str], None]


def missing() -> str:
    """Why there can be no pictures, "" if they can be made."""
    return "" if _PYTHON.exists() else f"{_PYTHON} is not there; make test makes it, or name one in TRAIN_PYTHON"


def shoot_models(shoot: Shoot) -> None:
    """Take all pictures. shoot(page, name, part): saves one."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(_server(data / "data"))
        client = stack.enter_context(running.client())
        page = stack.enter_context(browser(stack.enter_context(web(running.address)) + "/models"))
        path = write_class_set(data / "class.zip", _WRITERS)
        dataset = client.datasets.upload(path, name=_NAME).dataset_id
        _dataset(page, dataset, shoot)
        job = client.jobs.start_training("cnn36", dataset, name=_NAME, settings=TrainingSettings(epochs=_EPOCHS))
        _training(page, job, shoot)
        done = _end(client, job)
        _models(page, client, [done.model_id, "few-shot"], dataset, shoot)


@contextmanager
def _server(data: Path) -> Iterator[ServerProcess]:
    line = [str(_PYTHON), "-m", "haleganada_server", "serve", "--listen", "127.0.0.1:0", "--data", str(data)]
    running = start_process(line)
    try:
        yield running
    finally:
        running.kill()


def _dataset(page: Page, dataset: str, shoot: Shoot) -> None:
    page.open(width=1280, height=900, ratio=1.5)
    _go(page, f"dataset/{dataset}", ".uplot canvas")
    page.press("#preview")
    page.wait(lambda: page.all(".sheet img"), _LONG_S)
    shoot(page, "dataset", ".card")


def _training(page: Page, job: Job, shoot: Shoot) -> None:
    """Half-way through."""
    _go(page, "train", "#start-training")
    shoot(page, "train", ".card")
    _go(page, f"job/{job.job_id}", ".heading")
    page.wait(lambda: page.all(".numbers dd") and int(page.text(".numbers dd")) > _EPOCHS // 2, _LONG_S)
    shoot(page, "training", ".card")
    page.prefer("dark")
    _go(page, "jobs", ".jobs li")
    _go(page, f"job/{job.job_id}", ".uplot canvas")
    shoot(page, "training-dark", ".card")
    page.prefer("light")


def _models(page: Page, client: HaleganadaClient, models: list[str], dataset: str, shoot: Shoot) -> None:
    evaluation = _end(client, client.jobs.start_evaluation(models, dataset))
    page.open(width=1280, height=1300, ratio=1.5)
    _go(page, f"job/{evaluation.job_id}", ".report")
    shoot(page, "evaluation", "")
    page.run("for (const image of document.images) image.loading = 'eager'")
    page.wait(lambda: page.run("return [...document.images].every((image) => image.complete)"))
    shoot(page, "confusion", ".picture")
    client.models.activate(models[0])
    page.open(width=1280, height=620, ratio=1.5)
    _go(page, "models", "#use-few-shot")
    shoot(page, "models", "")
    page.open(width=390, height=844, ratio=2, mobile=True)
    _go(page, "models", "#use-few-shot")
    shoot(page, "models-phone", "")


def _go(page: Page, place: str, until: str) -> None:
    page.run("location.hash = arguments[0]", place)
    page.wait(lambda: page.all(until))


def _end(client: HaleganadaClient, job: Job) -> Job:
    last = job
    for now in client.jobs.watch(job.job_id):
        last = now
    if last.state.value != "succeeded":
        raise RuntimeError(last.error)
    return client.jobs.get(job.job_id)

"""The pictures of the page of models, for __main__.py: a class's data set, a real training on it, its evaluation.

They need a server that can train, see processes.training_server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from haleganada_client import HaleganadaClient, Ink, Job, OnlineSettings, Stroke, TrainingSettings

from tests.e2e.handwriting import letters, write_letter
from tests.e2e.processes import training_server
from tests.e2e.web.browser import Page, browser, web
from tests.e2e.web.pages.class_set import write_class_set

_NAME = "ಕನ್ನಡ ತರಗತಿ"
_WRITERS = 60
_EPOCHS = 15
_HANDS = 4
_REPLAY = 16
_LONG_S = 1800.0
Shoot = Callable[[Page, str, str], None]


def shoot_models(shoot: Shoot) -> None:
    """Take all pictures. shoot(page, name, part): saves one."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = stack.enter_context(training_server(data / "data"))
        client = stack.enter_context(running.client())
        page = stack.enter_context(browser(stack.enter_context(web(running.address)) + "/models"))
        path = write_class_set(data / "class.zip", _WRITERS)
        dataset = client.datasets.upload(path, name=_NAME).dataset_id
        _dataset(page, dataset, shoot)
        job = client.jobs.start_training("cnn36", dataset, name=_NAME, settings=TrainingSettings(epochs=_EPOCHS))
        _training(page, job, shoot)
        training = _end(client, job).training
        assert training is not None
        _models(page, client, [training.model_id, "few-shot"], dataset, shoot)
        _online_learning(page, client, training.model_id, shoot)


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
    page.open(width=1280, height=700, ratio=1.5)
    _go(page, "models", "#use-few-shot")
    shoot(page, "models", "")
    page.open(width=390, height=844, ratio=2, mobile=True)
    _go(page, "models", "#use-few-shot")
    shoot(page, "models-phone", "")
    client.models.activate("few-shot")


def _online_learning(page: Page, client: HaleganadaClient, model: str, shoot: Shoot) -> None:
    """Half-way through what a class has taught."""
    order = [(letter, hand) for hand in range(_HANDS) for letter in letters()]
    for letter, hand in order:
        strokes = [Stroke(*zip(*points, strict=True)) for points in write_letter(letter, hand)]
        client.train(Ink(tuple(strokes), 1, 1, 0.035), letter)
    client.models.activate(model, online=OnlineSettings(replay=_REPLAY))
    page.open(width=1280, height=780, ratio=1.5)
    _go(page, "models", ".learning")
    page.press(".learn-online summary")
    page.wait(lambda: _share_learned(client) > 0.5, _LONG_S)
    shoot(page, "online-learning", "")
    client.models.activate("few-shot")


def _share_learned(client: HaleganadaClient) -> float:
    online = client.get_workspace().online
    return online.samples_learned / max(1, online.samples_learned + online.samples_left) if online else 0


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

"""How long a workspace's own network takes through the API: python -m tests.bench.models.online_serving [--python P].

The server is a process of its own; what learns is a third one. The ResNet-50 has random weights from a file, which
takes as long as ImageNet's. Drawings are the synthetic strokes of the speed benchmark.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient, Ink, OnlineSettings
from haleganada_server.training.online.initial_model import fixed_seed
from safetensors.torch import save_file

from tests.bench.drawings import LABELS, strokes
from tests.bench.models.online_recipes import timed
from tests.bench.table import Table
from tests.e2e.processes import start_process

TAUGHT = 20
LEARNED = 8
ASKED = 40
WAIT_S = 60.0
PAUSE_S = 0.25  # of who teaches while others ask


class Trial:
    """One way of learning in a workspace of its own."""

    def __init__(self, client: HaleganadaClient, name: str) -> None:
        self._client, self._workspace = client, name
        client.create_workspace(name)

    def started(self, network: str, replay: int) -> float:
        """Seconds until the network is there."""
        settings = OnlineSettings(replay=replay)
        return timed(lambda: self._client.models.activate(network, workspace=self._workspace, online=settings))

    def acknowledged(self) -> list[float]:
        """Seconds until each drawing is on disk, one after another, whatever the network does meanwhile."""
        return [timed(self._teach, i, 0.0) for i in range(TAUGHT)]

    def learned(self) -> list[float]:
        """Seconds until a drawing is learned, one at a time; nothing where no network learns along."""
        while (online := self._client.get_workspace(self._workspace).online) and online.samples_left:
            time.sleep(0.1)
        return [timed(self._teach, TAUGHT + i, WAIT_S) for i in range(LEARNED)] if online else []

    def answered(self) -> list[float]:
        """Seconds for a prediction."""
        return [
            timed(lambda i=i: self._client.predict(_drawn(1000 + i), workspace=self._workspace)) for i in range(ASKED)
        ]

    def answered_while_learning(self) -> list[float]:
        """The same while drawings are taught and learned all the time."""
        over = threading.Event()

        def teach() -> None:
            number = 2 * TAUGHT
            while not over.is_set():
                self._teach(number, WAIT_S)
                number += 1
                over.wait(PAUSE_S)

        teacher = threading.Thread(target=teach)
        teacher.start()
        try:
            return self.answered()
        finally:
            over.set()
            teacher.join()

    def _teach(self, number: int, wait_s: float) -> None:
        label = LABELS[number % len(LABELS)]
        self._client.train(_drawn(number), label, wait_learned_s=wait_s, workspace=self._workspace)


def _drawn(number: int) -> Ink:
    return strokes(LABELS[number % len(LABELS)], number)


def measure(client: HaleganadaClient) -> Table:
    """A row for each way of learning."""
    columns = (
        "answers",
        "replay",
        "started",
        "acknowledged",
        "learned",
        "predicted",
        "predicted while it learns (p50 / p99)",
    )
    out = Table(f"Through the API: {TAUGHT} drawings of {len(LABELS)} labels, medians", columns)
    for network, replay in (
        ("", 0),
        ("cnn36", 0),
        ("cnn36", 32),
        ("resnet50-transformer", 0),
        ("resnet50-transformer", 32),
    ):
        trial = Trial(client, f"{network or 'few-shot'} {replay}")
        started = f"{trial.started(network, replay):.1f} s" if network else ""
        acknowledged, learned, idle = trial.acknowledged(), trial.learned(), trial.answered()
        busy = trial.answered_while_learning()
        out.add(
            network or "few-shot", str(replay) if network else "", started, _ms(acknowledged, 50),
            _ms(learned, 50) if learned else "at once", _ms(idle, 50), f"{_ms(busy, 50)} / {_ms(busy, 99)}",
        )  # fmt: skip
        print(out.markdown().splitlines()[-1], flush=True)
        client.models.activate("few-shot", workspace=f"{network or 'few-shot'} {replay}")
    return out


def _ms(seconds: list[float], percentile: float) -> str:
    return f"{1000 * float(np.percentile(seconds, percentile)):.1f} ms"


def random_backbone(path: Path) -> None:
    """A ResNet-50 as torchvision stores it, untrained."""
    from torchvision.models import resnet50

    with fixed_seed(0):
        save_file(resnet50().state_dict(), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="what runs the server, with the train extra")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        random_backbone(Path(folder) / "resnet50.safetensors")
        line = [
            options.python,
            "-m",
            "haleganada_server",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--data",
            f"{folder}/data",
        ]
        running = start_process([*line, "--backbone-weights", f"{folder}/resnet50.safetensors"])
        try:
            with running.client() as client:
                print("\n" + measure(client).markdown())
        finally:
            running.stop()


if __name__ == "__main__":
    main()

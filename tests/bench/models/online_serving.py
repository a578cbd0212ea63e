"""Latency of online learning through the API: python -m tests.bench.models.online_serving [--python P].

The server is a process of its own, and so is the learner. The ResNet-50 has random weights from a file, which takes as
long as ImageNet's. Drawings are the synthetic strokes of the speed benchmark.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

from haleganada_client import HaleganadaClient, Ink, OnlineSettings
from haleganada_server.training.online.initial_model import fix_seed
from safetensors.torch import save_file

from tests.bench.drawings import LABELS, strokes
from tests.bench.models.online_recipes import measure_seconds
from tests.bench.table import Table, format_quantile
from tests.e2e.processes import start_process

TAUGHT = 20
LEARNED = 8
PREDICTIONS = 40
WAIT_S = 60.0
PAUSE_S = 0.25  # between lessons while others predict


class Trial:
    """One recipe in a workspace of its own."""

    def __init__(self, client: HaleganadaClient, name: str) -> None:
        self._client, self._workspace = client, name
        client.create_workspace(name)

    def activate(self, network: str, replay: int) -> float:
        """Activate the network; return the seconds until it is ready."""
        settings = OnlineSettings(replay=replay)
        return measure_seconds(
            lambda: self._client.models.activate(network, workspace=self._workspace, online=settings)
        )

    def teach_all(self) -> list[float]:
        """Teach drawings one by one; return the seconds until each is on disk, learned or not."""
        return [measure_seconds(self._teach, i, 0.0) for i in range(TAUGHT)]

    def learn(self) -> list[float]:
        """Teach drawings one by one; return the seconds until each is learned, nothing if no network learns online."""
        while (online := self._client.get_workspace(self._workspace).online) and online.samples_left:
            time.sleep(0.1)
        return [measure_seconds(self._teach, TAUGHT + i, WAIT_S) for i in range(LEARNED)] if online else []

    def predict(self) -> list[float]:
        """Return the seconds of each prediction."""
        return [
            measure_seconds(lambda i=i: self._client.predict(_draw(1000 + i), workspace=self._workspace))
            for i in range(PREDICTIONS)
        ]

    def predict_while_learning(self) -> list[float]:
        """Return the seconds of each prediction while drawings are taught and learned all the time."""
        done = threading.Event()

        def teach() -> None:
            number = 2 * TAUGHT
            while not done.is_set():
                self._teach(number, WAIT_S)
                number += 1
                done.wait(PAUSE_S)

        teacher = threading.Thread(target=teach)
        teacher.start()
        try:
            return self.predict()
        finally:
            done.set()
            teacher.join()

    def _teach(self, number: int, wait_s: float) -> None:
        label = LABELS[number % len(LABELS)]
        self._client.train(_draw(number), label, wait_learned_s=wait_s, workspace=self._workspace)


def _draw(number: int) -> Ink:
    return strokes(LABELS[number % len(LABELS)], number)


def measure(client: HaleganadaClient) -> Table:
    """Return a table with a row for each recipe."""
    columns = (
        "network",
        "replay",
        "activation",
        "Train, on disk",
        "Train, learned",
        "Predict",
        "Predict while learning, p50 / p99",
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
        activation = f"{trial.activate(network, replay):.1f} s" if network else ""
        on_disk, learned, idle = trial.teach_all(), trial.learn(), trial.predict()
        busy = trial.predict_while_learning()
        out.add(
            network or "few-shot",
            str(replay) if network else "",
            activation,
            format_quantile(on_disk, 0.5),
            format_quantile(learned, 0.5) if learned else "at once",
            format_quantile(idle, 0.5),
            " / ".join(format_quantile(busy, share) for share in (0.5, 0.99)),
        )
        print(out.markdown().splitlines()[-1], flush=True)
        client.models.activate("few-shot", workspace=f"{network or 'few-shot'} {replay}")
    return out


def write_random_backbone(path: Path) -> None:
    """Write an untrained ResNet-50 as torchvision stores it."""
    from torchvision.models import resnet50

    with fix_seed(0):
        save_file(resnet50().state_dict(), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="Python with the train extra that runs the server")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_random_backbone(Path(folder) / "resnet50.safetensors")
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

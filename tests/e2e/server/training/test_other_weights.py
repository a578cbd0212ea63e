"""A server that starts with other weights than its workspaces were taught with: it serves at once, and ends up as if
they had been taught with the new ones.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from haleganada_client import HaleganadaClient
from haleganada_client.types import Ink, Lesson, Stroke
from haleganada_server.runtime.weights import CARD, HEAD, SAFETENSORS
from safetensors.numpy import load_file, save_file

from tests.e2e.handwriting import letters, write_letter
from tests.e2e.processes import ServerProcess, server, start_server
from tests.support.waiting import wait_until

LABELS = letters()[:20]


@pytest.fixture
def other_weights(weights_dir: Path, tmp_path: Path) -> Path:
    """The shipped ones under another hash, with a head of its own: the same network after “pre-training” that ended
    elsewhere.
    """
    folder = shutil.copytree(weights_dir, tmp_path / "weights")
    tensors = load_file(folder / HEAD)
    save_file({**tensors, "between": tensors["between"] * np.float32(0.8)}, folder / HEAD)
    network = (folder / SAFETENSORS).read_bytes()
    told = network.replace(b'"format":"pt"', b'"format":"PT"', 1)  # as long, because the graph knows where matrices lie
    assert told != network
    (folder / SAFETENSORS).write_bytes(told)
    card = json.loads((folder / CARD).read_text())
    for name in (HEAD, SAFETENSORS):
        card["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / CARD).write_text(json.dumps(card))
    return folder


def drawing(label: str, hand: int) -> Ink:
    strokes = write_letter(label, hand, side=280)
    return Ink(tuple(Stroke(tuple(x for x, _ in s), tuple(y for _, y in s)) for s in strokes), 280, 280, 12)


def teach(client: HaleganadaClient, hands: int) -> None:
    """One drawing of each label by each hand, a hand to a commit."""
    for hand in range(hands):
        client.train_batch([Lesson(drawing(label, hand), label) for label in LABELS])


def wait_until_embedded(client: HaleganadaClient, most: int = 0) -> int:
    """Wait until so few samples are still to be embedded anew; return how many they are then."""

    def count_left() -> int:
        return client.get_workspace().samples_to_embed

    wait_until(lambda: count_left() <= most)
    return count_left()


def probabilities(client: HaleganadaClient) -> dict[str, dict[str, float]]:
    """Of every label, for a drawing of each by an unseen hand, once the head has adapted."""
    found, revision = {}, client.get_workspace().revision
    for label in LABELS:
        candidates = client.predict(drawing(label, 1000), top_k=len(LABELS), min_revision=revision).candidates
        found[label] = {candidate.label: candidate.probability for candidate in candidates}
    return found


def assert_taught_anew(client: HaleganadaClient, weights: Path, data: Path, hands: int) -> None:
    """The same probabilities as a server gives that was taught with these weights."""
    with server(data, "--weights", str(weights)) as fresh, fresh.client() as reference:
        teach(reference, hands)
        expected = probabilities(reference)
    for label, found in probabilities(client).items():
        assert max(found, key=found.__getitem__) == label
        assert found == pytest.approx(expected[label], abs=1e-9)


@pytest.mark.slow
def test_other_weights(tmp_path: Path, other_weights: Path) -> None:
    data, hands = tmp_path / "data", 10
    with server(data) as running, running.client() as client:
        teach(client, hands)
        former = client.get_workspace()
        assert former.samples_to_embed == 0
        assert running.stop() == 0
    with server(data, "--weights", str(other_weights)) as running, running.client() as client:
        now = client.get_workspace()
        assert now.embedder_hash != former.embedder_hash and now.samples_total == len(LABELS) * hands
        learned = client.train(drawing(LABELS[0], 500), LABELS[0])  # whatever is still to be embedded
        client.forget(learned.sample_id)
        wait_until_embedded(client)
        assert client.stats().samples_to_embed == 0
        assert client.get_workspace().revision == former.revision + 2
        assert_taught_anew(client, other_weights, tmp_path / "fresh", hands)


@pytest.mark.slow
def test_killed_and_stopped_in_the_middle(tmp_path: Path, other_weights: Path) -> None:
    data, hands = tmp_path / "data", 30
    with server(data) as running, running.client() as client:
        teach(client, hands)
        assert running.stop() == 0
    total, left = len(LABELS) * hands, len(LABELS) * hands
    for share, end in ((0.75, ServerProcess.kill), (0.5, ServerProcess.stop), (0.25, ServerProcess.kill)):
        running = start_server(data, "--weights", str(other_weights))
        with running.client() as client:
            assert client.get_workspace().samples_to_embed <= left, "what was done is done"
            left = wait_until_embedded(client, most=int(share * total))
            assert not end(running), "stopping gives 0"
        assert left > 0, "this machine is too quick for the test to kill the server in the middle"
    with server(data, "--weights", str(other_weights)) as running, running.client() as client:
        assert client.get_workspace().samples_to_embed <= left
        wait_until_embedded(client)
        assert client.get_workspace().samples_total == total
        assert_taught_anew(client, other_weights, tmp_path / "fresh", hands)
        assert running.stop() == 0

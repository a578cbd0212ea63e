"""`haleganada up --starter`: digits and small letters at once, as often as one likes, and whatever else is taught."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from haleganada_client import FailedPrecondition, HaleganadaClient, Ink, Stroke
from haleganada_client.starter import LABELS

from tests.e2e.cli.test_up import up
from tests.e2e.processes import server
from tests.support.slow import slow

Line = list[tuple[float, float]]
DRAWN: dict[str, list[Line]] = {
    "7": [[(60, 50), (200, 50), (110, 230)]],
    "4": [[(150, 40), (60, 160), (210, 160)], [(165, 100), (165, 240)]],
    "z": [[(70, 70), (200, 70), (70, 220), (205, 220)]],
    "x": [[(70, 60), (200, 220)], [(200, 60), (70, 220)]],
    "t": [[(140, 40), (140, 225)], [(85, 100), (195, 100)]],
}


def ink(lines: list[Line]) -> Ink:
    return Ink(tuple(Stroke(tuple(x for x, _ in line), tuple(y for _, y in line)) for line in lines), 280, 280, 12)


def answers(client: HaleganadaClient, workspace: str) -> dict[str, str]:
    """What each of DRAWN is taken for."""
    found = {drawn: client.predict(ink(lines), workspace=workspace) for drawn, lines in DRAWN.items()}
    return {drawn: prediction.candidates[0].label for drawn, prediction in found.items()}


def count_taught(client: HaleganadaClient, workspace: str) -> Counter[str]:
    """Return how many drawings of each label are known."""
    return Counter({label.label: label.samples for label in client.stats(workspace=workspace).labels})


@pytest.mark.parametrize("workspace", ["my letters", *slow("default")])
def test_letters_at_once_and_nothing_lost(tmp_path: Path, workspace: str) -> None:
    starter = Counter(dict.fromkeys(LABELS, 4))
    shared = ("--workspace", workspace)
    with up(tmp_path / "data", *shared, "--json", flags=("--starter",)) as running:
        assert json.loads(running.line)["starter"] == {"taught": 144, "duplicates": 0}
        with HaleganadaClient(running.server) as client:
            assert count_taught(client, workspace) == starter
            assert answers(client, workspace) == {label: label for label in DRAWN}
            asked = client.predict(ink([[(40, 200), (90, 60), (140, 200), (190, 60), (240, 200)]]), workspace=workspace)
            client.correct(asked.prediction_id, "ಅ", workspace=workspace)
            assert count_taught(client, workspace) == starter + Counter({"ಅ": 1})
            assert answers(client, workspace) == {label: label for label in DRAWN}
            doomed = next(sample for sample in client.iter_samples(workspace=workspace) if sample.label == "7")
            client.forget(doomed.sample_id, workspace=workspace)
    with up(tmp_path / "data", *shared, flags=("--starter",)) as again:  # what was forgotten comes back
        assert "1 drawings taught, 143 already known" in again.line
        with HaleganadaClient(again.server) as client:
            assert count_taught(client, workspace) == starter + Counter({"ಅ": 1})


def test_the_model_that_came_along_answers(tmp_path: Path) -> None:
    """Nothing is taught; after “few-shot” is chosen again, only what was corrected is known."""
    with server(tmp_path / "data") as running, running.client() as client:
        shipped = client.models.get("starter")
        assert shipped.labels == LABELS and (shipped.test_accuracy or 0) > 0.85
        client.models.activate("starter")
        assert answers(client, "default") == {label: label for label in DRAWN}
        with pytest.raises(FailedPrecondition):
            client.models.delete("starter")
        asked = client.predict(ink(DRAWN["7"]))
        assert client.correct(asked.prediction_id, "ೱ").predicted == "7"
        client.models.activate("few-shot")
        assert set(count_taught(client, "default")) == {"ೱ"}

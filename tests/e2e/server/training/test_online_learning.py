"""A real network that learns online, in a server with torch: from the first drawing to a server that is killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from haleganada_client import HaleganadaClient, OnlineSettings, OnlineStatus, Prediction

from tests.e2e.cli.command_line import haleganada
from tests.e2e.processes import missing_torch, training_server, zigzag
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(bool(missing_torch()), reason=missing_torch())
CHARACTERS, HANDS = range(4), range(3)
LONG_S = 120.0


def along(client: HaleganadaClient) -> OnlineStatus:
    found = client.get_workspace().online
    assert found is not None and not found.error, found
    return found


def until(client: HaleganadaClient, true: Callable[[OnlineStatus], bool]) -> OnlineStatus:
    """Return its state once something is true of it."""

    def found() -> OnlineStatus | None:
        now = along(client)
        return now if true(now) else None

    return wait_until(found, LONG_S)


def knows_all(client: HaleganadaClient) -> OnlineStatus:
    revision = client.get_workspace().revision
    return until(client, lambda now: now.revision == revision and now.samples_left == 0)


def answers(client: HaleganadaClient) -> list[Prediction]:
    return [client.predict(zigzag(character, hand=9)) for character in CHARACTERS]


def same(one: list[Prediction], other: list[Prediction]) -> bool:
    """Whether the network answered the same: what it knows depends on what was taught alone."""
    return all(
        list(beliefs(first)) == list(beliefs(second)) and beliefs(first) == pytest.approx(beliefs(second), rel=1e-6)
        for first, second in zip(one, other, strict=True)
    )


def beliefs(answer: Prediction) -> dict[str, float]:
    """The probabilities of a drawing that has one of the labels: whether it has, the head says, which adapts."""
    return {c.label: c.probability / (1 - answer.unknown_probability) for c in answer.candidates}


def teach(client: HaleganadaClient) -> None:
    for hand in HANDS:
        for character in CHARACTERS:
            client.train(zigzag(character, hand), f"z{character}")


@pytest.mark.slow
def test_from_the_first_drawing_to_a_server_that_is_killed(tmp_path: Path) -> None:
    with training_server(tmp_path) as running, running.client() as client:
        teach(client)
        begun = client.models.activate("cnn36", online=OnlineSettings(replay=8))
        assert begun.start == "cnn36" and client.predict(zigzag(0)).model == "few-shot"
        taught = client.train(zigzag(0, hand=5), "z0", wait_learned_s=60)
        assert taught.learned
        found = answers(client)
        assert {answer.model for answer in found} == {"online"}
        assert [answer.best.label for answer in found if answer.best] == [f"z{character}" for character in CHARACTERS]
        before = knows_all(client)
        running.kill()
    with training_server(tmp_path) as running, running.client() as client:
        until(client, lambda now: now.revision is not None)
        after = knows_all(client)
        assert (after.samples_learned, after.labels_known) == (before.samples_learned, before.labels_known)
        assert same(found, answers(client))


@pytest.mark.slow
def test_after_a_restart_the_network_answers_at_once(tmp_path: Path) -> None:
    with training_server(tmp_path) as running, running.client() as client:
        teach(client)
        client.models.activate("cnn36", online=OnlineSettings(replay=8))
        before = knows_all(client)
        found = answers(client)
        running.stop()
    with training_server(tmp_path) as running, running.client() as client:
        assert along(client).revision == before.revision, "what was saved counts before its process is there"
        at_once = answers(client)
        assert {answer.model for answer in at_once} == {"online"}
        for one, other in zip(at_once, found, strict=True):
            assert list(beliefs(one)) == list(beliefs(other))
            assert beliefs(one) == pytest.approx(beliefs(other), abs=0.01)
        client.train(zigzag(0, hand=6), "z0")
        assert answers(client)[0].model == "online", "what it has learned is still taught"


@pytest.mark.slow
def test_what_is_forgotten_leaves_no_trace(tmp_path: Path) -> None:
    with training_server(tmp_path) as running, running.client() as client:
        teach(client)
        client.models.activate("starter", online=OnlineSettings(replay=8, steps=2))
        knows_all(client)
        without = answers(client)
        wrong = client.train(zigzag(0, hand=5), "something else", wait_learned_s=60)
        assert wrong.learned and knows_all(client).labels_known == 36 + len(CHARACTERS) + 1
        client.forget(wrong.sample_id)
        knows_all(client)
        assert same(without, answers(client))
        assert "few-shot" in haleganada("--server", running.address, "models", "use", "few-shot").stdout
        assert not list((tmp_path / "online").iterdir())

"""Accuracy through the API of a running server: Kannada by taught samples, teaching in batches or one by one, and
finding mislabeled samples.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.types import Prediction
from numpy.typing import NDArray
from PIL import Image

from tests.bench.accuracy.sets import Handwriting, Rows, load_kannada
from tests.bench.table import Table

BATCH = 256
SHOTS = (1, 2, 5, 10)
TARGETS = {1: "≥ 65 %", 2: "≥ 75 %", 5: "≥ 87 %", 10: "≥ 91 %"}
FIRST_LABELS = 50
SWAPPED = 0.02


def encode_png(ink: NDArray[np.uint8]) -> bytes:
    """Encode ink as PNG, black on white like a scan."""
    buffer = io.BytesIO()
    Image.fromarray(255 - ink).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def measure(client: HaleganadaClient, data: Path) -> list[Table]:
    """Return three tables."""
    handwriting = load_kannada(data)
    return [
        _measure_by_shots(client, handwriting),
        _compare_batches(client, handwriting),
        _find_mislabels(client, handwriting),
    ]


def _measure_by_shots(client: HaleganadaClient, handwriting: Handwriting) -> Table:
    out = Table("657 Kannada aksharas through the API, other writers", ("shots", "top-1", "top-5", "target top-1", "n"))
    for shots in SHOTS:
        workspace = f"kannada {shots}"
        taught, _ = handwriting.split(shots, 0)
        tested = handwriting.others(taught)
        client.create_workspace(workspace)
        _teach(client, workspace, handwriting, taught, handwriting.labels)
        ranks = np.array(_rank_labels(client, workspace, handwriting, tested))
        shares = [f"{100 * (ranks < k).mean():.1f} %" for k in (1, 5)]
        out.add(str(shots), *shares, TARGETS[shots], f"{len(tested):,}")
    return out


def _compare_batches(client: HaleganadaClient, handwriting: Handwriting) -> Table:
    """Compare teaching in batches with one call for each drawing in reverse order."""
    taught, tested = handwriting.split(1, 1)
    first = tested[handwriting.labels[tested] < FIRST_LABELS]
    answers = []
    for workspace, size, rows in (("batches", BATCH, taught), ("one by one", 1, taught[::-1])):
        client.create_workspace(workspace)
        _teach(client, workspace, handwriting, rows, handwriting.labels, size)
        answers.append(_predict(client, workspace, handwriting, first))
    same = sum(_normalize(a) == _normalize(b) for a, b in zip(*answers, strict=True))
    labels = [handwriting.names[handwriting.labels[i]] for i in first]
    accuracy = [np.mean([_rank(x, label) == 0 for x, label in zip(a, labels, strict=True)]) for a in answers]
    out = Table(f"The first {FIRST_LABELS} of 657 taught labels", ("", "batches", "one by one", "n"))
    out.add("top-1", *(f"{100 * share:.1f} %" for share in accuracy), str(len(first)))
    out.add("equal candidates and probabilities", "", f"{same}", str(len(first)))
    return out


def _find_mislabels(client: HaleganadaClient, handwriting: Handwriting) -> Table:
    """Plant wrong labels in 2 % of the samples of five writers and look for them among the suspects."""
    rng = np.random.default_rng(0)
    taught, _ = handwriting.split(5, 2)
    swapped = rng.permutation(taught)[: round(SWAPPED * len(taught))]
    labels = handwriting.labels.copy()
    labels[swapped] = labels[rng.permutation(taught)[: len(swapped)]]
    planted = {int(row) for row in swapped if labels[row] != handwriting.labels[row]}
    client.create_workspace("mislabels")
    ids = _teach(client, "mislabels", handwriting, taught, labels)
    row_of = dict(zip(ids, taught, strict=True))
    suspects = [int(row_of[s.sample_id]) for s in client.stats(find_suspects=True, workspace="mislabels").suspects]
    hits = [row in planted for row in suspects]
    out = Table("Mislabels planted in 2 % of 5 x 657 samples", ("", "", "n"))
    out.add("precision of all suspects", _percent(hits), str(len(suspects)))
    out.add("precision of the first 20", _percent(hits[:20]), str(len(hits[:20])))
    out.add("recall of planted mislabels", f"{100 * sum(hits) / len(planted):.0f} %", str(len(planted)))
    return out


def _percent(hits: list[bool]) -> str:
    return f"{100 * np.mean(hits):.0f} %" if hits else "no suspects"


def _teach(
    client: HaleganadaClient,
    workspace: str,
    handwriting: Handwriting,
    rows: Rows,
    labels: NDArray[np.int64],
    size: int = BATCH,
) -> list[int]:
    """Teach rows and return their sample ids in the same order."""
    ids = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        items = [(encode_png(handwriting.drawings[i]), handwriting.names[labels[i]], "", "") for i in part]
        ids += [taught.sample_id for taught in client.train_batch(items, workspace=workspace)]  # type: ignore[union-attr]
    return ids


def _predict(client: HaleganadaClient, workspace: str, handwriting: Handwriting, rows: Rows) -> list[object]:
    answers: list[object] = []
    for start in range(0, len(rows), BATCH):
        images = [encode_png(handwriting.drawings[i]) for i in rows[start : start + BATCH]]
        answers += client.predict_batch(images, top_k=5, workspace=workspace)
    return answers


def _rank_labels(client: HaleganadaClient, workspace: str, handwriting: Handwriting, rows: Rows) -> list[int]:
    answers = _predict(client, workspace, handwriting, rows)
    return [_rank(answer, handwriting.names[handwriting.labels[i]]) for answer, i in zip(answers, rows, strict=True)]


def _rank(answer: object, label: str) -> int:
    if not isinstance(answer, Prediction):
        return 99  # rejected, which counts as wrong
    return next((i for i, candidate in enumerate(answer.candidates) if candidate.label == label), 99)


def _normalize(answer: object) -> object:
    """Return the content of a prediction without its id."""
    if not isinstance(answer, Prediction):
        return str(answer)
    return [(c.label, round(c.probability, 9)) for c in answer.candidates], round(answer.unknown_probability, 9)

"""What is measured through the API of a running server: Kannada by taught samples, teaching one after another, and
finding samples that were taught with a wrong label.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.types import Prediction
from numpy.typing import NDArray
from PIL import Image

from tests.bench.accuracy.sets import Handwriting, Rows, kannada
from tests.bench.table import Table

BATCH = 256
SHOTS = (1, 2, 5, 10)
TARGETS = {1: "≥ 65 %", 2: "≥ 75 %", 5: "≥ 87 %", 10: "≥ 91 %"}
FIRST_LABELS = 50
SWAPPED = 0.02


def png(ink: NDArray[np.uint8]) -> bytes:
    """Black on white, as a scanner would give it."""
    buffer = io.BytesIO()
    Image.fromarray(255 - ink).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def measure(client: HaleganadaClient, data: Path) -> list[Table]:
    """Three tables."""
    drawn = kannada(data)
    return [_by_shots(client, drawn), _one_after_another(client, drawn), _mislabels(client, drawn)]


def _by_shots(client: HaleganadaClient, drawn: Handwriting) -> Table:
    out = Table(
        "657 Kannada aksharas through the API, other writers", ("taught", "top-1", "top-5", "target top-1", "n")
    )
    for shots in SHOTS:
        workspace = f"kannada {shots}"
        taught, _ = drawn.split(shots, 0)
        tested = drawn.others(taught)
        client.create_workspace(workspace)
        _teach(client, workspace, drawn, taught, drawn.labels)
        ranks = np.array(_ranks(client, workspace, drawn, tested))
        shares = [f"{100 * (ranks < k).mean():.1f} %" for k in (1, 5)]
        out.add(str(shots), *shares, TARGETS[shots], f"{len(tested):,}")
    return out


def _one_after_another(client: HaleganadaClient, drawn: Handwriting) -> Table:
    """All labels in one batch after another, against one call for each drawing in another order."""
    taught, tested = drawn.split(1, 1)
    first = tested[drawn.labels[tested] < FIRST_LABELS]
    answers = []
    for workspace, size, rows in (("at once", BATCH, taught), ("one by one", 1, taught[::-1])):
        client.create_workspace(workspace)
        _teach(client, workspace, drawn, rows, drawn.labels, size)
        answers.append(_predict(client, workspace, drawn, first))
    same = sum(_told(a) == _told(b) for a, b in zip(*answers, strict=True))
    right = [np.mean([_rank(x, drawn.names[drawn.labels[i]]) == 0 for x, i in zip(a, first, strict=True)])
             for a in answers]  # fmt: skip
    out = Table(f"The first {FIRST_LABELS} labels, after 657 were taught", ("", "at once", "one by one", "n"))
    out.add("top-1", *(f"{100 * share:.1f} %" for share in right), str(len(first)))
    out.add("answers with the same candidates and probabilities", "", f"{same}", str(len(first)))
    return out


def _mislabels(client: HaleganadaClient, drawn: Handwriting) -> Table:
    """Every fiftieth of five writers' samples gets the label of another character."""
    rng = np.random.default_rng(0)
    taught, _ = drawn.split(5, 2)
    swapped = rng.permutation(taught)[: round(SWAPPED * len(taught))]
    labels = drawn.labels.copy()
    labels[swapped] = labels[rng.permutation(taught)[: len(swapped)]]
    planted = {int(row) for row in swapped if labels[row] != drawn.labels[row]}
    client.create_workspace("mislabels")
    ids = _teach(client, "mislabels", drawn, taught, labels)
    row_of = dict(zip(ids, taught, strict=True))
    found = [int(row_of[s.sample_id]) for s in client.stats(find_suspects=True, workspace="mislabels").suspects]
    hits = [row in planted for row in found]
    out = Table("Planted mislabels: 2 % of 5 x 657 samples", ("", "", "n"))
    out.add("precision among the suspects shown", _percent(hits), str(len(found)))
    out.add("precision among the first 20", _percent(hits[:20]), str(len(hits[:20])))
    out.add("recall, of all that were planted", f"{100 * sum(hits) / len(planted):.0f} %", str(len(planted)))
    return out


def _percent(hits: list[bool]) -> str:
    return f"{100 * np.mean(hits):.0f} %" if hits else "none shown"


def _teach(
    client: HaleganadaClient,
    workspace: str,
    drawn: Handwriting,
    rows: Rows,
    labels: NDArray[np.int64],
    size: int = BATCH,
) -> list[int]:
    """Sample ids, in the order of rows."""
    ids = []
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        items = [(png(drawn.drawings[i]), drawn.names[labels[i]], "", "") for i in part]
        ids += [taught.sample_id for taught in client.train_batch(items, workspace=workspace)]  # type: ignore[union-attr]
    return ids


def _predict(client: HaleganadaClient, workspace: str, drawn: Handwriting, rows: Rows) -> list[object]:
    answers: list[object] = []
    for start in range(0, len(rows), BATCH):
        pictures = [png(drawn.drawings[i]) for i in rows[start : start + BATCH]]
        answers += client.predict_batch(pictures, top_k=5, workspace=workspace)
    return answers


def _ranks(client: HaleganadaClient, workspace: str, drawn: Handwriting, rows: Rows) -> list[int]:
    answers = _predict(client, workspace, drawn, rows)
    return [_rank(answer, drawn.names[drawn.labels[i]]) for answer, i in zip(answers, rows, strict=True)]


def _rank(answer: object, label: str) -> int:
    if not isinstance(answer, Prediction):
        return 99  # refused: wrong
    return next((i for i, candidate in enumerate(answer.candidates) if candidate.label == label), 99)


def _told(answer: object) -> object:
    """What a prediction says, without its id."""
    if not isinstance(answer, Prediction):
        return str(answer)
    return [(c.label, round(c.probability, 9)) for c in answer.candidates], round(answer.unknown_probability, 9)

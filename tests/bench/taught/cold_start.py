"""Beginning with a font: how much handwriting is recognized by it, and whether people's drawings outvote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from haleganada_client import HaleganadaClient
from haleganada_client.errors import InvalidInput
from haleganada_client.labeled.font import draw_labels
from haleganada_client.types import Lesson, Prediction

from tests.bench.accuracy.sets import MOST_TESTED, Handwriting, Rows, load_kannada
from tests.bench.accuracy.teaching import encode_png
from tests.bench.table import Table

FONTS = (
    "lohit-kannada/Lohit-Kannada.ttf", "noto/NotoSerifKannada-Regular.ttf", "noto/NotoSansKannada-Regular.ttf",
    "Navilu/Navilu.ttf", "Gubbi/Gubbi.ttf",
)  # fmt: skip
_FOLDER = Path("/usr/share/fonts/truetype")
_BATCH = 256
_WRITERS = 5  # who teach; the other ten are tested


def measure(client: HaleganadaClient, data: Path) -> Table:
    """Needs Kannada fonts from Debian's packages fonts-lohit-knda, fonts-knda and fonts-noto-core."""
    hand = load_kannada(data)
    is_text = np.array([bool(name) for name in hand.names])[hand.labels]
    fonts = [path for path in map(_FOLDER.joinpath, FONTS) if path.exists()]
    assert hand.writers is not None
    rng = np.random.default_rng(7)
    writers = rng.permutation(np.unique(hand.writers))
    tested = rng.permutation(np.flatnonzero(np.isin(hand.writers, writers[_WRITERS:]) & is_text))[:MOST_TESTED]
    table = Table(
        f"Kannada, {len(hand.names)} aksharas by ten writers, after a font, drawings of other writers, or both",
        ("fonts", "drawings of each", "right", "without the fonts", "n"),
    )
    for count in (1, len(fonts)):
        for shots in (0, 1, 2, 5):
            taught = np.flatnonzero(np.isin(hand.writers, writers[:shots]) & is_text)
            with_fonts = _score(client, hand, [*_draw(fonts[:count], hand.names), *_draw_rows(hand, taught)], tested)
            without = _score(client, hand, _draw_rows(hand, taught), tested) if shots else 0.0
            table.add(str(count), str(shots), f"{with_fonts:.1%}", f"{without:.1%}" if shots else "", str(len(tested)))
    return table


def _draw(fonts: Sequence[Path], labels: Sequence[str]) -> Iterable[Lesson]:
    for font in fonts:
        for label in filter(None, labels):
            try:
                yield Lesson(draw_labels(font, [label])[0], label, synthetic=True)
            except InvalidInput:
                continue  # the font lacks it


def _draw_rows(hand: Handwriting, rows: Rows) -> list[Lesson]:
    return [Lesson(encode_png(np.pad(hand.drawings[i], 4)), hand.names[hand.labels[i]]) for i in rows]


def _score(client: HaleganadaClient, hand: Handwriting, lessons: Sequence[Lesson], tested: Rows) -> float:
    workspace = "cold start"
    client.create_workspace(workspace)
    for start in range(0, len(lessons), _BATCH):
        client.train_batch(lessons[start : start + _BATCH], workspace=workspace)
    right = 0
    for start in range(0, len(tested), _BATCH):
        rows = tested[start : start + _BATCH]
        answers = client.predict_batch(
            [encode_png(np.pad(hand.drawings[i], 4)) for i in rows], workspace=workspace, min_revision=len(lessons)
        )
        names = [answer.candidates[0].label if isinstance(answer, Prediction) else "" for answer in answers]
        right += sum(name == hand.names[hand.labels[i]] for name, i in zip(names, rows, strict=True))
    client.delete_workspace(workspace, confirm=workspace)
    return right / len(tested)

"""What the starter model calls unknown: python -m tests.bench.models.rejection. Needs HALEGANADA_DATA.

Capitals that look like no small letter or digit are asked, and letters of other scripts; and the drawings that were
held out of its training, which it should still recognize. The baseline is the same model without “unknown”.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from haleganada_server.config import ServerConfig
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.fewshot.confidence import SURE, UNKNOWN
from haleganada_server.core.models.files import read_card
from haleganada_server.runtime.classifier import OnnxClassifier
from haleganada_server.training.pretrain.synthesis.sources import load_omniglot
from haleganada_server.training.starter.dataset import StarterItem, load_real_items
from haleganada_server.training.starter.rejection import rasterize_items
from haleganada_server.vision import model_input

from tests.bench.table import Table

CAPITALS = "ABDEFGHLMNQRT"  # no small letter or digit looks like one of them
SCRIPTS = ("Korean", "Bengali", "Tifinagh", "Japanese_(katakana)", "Hebrew")


def main() -> None:
    data = Path(os.environ["HALEGANADA_DATA"])
    (folder,) = ServerConfig(Path()).built_in_models
    classifier = OnnxClassifier(folder, read_card(folder), model_input)
    table = Table("“unknown” of the starter model", ("drawings", "called unknown", "right and not unknown", "n"))

    def add(name: str, items: list[StarterItem]) -> None:
        rasters, labels = rasterize_items(items)
        among, unknown = classifier.classify(rasters)
        right = np.array(labels) == np.array(classifier.labels)[among.argmax(1)]
        kept = f"{(right & (unknown < UNKNOWN)).mean():.1%}, else {right.mean():.1%}" if right.any() else (
            f"as sure as {SURE:.0%} without “unknown”: {(among.max(1) >= SURE).mean():.1%}"
        )  # fmt: skip
        table.add(name, f"{(unknown >= UNKNOWN).mean():.1%}", kept, f"{len(rasters):,}")

    held_out = [item for item in load_real_items(data) if item.part is Part.TEST]
    add("held out: digits", [item for item in held_out if item.label.isdigit()])
    add("held out: small letters", [item for item in held_out if not item.label.isdigit()])
    add("capital A", _load_capitals(data, "A"))
    add(f"capitals {' '.join(CAPITALS)}", _load_capitals(data, CAPITALS))
    add(", ".join(SCRIPTS), _load_scripts(data))
    print(f"\n{table.markdown()}")


def _load_capitals(data: Path, wanted: str) -> list[StarterItem]:
    with np.load(data / "english_chars62" / "english_chars62_64.npz") as file:
        drawings, labels, names = file["x"], file["y"], file["classes"]
    texts = [str(names[label]) for label in labels]
    drawn = zip(drawings, texts, strict=True)
    return [StarterItem(text.upper() * 2, Part.TEST, "english", ink) for ink, text in drawn if text in wanted]


def _load_scripts(data: Path) -> list[StarterItem]:
    """Return the first writer's drawing of every letter."""
    scripts = load_omniglot(data)
    return [StarterItem("?", Part.TEST, name, writers[0]) for name in SCRIPTS for writers in scripts[name]]


if __name__ == "__main__":
    main()

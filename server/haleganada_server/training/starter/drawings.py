"""A few good drawings of each digit and small letter, to teach a workspace with: python -m
haleganada_server.training.starter.drawings --data FOLDER --out drawings.jsonl

They are chosen among those that the starter data set trains on: each next one is the one that brings all drawings of
its label closest to a chosen one, as the embedder sees them. So the usual forms of a letter come first, each once.
They are Omniglot's letters, which were drawn with a clean pen, and those of the English digits that are dark and in one
piece, without the specks of a scan: both are MIT-licensed, so that the file can be shipped.
"""

from __future__ import annotations

import base64
import io
import json
from functools import partial
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps
from skimage import measure

from haleganada_server.config import SHIPPED_WEIGHTS
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.errors import InvalidInput
from haleganada_server.core.glyphs.ports import Embedder
from haleganada_server.runtime.onnx_embedder import OnnxEmbedder
from haleganada_server.runtime.weights import load_weights
from haleganada_server.vision import network_input, rasterize_gray

from .dataset import LABELS, StarterItem, real_items

EACH = 4
_INK, _DARK = 32, 150  # levels: what is ink at all, and the median of a dark pen's
_GRAYS = 8  # in the pictures: soft edges, and half the size
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def good_drawings(items: list[StarterItem], embedder: Embedder, each: int = EACH) -> list[StarterItem]:
    """`each` drawings of every label, those of one label together, the most usual one first."""
    chosen = []
    for label in LABELS:
        own = [item for item in items if item.label == label and item.part is Part.TRAIN and _is_clean(item)]
        read = [(item, raster) for item in own if (raster := _raster(item)) is not None]
        vectors = embedder.embed(np.stack([raster for _, raster in read]))
        chosen += [read[i][0] for i in representatives(vectors, each)]
    return chosen


def _is_clean(item: StarterItem) -> bool:
    if item.source == "omniglot":
        return True
    ink = item.ink > _INK
    pieces: int = measure.label(ink, return_num=True)[1]  # type: ignore[no-untyped-call]
    is_dark = bool(np.median(item.ink[ink]) >= _DARK)
    return item.source == "english" and item.label.isdigit() and pieces == 1 and is_dark


def _raster(item: StarterItem) -> NDArray[np.uint8] | None:
    """None for one that the product would refuse."""
    try:
        return rasterize_gray(item.ink)
    except InvalidInput:
        return None


def representatives(vectors: NDArray[np.float32], count: int) -> list[int]:
    """Which of the vectors (n, d), each of length 1, stand for all of them, greedily; `count` is at most n."""
    alike = vectors @ vectors.T
    best = np.full(len(vectors), -1.0, np.float32)
    chosen: list[int] = []
    for _ in range(count):
        gains = np.maximum(alike, best).sum(1)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, alike[chosen[-1]])
    return chosen


def as_line(item: StarterItem) -> str:
    """As the import of JSON lines reads it: black on white."""
    buffer = io.BytesIO()
    picture = ImageOps.invert(Image.fromarray(item.ink)).quantize(_GRAYS)
    picture.save(buffer, "PNG", optimize=True)
    return json.dumps({"label": item.label, "image": base64.b64encode(buffer.getvalue()).decode()})


@click.command()
@click.option("--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True, help="As for starter-data.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .jsonl to write.")
def main(data: Path, out: Path) -> None:
    """Choose the drawings and write them."""
    weights = load_weights(SHIPPED_WEIGHTS)
    embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side))
    chosen = good_drawings(real_items(data), embedder)
    out.write_text("".join(f"{as_line(item)}\n" for item in chosen), encoding="utf-8")
    click.echo(f"wrote {out}: {len(chosen)} drawings, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

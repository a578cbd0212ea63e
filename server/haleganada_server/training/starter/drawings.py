"""Choose a few good drawings of each digit and small letter to teach a workspace with.

    python -m haleganada_server.training.starter.drawings --data FOLDER --out drawings.jsonl

They are training drawings of the starter data set, chosen greedily: each next one brings all drawings of its label
closest to a chosen one, in terms of the embedder. So the most common forms of a letter come first, once each.
Candidates are Omniglot's letters, drawn with a clean pen, and English digits that are dark and in one piece, without
specks from scanning. Both have the MIT license, so the file can be shipped.
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

from .dataset import LABELS, StarterItem, load_real_items

EACH = 4
_INK, _DARK = 32, 150  # gray levels: least of ink, and least median of a dark pen
_GRAYS = 8  # in the PNG files: soft edges at half the size
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


def choose_drawings(items: list[StarterItem], embedder: Embedder, each: int = EACH) -> list[StarterItem]:
    """Return `each` drawings of every label, label by label, the most common form first."""
    chosen = []
    for label in LABELS:
        own = [item for item in items if item.label == label and item.part is Part.TRAIN and _is_clean(item)]
        candidates = [(item, raster) for item in own if (raster := _rasterize(item)) is not None]
        vectors = embedder.embed(np.stack([raster for _, raster in candidates]))
        chosen += [candidates[i][0] for i in choose_representatives(vectors, each)]
    return chosen


def _is_clean(item: StarterItem) -> bool:
    """Return whether a drawing is from Omniglot, or an English digit that is dark and in one piece."""
    if item.source == "omniglot":
        return True
    ink = item.ink > _INK
    pieces: int = measure.label(ink, return_num=True)[1]  # type: ignore[no-untyped-call]
    is_dark = bool(np.median(item.ink[ink]) >= _DARK)
    return item.source == "english" and item.label.isdigit() and pieces == 1 and is_dark


def _rasterize(item: StarterItem) -> NDArray[np.uint8] | None:
    """Return the server's raster of a drawing, or None if the server would reject it."""
    try:
        return rasterize_gray(item.ink)
    except InvalidInput:
        return None


def choose_representatives(vectors: NDArray[np.float32], count: int) -> list[int]:
    """Choose `count` of the unit vectors (n, d), greedily, so that each vector is similar to a chosen one."""
    similarities = vectors @ vectors.T
    best = np.full(len(vectors), -1.0, np.float32)
    chosen: list[int] = []
    for _ in range(count):
        gains = np.maximum(similarities, best).sum(1)
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        best = np.maximum(best, similarities[chosen[-1]])
    return chosen


def format_line(item: StarterItem) -> str:
    """Format a drawing for the import of JSON lines, black on white."""
    buffer = io.BytesIO()
    picture = ImageOps.invert(Image.fromarray(item.ink)).quantize(_GRAYS)
    picture.save(buffer, "PNG", optimize=True)
    return json.dumps({"label": item.label, "image": base64.b64encode(buffer.getvalue()).decode()})


@click.command()
@click.option("--data", type=_FOLDER, envvar="HALEGANADA_DATA", required=True, help="As for starter-data.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The .jsonl file to write.")
def main(data: Path, out: Path) -> None:
    """Choose good drawings of each label and write them as JSON lines."""
    weights = load_weights(SHIPPED_WEIGHTS)
    embedder = OnnxEmbedder(weights, partial(network_input, side=weights.side))
    chosen = choose_drawings(load_real_items(data), embedder)
    out.write_text("".join(f"{format_line(item)}\n" for item in chosen), encoding="utf-8")
    click.echo(f"wrote {out}: {len(chosen)} drawings, {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

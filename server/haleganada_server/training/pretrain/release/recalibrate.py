"""Calibrate a weights folder again, without training it: python -m
haleganada_server.training.pretrain.release.recalibrate --data DATA --fonts FONTS --cache CACHE FOLDER.

Writes the calibration, what was measured of it, and its sources into the folder's cards; everything else stays, but
what somebody has added to MODEL_CARD.md by hand has to be added again.
"""

from __future__ import annotations

from pathlib import Path

import click

from haleganada_server.runtime.weights import ONNX, load_weights
from haleganada_server.training.pretrain.synthesis.library import Folders
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, load_omniglot

from .card import list_calibration_sources, replace_calibration
from .export import open_session
from .finish import calibrate, measure_calibration
from .head_fit import HeadFit
from .held_out import embed_held_out
from .measure import ProductEmbedder

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.option("--data", type=_FOLDER, required=True, help="Folder with omniglot/ and dhcd_devanagari/.")
@click.option("--fonts", type=_FOLDER, required=True, help="Folder with the fonts of Devanagari.")
@click.option("--cache", type=click.Path(path_type=Path), required=True, help="Folder for traced fonts.")
@click.argument("folder", type=_FOLDER)
def recalibrate(data: Path, fonts: Path, cache: Path, folder: Path) -> None:
    """Fit the calibration of the weights in FOLDER again: ten minutes on two cores."""
    weights = load_weights(folder)
    projection = weights.head_parameters.projection
    head = HeadFit(projection.mean, projection.matrix, projection.between)
    alphabets = {name: scans for name, scans in load_omniglot(data).items() if name in HELD_OUT_ALPHABETS}
    embedder = ProductEmbedder(open_session(folder / ONNX, 2), weights.side)
    held_out = embed_held_out(embedder, alphabets, Folders(data, None, fonts, cache))
    calibration, metrics = calibrate(head, held_out), measure_calibration(head, held_out)
    for metric in metrics:
        click.echo(f"{metric.name}: {metric.value:g} {metric.unit} (n = {metric.n})")
    replace_calibration(folder, calibration, metrics, list_calibration_sources(data, fonts))


if __name__ == "__main__":
    recalibrate()

"""Trains the line recognizer for Latin handwriting: python -m tests.bench.reading.latin_hand.train --help (torch).

It starts from PP-OCRv6 small, sees lines wider than they are, and never those of hands that hands.py keeps for testing.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

import cv2
import torch
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.alphabet import Alphabet
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.lines.network import build_network
from haleganada_server.training.presets import get_preset

from tests.bench.reading.latin_hand.hands import TRAINED_ON, load_hands
from tests.bench.reading.latin_hand.lines import HandSource
from tests.bench.reading.long_training import PRESET, Run, run_command

_NAME = "latin-hand"
_VALIDATED = 60  # lines of each set
_LETTERS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789àâäçéèêëîïôöùûüÿœæÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŒÆñßáíóúì"
    " .,;:!?'’\"“”«»()[]-–—/&%+=*°§£$€_<>…²³½#@"
)


def start(given: argparse.Namespace) -> Run:
    """Prepare a run. Raises what reading data and fonts raises."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data = Path(os.environ["HALEGANADA_DATA"])
    source = HandSource.open(data, given.texts, given.fonts, given.seed)
    alphabet = Alphabet.of_texts([_LETTERS, *(line.text for lines in source.hands.values() for line in lines)])
    preset = get_preset(PRESET)
    assert preset.facts.line is not None
    torch.manual_seed(given.seed)
    network, options = build_network(preset, alphabet)
    return Run(
        name=_NAME,
        network=network,
        source=source,
        alphabet=alphabet,
        options=options,
        shape=replace(preset.facts.line, stretch=given.stretch),
        validation={folder: load_hands(data, folder)[Part.VALIDATION][:_VALIDATED] for folder in TRAINED_ON},
        settings=TrainingSettings(
            epochs=1, batch_size=given.batch, learning_rate=given.rate, weight_decay=0.02, seed=given.seed
        ),
        minutes=given.minutes,
        folder=given.out,
        checked_every_s=given.check_minutes * 60,
        has_worker=given.worker,
    )


def main() -> None:
    """Train, and write OUT/model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=Path, required=True, help="The folder that texts.py writes.")
    parser.add_argument("--fonts", type=Path, required=True, help="The folder in which npm has installed fonts.")
    parser.add_argument("--check-minutes", type=float, default=25)
    parser.add_argument("--stretch", type=float, default=1.4, help="How much wider lines are shown than they are.")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--worker", action="store_true", help="Use a second core.")
    run_command(parser, start)


if __name__ == "__main__":
    main()

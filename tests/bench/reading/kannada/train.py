"""Trains the line recognizer for Kannada print that ships: python -m tests.bench.reading.kannada.train --help (torch).

Lines are drawn as they are needed, none twice, with the words that words.py lists. One in eight is put together from
photographed words of mile_kannada_words (Apache-2.0), found in HALEGANADA_DATA, without the pages that have lines in
mile_kannada. A run that was interrupted goes on where it last wrote its state.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import cv2
import torch
from haleganada_server.core.lines.alphabet import Alphabet, SymbolKind
from haleganada_server.training.export.model_files import read_model
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.lines.network import build_network
from haleganada_server.training.lines.rendering.fonts import find_fonts
from haleganada_server.training.lines.rendering.texts import LineTexts
from haleganada_server.training.presets import get_preset

from tests.bench.reading.kannada.lines import Source, read_papers, read_words
from tests.bench.reading.long_training import OTHER_LINES, PRESET, Run, run_command

_NAME = "kannada-print"
_VALIDATED = 60  # lines drawn with fonts that training has not seen, and as many photographed words


def start(given: argparse.Namespace) -> Run:
    """Prepare a run. Raises what reading a model and fonts raises."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    data = Path(os.environ["HALEGANADA_DATA"])
    texts = LineTexts.of_text(given.words.read_text(encoding="utf-8"))
    train, held_out = read_words(data)
    fonts = find_fonts(given.fonts)
    seen = [font for font in fonts if given.held_out_font not in font.path.name]
    source = Source(texts, seen, train, read_papers(data), given.seed)
    spare = [font for font in seen if font.covers("abc") and not font.covers("ಕ")]
    unseen = Source(texts, [*(font for font in fonts if font not in seen), *spare], {}, source.papers, given.seed)
    drawn = [unseen.draw(OTHER_LINES + number) for number in range(_VALIDATED)]
    known, card = read_model(given.start)
    assert card.line is not None
    samples = [*texts.words, *(line.text for page in train.values() for line in page), " ,.?!;:“”‘’\"'()-0123456789"]
    alphabet = Alphabet.of_texts(samples, Alphabet(card.labels, SymbolKind(card.line.symbols)))
    torch.manual_seed(given.seed)
    network, options = build_network(get_preset(PRESET), alphabet, known, card)
    return Run(
        name=_NAME,
        network=network,
        source=source,
        alphabet=alphabet,
        options=options,
        shape=card.line,
        validation={"drawn lines": drawn, "photographed words": held_out[:_VALIDATED]},
        settings=TrainingSettings(
            epochs=1,
            batch_size=given.batch,
            learning_rate=given.rate,
            weight_decay=0.02,
            seed=given.seed,
            augment=False,
        ),
        minutes=given.minutes,
        folder=given.out,
    )


def main() -> None:
    """Train, and write OUT/model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=Path, required=True, help="The list that words.py makes.")
    parser.add_argument("--fonts", type=Path, nargs="+", required=True, help="Fonts, or folders of them.")
    parser.add_argument("--held-out-font", default="akaya", help="What is in the names of fonts for validation.")
    parser.add_argument("--from", dest="start", type=Path, required=True, help="A model to start from.")
    parser.add_argument("--batch", type=int, default=16)
    run_command(parser, start)


if __name__ == "__main__":
    main()

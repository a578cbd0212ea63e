"""Learns how symbols follow each other for a finished model: python -m tests.bench.reading.latin_hand.order --texts
TEXTS MODEL.

TEXTS is the folder that texts.py --novels writes. The weight is chosen on lines of validation hands, and on nothing
else. MODEL is a folder, whose symbol_order.npz is replaced.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.alphabet import Alphabet
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.decoding import Probabilities
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.lines.ngram import SymbolOrder
from haleganada_server.core.lines.texts import clean_line
from haleganada_server.core.models.files import SYMBOL_ORDER, read_card
from haleganada_server.training.export.model_files import read_model, write_card
from haleganada_server.training.lines.batches import stack_lines
from haleganada_server.training.lines.rendering.texts import LineTexts
from haleganada_server.vision.line_pictures import make_line_input

from tests.bench.reading.latin_hand.hands import TRAINED_ON, load_hands

_DRAWN = 15_000  # lines of each text
_NOVELS = "english_novels"
_WORDS = 4, 9  # of a line of the novels, all of which are learned
_VALIDATED = 100  # lines of each set, at most
_TRIED = ((0.3, 0.5), (0.3, 1.0), (0.45, 1.0), (0.45, 1.5), (0.6, 2.0))


def learn_order(texts: Path, data: Path, alphabet: Alphabet) -> SymbolOrder:
    """Learn from the hands that are trained on, from lines drawn from each text, and from all of the novels."""
    rng = np.random.default_rng(3)
    lines = [line.text for folder in TRAINED_ON for line in load_hands(data, folder)[Part.TRAIN]]
    for file in sorted(texts.glob("*.txt")):
        text = LineTexts.of_text(file.read_text(encoding="utf-8"))
        drawn = _divide(text.words, rng) if file.stem == _NOVELS else [text.draw(rng) for _ in range(_DRAWN)]
        lines += drawn
    return SymbolOrder.learn((alphabet.encode(line) for line in lines if alphabet.covers(line)), len(alphabet.symbols))


def _divide(words: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Return a text as lines of some words each."""
    lines, start = [], 0
    while start < len(words):
        end = start + int(rng.integers(*_WORDS))
        lines.append(clean_line(" ".join(words[start:end])))
        start = end
    return lines


def read_validation(model: Path, data: Path) -> dict[str, list[tuple[Probabilities, str]]]:
    """Return what the network makes of lines of validation hands, and their texts, by their sets."""
    network, card = read_model(model)
    assert card.line is not None
    found = {}
    for folder in TRAINED_ON:
        lines = load_hands(data, folder)[Part.VALIDATION][:_VALIDATED]
        inputs = [stack_lines([make_line_input(line.gray, card.line)]) for line in lines]
        found[folder] = [
            (network(one)[0].softmax(1).detach().numpy(), line.text) for one, line in zip(inputs, lines, strict=True)
        ]
    return found


def measure(decoder: LineDecoder, alphabet: Alphabet, read: Sequence[tuple[Probabilities, str]]) -> float:
    """Return the character error rate."""
    texts = [alphabet.decode(decoder.list_hypotheses(own)[0].numbers) for own, _ in read]
    return measure_characters([ReadLine(text, own) for (_, text), own in zip(read, texts, strict=True)]).rate


def main() -> None:
    """Learn, choose the weight, and replace the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, metavar="MODEL")
    parser.add_argument("--texts", type=Path, required=True)
    given = parser.parse_args()
    data, card = Path(os.environ["HALEGANADA_DATA"]), read_card(given.model)
    alphabet = Alphabet(card.labels)
    order, validation = learn_order(given.texts, data, alphabet), read_validation(given.model, data)
    rated = []
    for weight, bonus in _TRIED:
        decoder = LineDecoder(order, weight, bonus)
        rates = [measure(decoder, alphabet, read) for read in validation.values()]
        told = ", ".join(f"{name} {rate:.2%}" for name, rate in zip(validation, rates, strict=True))
        print(f"weight {weight}, bonus {bonus}: {told}", flush=True)
        rated.append((float(np.mean(rates)), weight, bonus))
    _, weight, bonus = min(rated)
    (given.model / SYMBOL_ORDER).write_bytes(LineDecoder(order, weight, bonus).to_bytes())
    write_card(given.model, card, SYMBOL_ORDER)
    print(f"kept weight {weight}, bonus {bonus}")


if __name__ == "__main__":
    main()

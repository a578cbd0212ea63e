"""A model that is taught new characters and a little text still reads what it read before, as its error rates tell."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters
from haleganada_server.core.models.files import read_card
from haleganada_server.runtime.line_reader import OnnxLineReader
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.lines.run import run_line_training
from haleganada_server.training.presets.ppocr_weights import find_ppocr
from haleganada_server.vision.line_pictures import make_line_input

from tests.support.line_sets import draw_line
from tests.unit.server.training.lines.conftest import WORDS, Request, RequestFor

NEW = ("été", "où", "là", "né", "fût", "çà")


def train(request: Request) -> Path:
    run_line_training(request, lambda _: None, lambda: False, ProcessGroup(torch.device("cpu")))
    return Path(request["folder"]) / "model"


def measure(model: Path, texts: Sequence[str]) -> float:
    """Return the character error rate of a model on drawn lines."""
    reader = OnnxLineReader(model, read_card(model), make_line_input)
    read = [reader.alphabet.decode(one.number for one in reader.read(draw_line(text))) for text in texts]
    return measure_characters([ReadLine(text, own) for text, own in zip(texts, read, strict=True)]).rate


@pytest.mark.slow
def test_new_characters_are_learned_and_old_ones_are_read_as_before(request_for: RequestFor) -> None:
    find_ppocr()
    first = train(request_for("first", "ppocr-v6-small", WORDS, epochs=12))
    second = train(request_for("second", "ppocr-v6-small", NEW, start=str(first), epochs=12))

    old, new = ([f"{one} {other}" for one, other in itertools.permutations(words, 2)] for words in (WORDS, NEW))
    before = measure(first, old)
    assert before < 0.05
    assert measure(first, new) > 0.2, "it did not know these letters"
    assert measure(second, new) < 0.1
    assert measure(second, old) < before + 0.05

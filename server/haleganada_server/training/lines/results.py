"""What a finished training of lines leaves behind: the model's folder, and files for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters, measure_words
from haleganada_server.core.models.files import SYMBOL_ORDER
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.export.model_files import write_card, write_model
from haleganada_server.training.fit.finished import FILES, FinishedTraining
from haleganada_server.training.fit.reports.reporter import TrainingReporter

from .averaging import WeightMean
from .data import LineData
from .export import export_lines
from .loop import LineReader
from .prior import choose_decoder
from .report import write_report

_EXPORTED = 20
"""Lines that an export is checked on."""


@dataclass(frozen=True, kw_only=True)
class FinishedLines(FinishedTraining):
    """A training on lines whose epochs are over. from_model: the name of the model that it started from, "" = none.
    known: the decoder of that model. mean: what its best state is, None = that of an epoch.
    """

    data: LineData
    reader: LineReader
    from_model: str = ""
    known: LineDecoder = field(default_factory=LineDecoder)
    mean: WeightMean | None = None


def write_results(training: FinishedLines, folder: Path, reporter: TrainingReporter, skip_test: bool) -> None:
    """Write files/ and model/, the latter whole or not at all. skip_test: do not measure the test part.

    Leaves the network in its best state, on the CPU, in single precision.
    """
    reader, files, state = training.reader, folder / FILES, training.state
    training.write_states(files, {"labels": reader.alphabet.symbols, "line": asdict(reader.shape)})
    reporter.start_stage("measuring")
    state.network.cpu().float().eval()
    state.precision = Precision()
    decoder = training.known if skip_test else choose_decoder(reader, training.data, training.known)
    metrics = _measure(training, files, decoder, skip_test)
    reporter.start_stage("exporting")
    with training.write_model(folder) as draft:
        _write_model(training, metrics, decoder, draft)


def _write_model(training: FinishedLines, metrics: dict[str, float], decoder: LineDecoder, folder: Path) -> None:
    """Write all files of the model into an existing folder."""
    reader, network = training.reader, training.state.network
    card = training.build_card(
        reader.alphabet.symbols,
        training.preset.preprocessing,
        metrics,
        line=reader.shape,
        from_model=training.from_model,
        kept_share=f"{training.mean.share:g}" if training.mean else "1",
        numpy=np.__version__,
    )
    card = write_model(folder, network, card)
    part = Part.VALIDATION if len(training.data.part(Part.VALIDATION)) else Part.TRAIN
    lines = training.data.part(part)[:_EXPORTED]
    if decoder.order is not None:
        (folder / SYMBOL_ORDER).write_bytes(decoder.to_bytes())
        card = write_card(folder, card, SYMBOL_ORDER)
    export_lines(network, card, folder, [reader.make_input(training.data.picture(line)) for line in lines.tolist()])


def _measure(training: FinishedLines, files: Path, decoder: LineDecoder, skip_test: bool) -> dict[str, float]:
    """Return the metrics of the model's card, and write the report about the test part."""
    state, metrics = training.reader.state, dict[str, float]()
    if len(training.data.part(Part.VALIDATION)):
        best = state.history[state.best_epoch - 1].validation_accuracy
        metrics["validation_accuracy"] = training.mean.accuracy if training.mean else best
    test = training.data.part(Part.TEST)
    if len(test) and not skip_test:
        read = read_part(training, Part.TEST, decoder)
        characters, words = measure_characters(read), measure_words(read)
        metrics["test_accuracy"] = max(0.0, 1 - characters.rate)
        metrics["test_cer"], metrics["test_wer"] = characters.rate, words.rate
        write_report(files, read, [training.data.picture(line) for line in test.tolist()])
    return metrics


def read_part(training: FinishedLines, part: Part, decoder: LineDecoder) -> list[ReadLine]:
    """Read the lines of a part."""
    data = training.data
    lines = data.part(part).tolist()
    found = (decoder.decode(training.reader.compute(data.picture(line))) for line in lines)
    texts = [training.reader.alphabet.decode(symbol.number for symbol in own) for own in found]
    groups = [str(group) if (group := int(data.groups[line])) >= 0 else "" for line in lines]
    return [ReadLine(data.texts[line], text, group) for line, text, group in zip(lines, texts, groups, strict=True)]

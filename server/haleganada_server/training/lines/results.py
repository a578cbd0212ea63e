"""What a finished training of lines leaves behind: the model's folder, and files for people."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from haleganada_server.core.datasets.dataset import Part
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.error_rates import ReadLine, measure_characters, measure_words
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import SYMBOL_ORDER
from haleganada_server.training.common.atomic_files import write_safetensors
from haleganada_server.training.common.precision import Precision
from haleganada_server.training.export.half_precision import compact, round_matrices
from haleganada_server.training.export.model_files import write_card, write_model
from haleganada_server.training.fit.history import HISTORY_JSON, HistoryFiles, format_history
from haleganada_server.training.fit.reporter import TrainingReporter
from haleganada_server.training.fit.results import BEST_STATE, DESCRIPTION, FILES, LAST_STATE, MODEL
from haleganada_server.training.fit.settings import TrainingSettings
from haleganada_server.training.fit.state import copy_tensors
from haleganada_server.training.presets import Preset, count_parameters

from .data import LineData
from .export import export_lines
from .loop import LineReader
from .prior import choose_decoder
from .report import write_report

_EXPORTED = 20
"""Lines that an export is checked on."""


@dataclass(frozen=True, kw_only=True)
class FinishedLines:
    """A training whose epochs are over. options: those that the preset's network was built with. from_model: the name
    of the model that it started from, "" = none.
    """

    preset: Preset
    name: str
    data: LineData
    settings: TrainingSettings
    options: Mapping[str, Any]
    reader: LineReader
    from_model: str = ""


def write_results(training: FinishedLines, folder: Path, reporter: TrainingReporter, skip_test: bool) -> None:
    """Write files/ and model/, the latter whole or not at all. skip_test: do not measure the test part.

    Leaves the network in its best state, on the CPU, in single precision.
    """
    reader, files = training.reader, folder / FILES
    state = reader.state
    HistoryFiles(files).write(state.history, state.best_epoch, last=True)
    description = {DESCRIPTION: json.dumps(_describe_tensors(training), ensure_ascii=False)}
    write_safetensors(files / LAST_STATE, copy_tensors(state.network), description)
    state.network.load_state_dict(state.best)
    round_matrices(state.network)
    write_safetensors(files / BEST_STATE, compact(copy_tensors(state.network)), description)
    reporter.start_stage("measuring")
    state.network.cpu().float().eval()
    state.precision = Precision()
    decoder = LineDecoder() if skip_test else choose_decoder(reader, training.data)
    metrics = _measure(training, files, decoder, skip_test)
    reporter.start_stage("exporting")
    draft = folder / f"{MODEL}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    (draft / HISTORY_JSON).write_text(format_history(state.history, state.best_epoch), encoding="utf-8")
    network: nn.Module = state.network
    card = write_model(draft, network, _build_card(training, metrics))
    chosen = training.data.part(Part.VALIDATION) if len(training.data.part(Part.VALIDATION)) else None
    lines = (training.data.part(Part.TRAIN) if chosen is None else chosen)[:_EXPORTED]
    if decoder.order is not None:
        (draft / SYMBOL_ORDER).write_bytes(decoder.to_bytes())
        card = write_card(draft, card, SYMBOL_ORDER)
    export_lines(network, card, draft, [reader.make_input(training.data.picture(line)) for line in lines.tolist()])
    shutil.rmtree(folder / MODEL, ignore_errors=True)  # left by an earlier run that was killed after this point
    draft.rename(folder / MODEL)


def _describe_tensors(training: FinishedLines) -> dict[str, Any]:
    """Return how the network of a file of tensors is built, and what its outputs mean."""
    return {
        "preset": training.preset.name,
        "options": dict(training.options),
        "labels": training.reader.alphabet.symbols,
        "line": asdict(training.reader.shape),
    }


def _measure(training: FinishedLines, files: Path, decoder: LineDecoder, skip_test: bool) -> dict[str, float]:
    """Return the metrics of the model's card, and write the report about the test part."""
    state, metrics = training.reader.state, dict[str, float]()
    if len(training.data.part(Part.VALIDATION)):
        metrics["validation_accuracy"] = state.history[state.best_epoch - 1].validation_accuracy
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


def _build_card(training: FinishedLines, metrics: dict[str, float]) -> ModelCard:
    state = training.reader.state
    epochs = {"epochs_trained": state.epoch, "best_epoch": state.best_epoch, "from_model": training.from_model}
    return ModelCard(
        preset=training.preset.name,
        name=training.name,
        labels=training.reader.alphabet.symbols,
        preprocessing=training.preset.preprocessing,
        temperature=1.0,
        parameters=count_parameters(state.network),
        created_us=time.time_ns() // 1000,
        dataset_name=training.data.name,
        dataset_sha256=training.data.sha256,
        sha256={},
        options=dict(training.options),
        metrics=metrics,
        training={**asdict(training.settings), **epochs, "torch": str(torch.__version__), "numpy": np.__version__},
        line=training.reader.shape,
    )

"""A training of lines: its reports and files, how it goes on after an interruption, and what its model knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from haleganada_server.core.errors import Precondition
from haleganada_server.core.lines.alphabet import Alphabet
from haleganada_server.core.lines.decoder import LineDecoder
from haleganada_server.core.lines.ngram import SymbolOrder
from haleganada_server.core.models.card import ModelCard
from haleganada_server.core.models.files import SYMBOL_ORDER, read_card
from haleganada_server.runtime.line_reader import open_decoder
from haleganada_server.training.common.process_group import ProcessGroup
from haleganada_server.training.export.model_files import read_model, write_card
from haleganada_server.training.lines.run import LineJob, run_line_training
from haleganada_server.vision.line_pictures import make_line_input
from safetensors.torch import load_file

from tests.support.line_sets import draw_line
from tests.unit.server.training.lines.conftest import WORDS, Request, RequestFor

Lines = list[dict[str, Any]]


def run(request: Request, cancel_after: int = 10**6) -> tuple[dict[str, Any], Lines]:
    """Run a job in this process; return its result and all reports. cancel_after: number of epochs."""
    lines: Lines = []

    def cancelled() -> bool:
        return sum("epoch" in line for line in lines) >= cancel_after

    return run_line_training(request, lines.append, cancelled, ProcessGroup(torch.device("cpu"))), lines


def read_epochs(lines: Lines) -> list[dict[str, Any]]:
    """Return the epochs that were reported, without the times."""
    epochs = [line["epoch"] for line in lines if "epoch" in line]
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in epochs]


def test_a_training_leaves_a_complete_model_and_files(request_for: RequestFor) -> None:
    request = request_for()
    done, lines = run(request)
    assert done == {"model": True, "cancelled": False, "result": {}}
    job = Path(request["folder"])
    assert {"line_results.json", "worst_lines.png", "training_history.json"} < {
        p.name for p in (job / "files").iterdir()
    }
    card = read_card(job / "model")
    assert card.line is not None
    assert (card.line.height, card.line.width, card.line.symbols) == (32, 128, "points")
    assert card.labels == tuple(sorted(set("".join(WORDS)) | {" "}))
    assert set(card.metrics) == {"validation_accuracy", "test_accuracy", "test_cer", "test_wer", "milliseconds"}
    assert [epoch["epoch"] for epoch in read_epochs(lines)] == [1, 2]
    results = json.loads((job / "files/line_results.json").read_text())
    assert results["lines"] == 8
    rate = results["character_error_rate"]
    assert 0 <= rate["low"] <= rate["rate"] <= rate["high"]
    assert rate["rate"] == card.metrics["test_cer"] == rate["edits"] / rate["length"]
    assert results["worst"][0]["edits"] > 0


@pytest.mark.parametrize("preset", ["crnn", "crnn-32x128"])
def test_the_onnx_file_reads_as_torch_does(request_for: RequestFor, preset: str) -> None:
    request = request_for(preset=preset, epochs=1)
    run(request)
    folder = Path(request["folder"]) / "model"
    network, card = read_model(folder)
    assert card.line is not None
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    stored = ModelCard.from_json(session.get_modelmeta().custom_metadata_map["haleganada.card"])
    assert (stored.labels, stored.line) == (card.labels, card.line)
    for text in ("on", "to it as an at"):
        line = make_line_input(draw_line(text), card.line)
        line = np.pad(line, ((0, 0), (0, -line.shape[1] % 16)), constant_values=1.0)
        (found,) = session.run(["probabilities"], {"line": line[None, None]})
        with torch.inference_mode():
            expected = network(torch.from_numpy(line[None, None])).softmax(2).numpy()
        assert found.shape == (1, line.shape[1] // 4, len(card.labels) + 1)
        assert np.abs(found - expected).max() < 1e-4


@pytest.mark.parametrize("mixed_precision", [False, True], ids=["float32", "bfloat16"])
def test_an_interrupted_training_goes_on_as_if_nothing_had_been(request_for: RequestFor, mixed_precision: bool) -> None:
    whole, parted = (
        request_for(name, epochs=3, mixed_precision=mixed_precision, preset="crnn") for name in ("whole", "parted")
    )
    parted["dataset"] = whole["dataset"]
    _, expected = run(whole)

    class Killed(Exception):
        pass

    def report(line: dict[str, Any]) -> None:
        if line.get("epoch", {}).get("epoch") == 2:
            raise Killed

    with pytest.raises(Killed):
        run_line_training(parted, report, lambda: False, ProcessGroup(torch.device("cpu")))
    _, resumed = run(parted)
    assert any("resumed after epoch 2" in line.get("progress", {}).get("message", "") for line in resumed)
    assert read_epochs(resumed) == read_epochs(expected)
    weights = [load_file(Path(one["folder"]) / "files/final_model.safetensors") for one in (whole, parted)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_cancelled_training_keeps_its_best_epoch(request_for: RequestFor) -> None:
    done, _ = run(request_for(epochs=50), cancel_after=1)
    assert (done["model"], done["cancelled"]) == (True, True)


def test_a_training_that_starts_from_a_model_adds_characters_and_forgets_none(request_for: RequestFor) -> None:
    first = request_for("first")
    run(first)
    model = str(Path(first["folder"]) / "model")
    second = request_for("second", words=("at", "été", "où"), start=model, epochs=1, learning_rate=1e-9)
    _, lines = run(second)
    assert any("learns 2 new symbols" in line.get("progress", {}).get("message", "") for line in lines)
    (before, old), (after, new) = read_model(Path(model)), read_model(Path(second["folder"]) / "model")
    assert new.labels == (*old.labels, "é", "ù")
    for name in ("weight", "bias"):
        known, grown = (getattr(network.get_submodule("decoder"), name) for network in (before, after))
        assert len(grown) == len(known) + 2
        assert torch.allclose(grown[: len(known)], known, atol=1e-4)


def test_what_a_model_knows_of_the_order_of_symbols_is_kept_and_grows(request_for: RequestFor) -> None:
    first = request_for("first")
    run(first)
    model = Path(first["folder"]) / "model"
    card = read_card(model)
    alphabet = Alphabet(card.labels)
    order = SymbolOrder.learn([alphabet.encode(text) for text in ["at it"] * 20], len(card.labels))
    (model / SYMBOL_ORDER).write_bytes(LineDecoder(order, 0.45, 1.5).to_bytes())
    write_card(model, card, SYMBOL_ORDER)

    second = request_for("second", words=("no", "on", "in"), start=str(model), epochs=1)
    run(second)
    tuned = Path(second["folder"]) / "model"
    decoder = open_decoder(tuned, read_card(tuned))
    assert (decoder.weight, decoder.bonus) == (0.45, 1.5), "there are no lines to choose others by"
    assert decoder.order is not None
    (t, n, o), before = (alphabet.encode(letter)[0] for letter in "tno"), alphabet.encode("at i")
    assert decoder.order.log_probability(before, t) > decoder.order.log_probability(before, n), "the old text counts"
    assert decoder.order.log_probability([n], o) > order.log_probability([n], o), "and so do the new ones"


def test_a_hand_is_few_lines_in_letters_that_a_model_knows(request_for: RequestFor) -> None:
    first = request_for("first")
    run(first)
    model = str(Path(first["folder"]) / "model")
    assert not LineJob.from_request(first).is_hand
    assert LineJob.from_request(request_for("known", words=("at", "to", "as"), start=model)).is_hand
    assert not LineJob.from_request(request_for("new", words=("été", "où", "là"), start=model)).is_hand


def test_a_model_that_learned_a_hand_is_a_mean_of_it_and_of_the_model_before(request_for: RequestFor) -> None:
    first = request_for("first")
    run(first)
    model = Path(first["folder"]) / "model"
    second = request_for("second", words=(*WORDS, "tan", "not"), start=str(model), epochs=1, learning_rate=0.01)
    run(second)
    folder = Path(second["folder"])
    share = float(read_card(folder / "model").training["kept_share"])
    before, last = load_file(model / "model.safetensors"), load_file(folder / "files/final_model.safetensors")
    after = load_file(folder / "model/model.safetensors")
    assert 0.5 <= share <= 1
    for name in ("decoder.weight", "decoder.bias"):
        assert (last[name] - before[name]).abs().max() > 0.005
        assert torch.allclose(after[name].float(), before[name].float().lerp(last[name], share), atol=1e-3)


def test_data_without_lines_to_train_on_is_refused(request_for: RequestFor) -> None:
    request = request_for()
    parts = Path(request["dataset"]["folder"]) / "parts.npy"
    np.save(parts, np.full_like(np.load(parts), 2))
    with pytest.raises(Precondition, match="no lines"):
        run(request)


def test_symbols_that_the_new_lines_lack_stay_as_they_are(request_for: RequestFor) -> None:
    first = request_for("first")
    run(first)
    model = Path(first["folder"]) / "model"
    second = request_for("second", words=("at", "to", "as"), start=str(model), epochs=3, weight_decay=0.0)
    run(second)
    (before, card), (after, _) = read_model(model), read_model(Path(second["folder"]) / "model")
    rows = [place for place, symbol in enumerate(card.labels, 1) if symbol in "in"]
    seen = [place for place, symbol in enumerate(card.labels, 1) if symbol in "atos"]
    assert len(rows) == 2
    for name in ("weight", "bias"):
        known, tuned = (getattr(network.get_submodule("decoder"), name) for network in (before, after))
        assert torch.equal(known[rows], tuned[rows])
        assert not torch.equal(known[seen], tuned[seen])

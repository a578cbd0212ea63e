"""From a trained network to a weights folder: export, head, calibration, metrics, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.training.pretrain.network import EmbedderNetwork
from haleganada_server.training.pretrain.one_shot import (
    WAYS,
    Embeddings,
    cosine_error,
    make_challenge_tasks,
    make_random_tasks,
    make_typical_tasks,
)
from haleganada_server.training.pretrain.one_shot import Task as OneShotTask
from haleganada_server.training.pretrain.synthesis.library import Folders
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, Scans, load_omniglot
from haleganada_server.vision.inputs import network_input

from .calibration import MISSING_LABELS, fit_calibration, make_tasks, measure_reliability
from .card import Metric, Recipe, describe_weights, hash_inputs, list_sources, write_cards
from .export import Floats, export_network, open_session
from .head_fit import Covariances, HeadFit, Shrinkage, estimate_covariances, fit_head, head_scores
from .held_out import FIRST_HALF, TYPICAL_SHARE, HeldOut, embed_held_out
from .measure import ProductEmbedder, load_kannada, make_product_rasters, one_shot_error, writer_split_accuracy

CANDIDATES = [
    Shrinkage(within, between, widen)
    for within, between, widen in product((0.2, 0.5, 0.8), (0.0, 0.1, 0.8), (1.0, 1.6))
]
"""All keep every direction: half of them do as well on held-out alphabets, but leave the head too little to adapt."""
ONE_SHOT_TASKS, FIVE_SHOT_TASKS = 600, 300


@dataclass(frozen=True, kw_only=True)
class Run:
    """Facts of a run for the cards."""

    seed: int
    steps: int
    minutes: float
    drawings: int
    teacher: Path | None = None
    """Weights folder of the network that it started from."""
    averaged: Path | None = None
    """Weights folder of the earlier checkpoint in the average."""


def finish(
    network: EmbedderNetwork, run: Run, folders: Folders, weights: Path, log: Callable[[str], None],
    provisional: bool = False,
) -> None:  # fmt: skip
    """Write all files of a weights folder."""
    weights.mkdir(parents=True, exist_ok=True)
    alphabets = load_omniglot(folders.data)
    fidelity = export_network(network, weights, draw_calibration(alphabets, network.shape.side))
    log(
        f"exported; torch and onnxruntime differ by {fidelity.difference:.1e}, 8 bits have cosine {fidelity.cosine:.5f}"
    )
    embedder = ProductEmbedder(open_session(weights / "embedder.onnx", 2), network.shape.side)
    held_out = embed_held_out(embedder, alphabets, folders)
    moments = estimate_covariances(held_out.background)
    others = [] if held_out.devanagari is None else [held_out.devanagari]
    shrinkage = choose_shrinkage(moments, [*held_out.alphabets.values(), *others], log)
    head = fit_head(moments, shrinkage)
    arrays = {"mean": head.mean, "projection": head.projection, "between": head.between}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, weights / "head.safetensors")
    calibration = calibrate(head, held_out)
    log(f"calibration {calibration}")
    metrics = [*measure(head, held_out, embedder, folders.data), *measure_calibration(head, held_out)]
    for metric in metrics:
        log(f"{metric.name}: {metric.value:g} {metric.unit} (n = {metric.n})")
    recipe = Recipe(
        seed=run.seed,
        steps=run.steps,
        minutes=run.minutes,
        drawings=run.drawings,
        shrinkage=asdict(shrinkage),
        inputs=hash_inputs(folders.data, folders.symbols),
        teacher=describe_weights(run.teacher) if run.teacher else None,
        averaged=describe_weights(run.averaged) if run.averaged else None,
    )
    sources = list_sources(folders.data, folders.hanzi, folders.fonts, folders.symbols)
    parameters = sum(p.numel() for p in network.parameters())
    write_cards(weights, network.shape, parameters, recipe, sources, metrics, calibration, provisional)


def draw_calibration(alphabets: dict[str, list[Scans]], side: int) -> Floats:
    """Return drawings to calibrate the quantized graph with, one of each character that was trained on, (n, 1, side,
    side).
    """
    trained = [alphabets[name] for name in sorted(alphabets) if name not in HELD_OUT_ALPHABETS]
    drawings = [scans[i % len(scans)] for characters in trained for i, scans in enumerate(characters)]
    return network_input(make_product_rasters(np.stack(drawings)), side)


def choose_shrinkage(moments: Covariances, held_out: list[Embeddings], log: Callable[[str], None]) -> Shrinkage:
    """Return the candidate with the fewest errors on held-out scripts, with equal weight for one and five shots.

    The head is not adapted, because twenty labels adapt it very little.
    """
    losses, tasks = [], make_random_tasks(held_out, ONE_SHOT_TASKS)
    for candidate in CANDIDATES:
        head = fit_head(moments, candidate)
        one, five = (
            one_shot_error(head, tasks, adapt=False),
            few_shot_error(head, held_out, 5, FIVE_SHOT_TASKS, adapt=False),
        )
        # Logarithms, because five shots leave far fewer errors to avoid.
        losses.append(float(np.log(max(one, 1e-4)) + np.log(max(five, 1e-4))))
        log(f"{candidate}: one shot {100 * one:.2f} %, five shots {100 * five:.2f} %")
    return CANDIDATES[int(np.argmin(losses))]


def few_shot_error(head: HeadFit, pools: list[Embeddings], shots: int, tasks: int, adapt: bool = True) -> float:
    """Return the share of wrong answers within alphabets with several taught drawings a label."""
    rng = np.random.default_rng(shots)
    projected = [head.project(z) for z in pools]
    wrong = []
    for i in range(tasks):
        v = projected[i % len(projected)]
        chosen, order = rng.permutation(len(v))[:WAYS], rng.permutation(v.shape[1])
        taught = v[chosen][:, order[:shots]]
        scores = head_scores(head.basis(taught, adapt), v[chosen, order[shots]], taught)[:, :-1]
        wrong.append(scores.argmax(1) != np.arange(len(chosen)))
    return float(np.mean(np.concatenate(wrong)))


def calibrate(head: HeadFit, held_out: HeldOut, names: Iterable[str] = HELD_OUT_ALPHABETS) -> Calibration:
    """Fit a calibration to these alphabets and to syllables."""
    tasks = make_tasks(head, held_out.make_pools(names, TYPICAL_SHARE), 2, seed=1)
    fitted = fit_calibration(tasks + make_tasks(head, held_out.syllables, 2, seed=3))
    return replace(fitted, missing_labels=MISSING_LABELS)


def measure(head: HeadFit, held_out: HeldOut, embedder: ProductEmbedder, data: Path) -> list[Metric]:
    """Measure errors on held-out alphabets and accuracy on Kannada handwriting."""
    return [*_measure_held_out(head, held_out), *_measure_kannada(head, embedder, data)]


def _measure_held_out(head: HeadFit, held_out: HeldOut) -> list[Metric]:
    """Measure 20-way errors within held-out alphabets."""
    pools, rasters = list(held_out.alphabets.values()), list(held_out.rasters.values())
    kinds = {
        "challenge protocol": (
            make_challenge_tasks(pools, rasters),
            "four typical writers, the 20 most diverse characters",
        ),
        "typical writers": (
            make_typical_tasks(pools, rasters, ONE_SHOT_TASKS),
            "four typical writers, any 20 characters",
        ),
        "all writers": (make_random_tasks(pools, ONE_SHOT_TASKS), "any two of the 20 writers, any 20 characters"),
    }
    metrics = [metric for kind, (tasks, how) in kinds.items() for metric in _measure_one_shot(head, kind, tasks, how)]
    five = few_shot_error(head, pools, 5, FIVE_SHOT_TASKS)
    n_five = sum(min(WAYS, len(pools[i % len(pools)])) for i in range(FIVE_SHOT_TASKS))
    how = "held-out Omniglot alphabets, taught by any five writers"
    return [*metrics, Metric("20-way five-shot error, all writers, PLDA", round(100 * five, 2), "%", n_five, how)]


def _measure_one_shot(head: HeadFit, kind: str, tasks: list[OneShotTask], how: str) -> list[Metric]:
    n, how = sum(len(support) for support, _ in tasks), f"held-out Omniglot alphabets, {how}"
    errors = {"PLDA": one_shot_error(head, tasks), "cosine": cosine_error(tasks)}
    return [
        Metric(f"20-way one-shot error, {kind}, {method}", round(100 * error, 2), "%", n, how)
        for method, error in errors.items()
    ]


def _measure_kannada(head: HeadFit, embedder: ProductEmbedder, data: Path) -> list[Metric]:
    """Measure accuracy on the handwriting of a script that training knows from fonts only."""
    kannada = load_kannada(data, embedder)
    metrics = []
    for shots in (1, 2, 5, 14) if kannada else ():
        assert kannada is not None
        share, n = writer_split_accuracy(head, kannada, shots)
        how = f"Chars74K, 657 labels, taught by {_count(shots, 'writer')}, tested on others, no suspect drawings"
        metrics.append(Metric(f"Kannada top-1 accuracy, {_count(shots, 'shot')}", round(100 * share, 2), "%", n, how))
    return metrics


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def measure_calibration(head: HeadFit, held_out: HeldOut) -> list[Metric]:
    """Measure ECE and AUROC on each half of the held-out alphabets, calibrated on the other half."""
    halves = (FIRST_HALF, tuple(a for a in HELD_OUT_ALPHABETS if a not in FIRST_HALF))
    fits = [
        (
            calibrate(head, held_out, fitted),
            make_tasks(head, [held_out.alphabets[a] for a in measured], 8, seed=2, ways_of=lambda n: [n // 2]),
        )
        for fitted, measured in (halves, halves[::-1])
    ]
    metrics = []
    how = (
        "held-out alphabets, half of the characters taught, half of the queries untaught; fitted on other alphabets"
        " and on Devanagari"
    )
    for shots in (1, 2, 5, 10):
        results = [
            measure_reliability(c, tasks, shots) for c, tasks in fits if any(t.context.shots == shots for t in tasks)
        ]
        if not results:
            continue
        n = sum(r.n for r in results)
        ece, auroc = (float(np.mean([getattr(r, key) for r in results])) for key in ("ece", "auroc"))
        metrics.append(Metric(f"ECE, {_count(shots, 'shot')}", round(100 * ece, 2), "%", n, how))
        metrics.append(Metric(f"AUROC known/unknown, {_count(shots, 'shot')}", round(auroc, 4), "", n, how))
    return metrics

"""From a trained network to shipped weights: export, head, calibration, figures, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from haleganada_server.core.fewshot.confidence import Calibration
from haleganada_server.runtime.network import EmbedderNetwork
from haleganada_server.training.pretrain.one_shot import (
    WAYS,
    Embeddings,
    challenge_tasks,
    cosine_error,
    random_tasks,
    typical_tasks,
)
from haleganada_server.training.pretrain.one_shot import Task as OneShotTask
from haleganada_server.training.pretrain.synthesis.library import Folders
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, Scans, load_omniglot
from haleganada_server.vision.encode import network_input

from .calibration import fit_calibration, make_tasks, reliability
from .card import Figure, Recipe, input_hashes, training_sources, weights_facts, write_cards
from .export import export_network, onnx_session
from .head_fit import Covariances, HeadFit, Shrinkage, covariances, fit_head, head_scores
from .held_out import FIRST_HALF, USUAL_DRAWERS, KeptOut, embed_kept_out
from .measure import ProductEmbedder, load_kannada, one_shot_error, product_rasters, writer_split_accuracy

CANDIDATES = [
    Shrinkage(within, between, widen)
    for within, between, widen in product((0.2, 0.5, 0.8), (0.0, 0.1, 0.8), (1.0, 1.6))
]
"""All directions are kept: half of them do as well on held-out alphabets, but leave a head too little to adapt."""
ONE_SHOT_TASKS, FIVE_SHOT_TASKS = 600, 300


@dataclass(frozen=True)
class Run:
    """What the cards tell of a run."""

    seed: int
    steps: int
    minutes: float
    drawings: int
    teacher: Path | None = None
    """Weights folder of the wider network that it started from."""
    averaged: Path | None = None
    """Weights folder of the earlier end that is averaged with this one."""


def finish(
    network: EmbedderNetwork, run: Run, folders: Folders, weights: Path, say: Callable[[str], None],
    provisional: bool = False,
) -> None:  # fmt: skip
    """Write all files of the weights folder."""
    weights.mkdir(parents=True, exist_ok=True)
    alphabets = load_omniglot(folders.data)
    sample = np.stack([c[0] for c in alphabets[HELD_OUT_ALPHABETS[0]][:16]])
    difference = export_network(network, weights, _ink(sample, network.shape.side))
    say(f"exported; torch and onnxruntime differ by {difference:.1e}")
    embedder = ProductEmbedder(onnx_session(weights / "embedder.onnx", 2), network.shape.side)
    kept_out = embed_kept_out(embedder, alphabets, folders)
    moments = covariances(kept_out.background)
    others = [] if kept_out.devanagari is None else [kept_out.devanagari]
    shrinkage = choose_shrinkage(moments, [*kept_out.alphabets.values(), *others], say)
    head = fit_head(moments, shrinkage)
    arrays = {"mean": head.mean, "projection": head.projection, "between": head.between}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, weights / "head.safetensors")
    calibration = _calibration(head, kept_out)
    say(f"calibration {calibration}")
    figures = [*measure(head, kept_out, embedder, folders.data), *measure_calibration(head, kept_out)]
    for figure in figures:
        say(f"{figure.name}: {figure.value:g} {figure.unit} (n = {figure.n})")
    recipe = Recipe(
        run.seed, run.steps, run.minutes, run.drawings, asdict(shrinkage), input_hashes(folders.data),
        weights_facts(run.teacher) if run.teacher else None, weights_facts(run.averaged) if run.averaged else None,
    )  # fmt: skip
    sources = training_sources(folders.data, folders.hanzi, folders.fonts)
    parameters = sum(p.numel() for p in network.parameters())
    write_cards(weights, network.shape, parameters, recipe, sources, figures, calibration, provisional)


def _ink(scans: Scans, side: int) -> NDArray[np.float32]:
    return network_input(product_rasters(scans), side)


def choose_shrinkage(moments: Covariances, held_out: list[Embeddings], say: Callable[[str], None]) -> Shrinkage:
    """The candidate with the fewest errors on held-out scripts, one and five shots counting alike. Twenty labels adapt
    the head so little that it is left out here.
    """
    losses, tasks = [], random_tasks(held_out, ONE_SHOT_TASKS)
    for candidate in CANDIDATES:
        head = fit_head(moments, candidate)
        one, five = one_shot_error(head, tasks, adapt=False), few_shot_error(head, held_out, 5, adapt=False)
        # Relative, because five shots leave far fewer errors to save.
        losses.append(float(np.log(max(one, 1e-4)) + np.log(max(five, 1e-4))))
        say(f"{candidate}: one shot {100 * one:.2f} %, five shots {100 * five:.2f} %")
    return CANDIDATES[int(np.argmin(losses))]


def few_shot_error(head: HeadFit, pools: list[Embeddings], shots: int, tasks: int = 300, adapt: bool = True) -> float:
    """Share of wrong answers with several taught drawings, within alphabets."""
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


def _calibration(head: HeadFit, kept_out: KeptOut, names: Iterable[str] = HELD_OUT_ALPHABETS) -> Calibration:
    """Fitted on these alphabets and on syllables."""
    tasks = make_tasks(head, kept_out.pools(names, USUAL_DRAWERS), 4, seed=1)
    return fit_calibration(tasks + make_tasks(head, kept_out.syllables, 2, seed=3))


def measure(head: HeadFit, kept_out: KeptOut, embedder: ProductEmbedder, data: Path) -> list[Figure]:
    """Errors on held-out alphabets and, for report only, on Kannada handwriting."""
    return [*_held_out_figures(head, kept_out), *_kannada_figures(head, embedder, data)]


def _held_out_figures(head: HeadFit, kept_out: KeptOut) -> list[Figure]:
    """20-way errors within alphabets that were never trained on."""
    pools, rasters = list(kept_out.alphabets.values()), list(kept_out.rasters.values())
    kinds = {
        "challenge's way": (challenge_tasks(pools, rasters), "four typical drawers, the 20 most diverse characters"),
        "typical drawers": (typical_tasks(pools, rasters, ONE_SHOT_TASKS), "four typical drawers, any 20 characters"),
        "all drawers": (random_tasks(pools, ONE_SHOT_TASKS), "any two of the 20 drawers, any 20 characters"),
    }
    figures = [figure for kind, (tasks, how) in kinds.items() for figure in _one_shot_figures(head, kind, tasks, how)]
    five = few_shot_error(head, pools, 5, FIVE_SHOT_TASKS)
    n_five = sum(min(WAYS, len(pools[i % len(pools)])) for i in range(FIVE_SHOT_TASKS))
    how = "held-out Omniglot alphabets, five of any drawers teach"
    return [*figures, Figure("20-way five-shot error, all drawers, PLDA", round(100 * five, 2), "%", n_five, how)]


def _one_shot_figures(head: HeadFit, kind: str, tasks: list[OneShotTask], how: str) -> list[Figure]:
    n, how = sum(len(taught) for taught, _ in tasks), f"held-out Omniglot alphabets, {how}"
    errors = {"PLDA": one_shot_error(head, tasks), "cosine": cosine_error(tasks)}
    return [
        Figure(f"20-way one-shot error, {kind}, {by}", round(100 * error, 2), "%", n, how)
        for by, error in errors.items()
    ]


def _kannada_figures(head: HeadFit, embedder: ProductEmbedder, data: Path) -> list[Figure]:
    """Handwriting of a script known from fonts only; evaluation, never training."""
    kannada = load_kannada(data, embedder)
    figures = []
    for shots in (1, 2, 5, 14) if kannada else ():
        assert kannada is not None
        share, n = writer_split_accuracy(head, kannada, shots)
        how = f"Chars74K, 657 labels, {shots} writers teach and the others test, suspect drawings left out"
        figures.append(Figure(f"Kannada top-1, {shots} taught", round(100 * share, 2), "%", n, how))
    return figures


def measure_calibration(head: HeadFit, kept_out: KeptOut) -> list[Figure]:
    """ECE and AUROC, fitted on one half of the held-out alphabets and measured on the other, both ways round."""
    halves = (FIRST_HALF, tuple(a for a in HELD_OUT_ALPHABETS if a not in FIRST_HALF))
    fits = [
        (_calibration(head, kept_out, fitted), make_tasks(head, kept_out.pools(asked), 4, seed=2))
        for fitted, asked in (halves, halves[::-1])
    ]
    figures = []
    how = (
        "held-out scripts, 1 to 100 ways, one query in ten is of an untaught character; fitted on other alphabets and"
        " on printed syllables"
    )
    for shots in (1, 2, 5, 20):
        results = [reliability(c, tasks, shots) for c, tasks in fits if any(t.situation.shots == shots for t in tasks)]
        if not results:
            continue
        n = sum(r.n for r in results)
        ece, auroc = (float(np.mean([getattr(r, key) for r in results])) for key in ("ece", "auroc"))
        figures.append(Figure(f"ECE, {shots} taught", round(100 * ece, 2), "%", n, how))
        figures.append(Figure(f"AUROC known/unknown, {shots} taught", round(auroc, 4), "", n, how))
    return figures

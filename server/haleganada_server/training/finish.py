"""From a trained network to shipped weights: export, head, calibration, figures, cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from haleganada_server.core.confidence import Calibration
from haleganada_server.runtime.network import EmbedderNetwork
from haleganada_server.training.calibrate import (
    Task,
    fit_calibration,
    make_tasks,
    reliability,
)
from haleganada_server.training.card import Figure, Recipe, input_hashes, training_sources, weights_facts, write_cards
from haleganada_server.training.export import export_network, onnx_session
from haleganada_server.training.head_fit import (
    Covariances,
    HeadFit,
    Shrinkage,
    covariances,
    fit_head,
    head_scores,
)
from haleganada_server.training.library import Folders
from haleganada_server.training.measure import (
    ProductEmbedder,
    load_kannada,
    one_shot_error,
    product_rasters,
    writer_split_accuracy,
)
from haleganada_server.training.one_shot import (
    WAYS,
    Embeddings,
    challenge_tasks,
    cosine_error,
    random_tasks,
    typical_tasks,
)
from haleganada_server.training.one_shot import (
    Task as OneShotTask,
)
from haleganada_server.training.sources import HELD_OUT_ALPHABETS, Scans, load_devanagari, load_omniglot
from haleganada_server.vision.encode import network_input

CANDIDATES = [
    Shrinkage(within, between, widen)
    for within, between, widen in product((0.2, 0.5, 0.8), (0.0, 0.1, 0.8), (1.0, 1.6))
]
"""All directions are kept: half of them do as well on held-out alphabets, but leave a head too little to adapt."""
ONE_SHOT_TASKS, FIVE_SHOT_TASKS = 600, 300
FIRST_HALF = ("Balinese", "Sanskrit", "Tifinagh")
"""Of the held-out alphabets: a calibration fitted on these is measured on the others, and the reverse."""


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


@dataclass(frozen=True)
class Measured:
    """Embeddings of everything that the head is fitted on and measured with."""

    background: list[Embeddings]
    held_out: dict[str, Embeddings]
    rasters: dict[str, NDArray[np.uint8]]
    """Of the held-out alphabets, (characters, drawers, 128, 128)."""
    turned: dict[str, Embeddings]
    """The held-out alphabets turned by 90 degrees: further characters, for tasks with many ways."""
    devanagari: Embeddings | None
    """Another set of writers, with enough drawings for twenty shots."""


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
    measured = embed_everything(embedder, alphabets, folders.data)
    moments = covariances(measured.background)
    others = [] if measured.devanagari is None else [measured.devanagari]
    shrinkage = choose_shrinkage(moments, [*measured.held_out.values(), *others], say)
    head = fit_head(moments, shrinkage)
    arrays = {"mean": head.mean, "projection": head.projection, "between": head.between}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, weights / "head.safetensors")
    calibration = fit_calibration(make_tasks(head, _pools(measured, HELD_OUT_ALPHABETS), 4, seed=1))
    say(f"calibration {calibration}")
    figures = [*measure(head, measured, embedder, folders.data), *measure_calibration(head, measured)]
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


def embed_everything(embedder: ProductEmbedder, alphabets: dict[str, list[Scans]], data: Path) -> Measured:
    """One pass of the product's own pipeline over all evaluation and background drawings."""
    background = [embedder.pool(c) for a, c in alphabets.items() if a not in HELD_OUT_ALPHABETS]
    rasters = {a: np.stack([product_rasters(c) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS}
    held_out = {a: embedder.of_rasters(x) for a, x in rasters.items()}
    turned = {a: embedder.pool([np.rot90(c, axes=(1, 2)) for c in alphabets[a]]) for a in HELD_OUT_ALPHABETS}
    devanagari = load_devanagari(data)
    return Measured(background, held_out, rasters, turned, embedder.pool(devanagari) if devanagari else None)


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


def _pools(measured: Measured, names: Iterable[str]) -> list[Embeddings]:
    """Single alphabets, all of them together, and together with their turned copies."""
    single = [measured.held_out[a] for a in names]
    turned = [measured.turned[a] for a in names]
    pools = [*single, np.concatenate(single), np.concatenate(single + turned)]
    return pools if measured.devanagari is None else [*pools, measured.devanagari]


def measure(head: HeadFit, measured: Measured, embedder: ProductEmbedder, data: Path) -> list[Figure]:
    """Errors on held-out alphabets and, for report only, on Kannada handwriting."""
    return [*_held_out_figures(head, measured), *_kannada_figures(head, embedder, data)]


def _held_out_figures(head: HeadFit, measured: Measured) -> list[Figure]:
    """20-way errors within alphabets that were never trained on."""
    pools, rasters = list(measured.held_out.values()), list(measured.rasters.values())
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


def measure_calibration(head: HeadFit, measured: Measured) -> list[Figure]:
    """ECE and AUROC, fitted on one half of the held-out alphabets and measured on the other, both ways round."""
    halves = (FIRST_HALF, tuple(a for a in HELD_OUT_ALPHABETS if a not in FIRST_HALF))
    made = [make_tasks(head, _pools(measured, half), 4, seed=2) for half in halves]
    fits: list[tuple[Calibration, list[Task]]] = [
        (fit_calibration(made[0]), made[1]),
        (fit_calibration(made[1]), made[0]),
    ]
    figures = []
    how = "held-out scripts, 1 to 100 ways, one query in ten is of an untaught character; fitted on other alphabets"
    for shots in (1, 2, 5, 20):
        results = [reliability(c, tasks, shots) for c, tasks in fits if any(t.situation.shots == shots for t in tasks)]
        if not results:
            continue
        n = sum(r.n for r in results)
        ece, auroc = (float(np.mean([getattr(r, key) for r in results])) for key in ("ece", "auroc"))
        figures.append(Figure(f"ECE, {shots} taught", round(100 * ece, 2), "%", n, how))
        figures.append(Figure(f"AUROC known/unknown, {shots} taught", round(auroc, 4), "", n, how))
    return figures

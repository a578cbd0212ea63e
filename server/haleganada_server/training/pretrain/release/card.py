"""The model card: what the weights are, what they were made from, and how good they are; for machines and people."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from haleganada_server.core.fewshot.adaptation import PRIOR_LABELS, PRIOR_SAMPLES
from haleganada_server.core.fewshot.confidence import TYPICAL_ROOM, Calibration
from haleganada_server.runtime.network import NetworkShape
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS, SCRIPTS, Script, font_license
from haleganada_server.training.pretrain.synthesis.library import font_files
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS

NAME = "haleganada-embedder"
FILES = ("embedder.onnx", "embedder.safetensors", "head.safetensors")
WEIGHTS_FILES = (*FILES, "card.json", "MODEL_CARD.md")
"""Of a weights folder, in the order in which they are written."""


@dataclass(frozen=True)
class Source:
    """Something trained on."""

    name: str
    license: str
    use: str


@dataclass(frozen=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str
    n: int
    """Answers that it was measured on."""
    how: str


@dataclass(frozen=True)
class Recipe:
    """What it takes to train the weights again."""

    seed: int
    steps: int
    minutes: float
    drawings: int
    shrinkage: Mapping[str, float]
    inputs: Mapping[str, str]
    """See input_hashes."""
    teacher: Mapping[str, Any] | None = None
    """See weights_facts; None for a network that started from nothing."""
    averaged: Mapping[str, Any] | None = None
    """The same, of the earlier end that was averaged with this one."""


def weights_facts(weights: Path) -> dict[str, Any]:
    """What a card tells of other weights that a run made use of, with what those in turn had made use of."""
    card = json.loads((weights / "card.json").read_text(encoding="utf-8"))
    training = card["training"]
    return {
        "name": f"{card['name']} {card['version']}",
        **{key: card[key] for key in ("side", "width")},
        "sha256": card["sha256"]["embedder.safetensors"],
        **{key: training[key] for key in ("seed", "steps", "minutes", "drawings")},
        **{key: training.get(key) for key in ("teacher", "averaged")},
    }


def input_hashes(data: Path) -> dict[str, str]:
    """SHA-256 of each file of drawings that training reads, by its path under `data`."""
    files = sorted(path for folder in ("omniglot", "english_chars62") for path in (data / folder).glob("*.*"))
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def other_inputs(training: Mapping[str, Any], data: Path) -> list[str]:
    """Files that are not those that weights were made from, in words. training: of their card; nothing if it says
    none.
    """
    expected, found = training.get("inputs", {}), input_hashes(data)
    missing = [f"{name} is missing" for name in expected if name not in found]
    return missing + [
        f"{name} is another file" for name in expected if found.get(name, expected[name]) != expected[name]
    ]


def training_sources(data: Path, hanzi: Path | None, fonts: Path | None) -> list[Source]:
    """Every source that a run with these folders draws from, with its license."""
    held_out = ", ".join(name.replace("_", " ") for name in HELD_OUT_ALPHABETS)
    found = [
        Source(
            "Omniglot background set, drawings and pen strokes (Lake, Salakhutdinov and Tenenbaum 2015)",
            "MIT",
            f"24 of 30 alphabets; held out: {held_out}",
        )
    ]
    if (data / "english_chars62").exists():
        found.append(Source("English handwritten characters, 0-9 A-Z a-z", "MIT", "2 % of the families of characters"))
    if hanzi:
        found.append(Source("hanzi-writer-data, stroke medians", "Arphic Public License", "parts of characters"))
    for license, names in sorted(_fonts_by_license(fonts, SCRIPTS).items()):
        found.append(Source("Fonts: " + ", ".join(names), license, "glyphs rendered and traced into pen-like lines"))
    for license, names in sorted(_fonts_by_license(fonts, HELD_OUT_SCRIPTS).items()):
        found.append(Source("Fonts: " + ", ".join(names), license, "the same, but only probabilities are fitted on it"))
    found.append(Source("Compositions of strokes and characters with one stroke changed", "MIT", "synthesised"))
    return found


def other_sources(training: Mapping[str, Any], found: Sequence[Source]) -> list[str]:
    """The same for sources and single fonts. found: as of training_sources."""
    expected = [part for source in training.get("sources", ()) for part in _parts(source["name"])]
    present = [part for source in found for part in _parts(source.name)]
    missing = [f"{part} is missing" for part in expected if part not in present]
    return missing + [f"{part} is there, too" for part in present if expected and part not in expected]


def _parts(source: str) -> list[str]:
    """ "Fonts: a, b" -> fonts a and b; else the source itself."""
    kind, _, names = source.partition(": ")
    return [f"the font {name}" for name in names.split(", ")] if kind == "Fonts" else [source]


def _fonts_by_license(fonts: Path | None, scripts: Sequence[Script]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, path in sorted(font_files(fonts, scripts).items() if fonts else []):
        grouped.setdefault(font_license(path), []).append(name.removesuffix(".ttf"))
    return grouped


def write_cards(
    folder: Path,
    shape: NetworkShape,
    parameters: int,
    recipe: Recipe,
    sources: Sequence[Source],
    figures: Sequence[Figure],
    calibration: Calibration,
    provisional: bool = False,
) -> None:
    """card.json and MODEL_CARD.md for the files in the folder."""
    now = datetime.now(timezone.utc)
    card: dict[str, Any] = {
        "name": NAME,
        "version": now.strftime("%Y.%m.%d") + ("-provisional" if provisional else ""),
        "date": now.strftime("%Y-%m-%d"),
        "license": "MIT",
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
        **shape.as_dict(),
        "parameters": parameters,
        "training": asdict(recipe) | {"sources": [asdict(s) for s in sources]},
        "calibration": {
            "form": f"log odds of unknown = u0 g + (u1 g) distance + (u2 g) lead, with g = (1, log shots, log ways, "
            f"e / (e + {PRIOR_SAMPLES:g}), ways / (ways + {PRIOR_LABELS:g})) and e = (shots - 1) ways; distance: "
            "log-likelihood of unknown less that of the best label; lead: of the best label less the mean of the next "
            f"ten; labels share the rest as softmax(s / exp(t h)), with h = (1, log shots, log ways, log (room / "
            f"{TYPICAL_ROOM:g})); room: mean squared distance from a label's mean to the nearest five others",
            "temperature": list(calibration.temperature),
            "unknown": [list(numbers) for numbers in calibration.unknown],
        },
        "figures": [asdict(f) for f in figures],
    }
    _write(folder / "card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    _write(folder / "MODEL_CARD.md", _readable(card))


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _readable(card: Mapping[str, Any]) -> str:
    """The same for people."""
    training = card["training"]
    sources = "\n".join(f"| {s['name']} | {s['license']} | {s['use']} |" for s in training["sources"])
    rows = [(f["name"], f"{f['value']:g} {f['unit']}", str(f["n"]), f["how"]) for f in card["figures"]]
    figures = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    calibration, side, dim = card["calibration"], card["side"], card["dim"]
    others = _lineage_in_words({**training, "side": card["side"], "width": card["width"]})
    return f"""# {card["name"]} {card["version"]}

Turns the drawing of one character into {dim} numbers of unit length, so that drawings of one character lie
together, also for scripts that it has never seen. A residual CNN of {card["parameters"] / 1e6:.2f} million parameters
on {side} x {side} ink rasters; a probabilistic LDA head scores labels and *unknown* from additive sums.

- `embedder.safetensors`: the network's weights, matrices in half precision; torch reads them by themselves
- `embedder.onnx`: what to do with them, for onnxruntime, which finds them in the file beside it; input `ink`
  (n, 1, {side}, {side}) float32, output `embedding` (n, {dim})
- `head.safetensors`: `mean`, `projection`, `between` (float64)
- `card.json`: this card for machines, with the SHA-256 of each file
- License of the weights: {card["license"]}. Made on {card["date"]}.

## Figures

Measured with the shipped ONNX graph and the server's own preprocessing.

| what | value | n | how |
|---|---|---|---|
{figures}

## Training

Seed {training["seed"]}, {training["steps"]} steps, {training["drawings"]:,} drawings, {training["minutes"]:.0f}
minutes on two shared CPU cores. The checkpoint was chosen on alphabets that were kept out of training.
{others}
| source | license | use |
|---|---|---|
{sources}

Of the alphabets of Omniglot's evaluation set only Kannada's script occurs in training, as fonts.
The Kannada handwriting that the figures name was never trained on.

## Calibration

{calibration["form"]}.

| of | constant | per log shots | per log ways | per log room | per share of the samples | per share of the labels |
|---|---|---|---|---|---|---|
{_coefficients(calibration)}

## Limits

One character at a time. Drawings that differ only by size, or by a place on the line (as comma and apostrophe do),
look the same to it. Very thin or very thick pens, and filled shapes, are seen less well.
"""


def _coefficients(calibration: Mapping[str, Any]) -> str:
    """Rows of a table; the temperature knows no shares, the rest no room."""
    rows = [("t", [*calibration["temperature"], None, None])]
    rows += [(f"u{i}", [*u[:3], None, *u[3:]]) for i, u in enumerate(calibration["unknown"])]
    cells = [[name, *("" if x is None else f"{x:.4f}" for x in numbers)] for name, numbers in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _lineage_in_words(weights: Mapping[str, Any], whose: str = "Its", which: str = "It") -> str:
    """Which ends were averaged, and what taught whom. weights: as of weights_facts."""
    return _averaged_in_words(weights, whose) + _teacher_in_words(weights, which)


def _averaged_in_words(weights: Mapping[str, Any], whose: str) -> str:
    earlier, teacher = weights.get("averaged"), weights.get("teacher")
    if not earlier:
        return ""
    if teacher and teacher["sha256"] == earlier["sha256"]:
        return f"\n{whose} weights are the mean of those that the run started with and those that it ended with.\n"
    return f"""
{whose} weights are the mean of two ends of one run. At the first one, after {earlier["steps"]} steps and
{earlier["minutes"]:.0f} minutes, the learning rate had fallen to nothing; then it rose again.
"""


def _teacher_in_words(weights: Mapping[str, Any], which: str) -> str:
    teacher = weights.get("teacher")
    if not teacher:
        return ""
    start = "the strongest channels of a wider network" if teacher["width"] > weights["width"] else "another network"
    side = teacher.get("side", weights["side"])
    spread = f" for {side} x {side} rasters, its maps spread over more cells" if side < weights["side"] else ""
    return f"""
{which} started as {start}{spread}, and imitated it in the first half of the run:
{teacher["name"]}, {teacher["width"]} channels, seed {teacher["seed"]}, {teacher["steps"]} steps,
{teacher["drawings"]:,} drawings, {teacher["minutes"]:.0f} minutes, SHA-256 of its embedder.safetensors
{teacher["sha256"]}.
{_lineage_in_words(teacher, "That one's", "That one")}"""

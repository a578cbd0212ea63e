"""The model card, for machines and for people: what the weights are, how they were trained, and how good they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from haleganada_server.core.fewshot.adaptation import PRIOR_LABELS, PRIOR_SAMPLES
from haleganada_server.core.fewshot.confidence import TYPICAL_SEPARATION, Calibration
from haleganada_server.runtime.weights import PLAIN_GRAPH
from haleganada_server.training.pretrain.network import NetworkShape
from haleganada_server.training.pretrain.synthesis.fonts import HELD_OUT_SCRIPTS, SCRIPTS, Script, font_license
from haleganada_server.training.pretrain.synthesis.library import find_font_files
from haleganada_server.training.pretrain.synthesis.sources import HELD_OUT_ALPHABETS, HELD_OUT_SYMBOLS

NAME = "haleganada-embedder"
FILES = ("embedder.onnx", "embedder.safetensors", "head.safetensors")
CALIBRATION_FORM = (
    "log-odds of unknown = min(0, log (missing labels / ways)) + u0 g + (u1 g) distance + (u2 g) lead, "
    f"with g = (1, log shots, log ways, e / (e + {PRIOR_SAMPLES:g}), ways / (ways + {PRIOR_LABELS:g})) "
    "and e = (shots - 1) ways; distance: log-likelihood of unknown minus that of the best label; "
    "lead: that of the best label minus the mean of the next ten; labels share the rest as softmax(s / exp(t h)), "
    f"with h = (1, log shots, log ways, log (separation / {TYPICAL_SEPARATION:g})); "
    "separation: mean squared distance from a label's mean to its five nearest others"
)
FOR_CALIBRATION = "for calibration only"
LIMITS = """\
It recognizes one character at a time. Drawings that differ only in size or in their position on the line, such as comma
and apostrophe, look the same to it. It is less accurate with very thin or very thick pens and with filled shapes.
"""
WEIGHTS_FILES = (*FILES, "card.json", "MODEL_CARD.md")
"""Files of a weights folder, in the order in which they are written."""


@dataclass(frozen=True)
class Source:
    """Training material, its license and its use."""

    name: str
    license: str
    use: str


@dataclass(frozen=True)
class Metric:
    """A measured value."""

    name: str
    value: float
    unit: str
    n: int
    """Number of answers."""
    how: str


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Facts that are needed to train the weights again."""

    seed: int
    steps: int
    minutes: float
    drawings: int
    shrinkage: Mapping[str, float]
    inputs: Mapping[str, str]
    """See hash_inputs."""
    teacher: Mapping[str, Any] | None = None
    """See describe_weights; None for a network that started from random weights."""
    averaged: Mapping[str, Any] | None = None
    """See describe_weights; of the earlier checkpoint in the average."""


def describe_weights(weights: Path) -> dict[str, Any]:
    """Return a card's facts about other weights that a run used, including those that they used in turn."""
    card = json.loads((weights / "card.json").read_text(encoding="utf-8"))
    training = card["training"]
    return {
        "name": f"{card['name']} {card['version']}",
        **{key: card[key] for key in ("side", "width")},
        "sha256": card["sha256"]["embedder.safetensors"],
        **{key: training[key] for key in ("seed", "steps", "minutes", "drawings")},
        **{key: training.get(key) for key in ("teacher", "averaged")},
    }


def hash_inputs(data: Path, symbols: Path | None = None) -> dict[str, str]:
    """Return the SHA-256 of each file of drawings that training reads, by its folder's and its own name."""
    folders = [data / "english_chars62", data / "omniglot", *([symbols] if symbols else [])]
    files = [path for folder in folders for path in sorted(folder.glob("*.*"))]
    return {f"{path.parent.name}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def find_changed_inputs(training: Mapping[str, Any], data: Path, symbols: Path | None = None) -> list[str]:
    """Describe files that are missing or have changed since weights were trained.

    training: of their card; without "inputs" there is nothing to compare.
    """
    expected, found = training.get("inputs", {}), hash_inputs(data, symbols)
    missing = [f"{name} is missing" for name in expected if name not in found]
    return missing + [f"{name} has changed" for name in expected if found.get(name, expected[name]) != expected[name]]


def list_sources(data: Path, hanzi: Path | None, fonts: Path | None, symbols: Path | None = None) -> list[Source]:
    """Return every source that a run with these folders uses."""
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
    if symbols:
        found.append(
            Source(
                "Detexify database of drawn symbols (detexify.kirelabs.org)",
                "ODbL 1.0",
                f"{HELD_OUT_SYMBOLS - 1} in {HELD_OUT_SYMBOLS} of its symbols, by the pens of strangers",
            )
        )
    if hanzi:
        found.append(Source("hanzi-writer-data, stroke medians", "Arphic Public License", "parts of characters"))
    for license, names in sorted(_group_fonts_by_license(fonts, SCRIPTS).items()):
        found.append(Source("Fonts: " + ", ".join(names), license, "glyphs rendered and traced into pen-like lines"))
    changed = "one stroke or one mark" if symbols else "one stroke"
    found.append(Source(f"Compositions of strokes and characters with {changed} changed", "MIT", "synthesized"))
    return found + list_calibration_sources(data, fonts)


def list_calibration_sources(data: Path, fonts: Path | None) -> list[Source]:
    """Return the sources that nothing but the calibration uses."""
    found = [
        Source("Fonts: " + ", ".join(names), license, FOR_CALIBRATION)
        for license, names in sorted(_group_fonts_by_license(fonts, HELD_OUT_SCRIPTS).items())
    ]
    if (data / "dhcd_devanagari").exists():
        found.append(Source("Handwritten Devanagari characters (DHCD)", "CC BY 4.0", FOR_CALIBRATION))
    return found


def find_changed_sources(training: Mapping[str, Any], found: Sequence[Source]) -> list[str]:
    """Describe sources and fonts that are missing or new since weights were trained. found: from list_sources."""
    expected = [part for source in training.get("sources", ()) for part in _split_fonts(source["name"])]
    present = [part for source in found for part in _split_fonts(source.name)]
    missing = [f"{part} is missing" for part in expected if part not in present]
    return missing + [f"{part} is new" for part in present if expected and part not in expected]


def _split_fonts(source: str) -> list[str]:
    """Split "Fonts: a, b" into fonts; return any other source as it is."""
    kind, _, names = source.partition(": ")
    return [f"the font {name}" for name in names.split(", ")] if kind == "Fonts" else [source]


def _group_fonts_by_license(fonts: Path | None, scripts: Sequence[Script]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, path in sorted(find_font_files(fonts, scripts).items() if fonts else []):
        grouped.setdefault(font_license(path), []).append(name.removesuffix(".ttf"))
    return grouped


def write_cards(
    folder: Path,
    shape: NetworkShape,
    parameters: int,
    recipe: Recipe,
    sources: Sequence[Source],
    metrics: Sequence[Metric],
    calibration: Calibration,
    provisional: bool = False,
) -> None:
    """Write card.json and MODEL_CARD.md for the files in a weights folder."""
    now = datetime.now(timezone.utc)
    card: dict[str, Any] = {
        "name": NAME,
        "version": now.strftime("%Y.%m.%d") + ("-provisional" if provisional else ""),
        "date": now.strftime("%Y-%m-%d"),
        "license": "MIT",
        "sha256": {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES},
        PLAIN_GRAPH: "",
        **shape.as_dict(),
        "parameters": parameters,
        "training": asdict(recipe) | {"sources": [asdict(s) for s in sources]},
        "calibration": _describe_calibration(calibration),
        "figures": [asdict(metric) for metric in metrics],
    }
    _write_both(folder, card)


def replace_calibration(
    folder: Path, calibration: Calibration, metrics: Sequence[Metric], sources: Sequence[Source]
) -> None:
    """Write a new calibration into the cards of a weights folder. metrics: of calibration, in place of those with the
    same first word. sources: all that a calibration uses, in place of those so far.
    """
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    measured = {metric.name.split()[0] for metric in metrics}
    kept = [figure for figure in card["figures"] if figure["name"].split()[0] not in measured]
    training = card["training"]
    trained = [source for source in training["sources"] if source["use"] != FOR_CALIBRATION]
    card["training"] = {**training, "sources": trained + [asdict(source) for source in sources]}
    card["calibration"] = _describe_calibration(calibration)
    card["figures"] = kept + [asdict(metric) for metric in metrics]
    _write_both(folder, card)


def _describe_calibration(calibration: Calibration) -> dict[str, Any]:
    return {
        "form": CALIBRATION_FORM,
        "temperature": list(calibration.temperature),
        "unknown": [list(numbers) for numbers in calibration.unknown],
        "missing_labels": calibration.missing_labels,
    }


def _write_both(folder: Path, card: Mapping[str, Any]) -> None:
    _write(folder / "card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    _write(folder / "MODEL_CARD.md", format_markdown(card))


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".tmp")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def format_markdown(card: Mapping[str, Any]) -> str:
    """Format a card for people."""
    training = card["training"]
    sources = "\n".join(f"| {s['name']} | {s['license']} | {s['use']} |" for s in training["sources"])
    rows = [(f["name"], f"{f['value']:g} {f['unit']}", str(f["n"]), f["how"]) for f in card["figures"]]
    metrics = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    side, dim = card["side"], card["dim"]
    others = _describe_lineage({**training, "side": card["side"], "width": card["width"]})
    return f"""# {card["name"]} {card["version"]}

Embeds the drawing of one character as a unit vector of {dim} numbers, so that drawings of the same character lie
close together, even in scripts that it has never seen. A residual CNN with {card["parameters"] / 1e6:.2f} million
parameters on {side} x {side} ink rasters; a probabilistic LDA head scores labels and *unknown* from additive
statistics.

- `embedder.onnx`: the graph for all devices, in 8 bits but for the first layer; input `ink` (n, 1, {side}, {side})
  float32, output `embedding` (n, {dim})
- `embedder.safetensors`: the network's weights in half precision, from which training can go on; wheels leave it out
- `head.safetensors`: `mean`, `projection`, `between` (float64)
- `card.json`: this card for machines, with the SHA-256 of each file
- License of the weights: {card["license"]}. Date: {card["date"]}.

## Metrics

Measured with the shipped ONNX graph and the server's own preprocessing.

| what | value | n | how |
|---|---|---|---|
{metrics}

## Training

Seed {training["seed"]}, {training["steps"]} steps, {training["drawings"]:,} drawings, {training["minutes"]:.0f}
minutes on two shared CPU cores. The checkpoint was chosen on held-out alphabets.
{others}
| source | license | use |
|---|---|---|
{sources}

Of the scripts in Omniglot's evaluation set, training uses only Kannada, and only in fonts.
The Kannada handwriting of the metrics was never trained on.

{_format_calibration(card["calibration"])}
## Limits

{LIMITS}"""


def _format_calibration(calibration: Mapping[str, Any]) -> str:
    """Format the form of the calibration and a table of its coefficients.

    The temperature has no coefficients of shares, the others none of separation.
    """
    rows = [("t", [*calibration["temperature"], None, None])]
    rows += [(f"u{i}", [*u[:3], None, *u[3:]]) for i, u in enumerate(calibration["unknown"])]
    cells = [[name, *("" if x is None else f"{x:.4f}" for x in numbers)] for name, numbers in rows]
    table = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    labels = calibration["missing_labels"]
    missing = "" if labels is None else f"Missing labels: {labels:g}.\n"
    return f"""## Calibration

{calibration["form"]}.
{missing}
| coefficient | constant | log shots | log ways | log separation | share of samples | share of labels |
|---|---|---|---|---|---|---|
{table}
"""


def _describe_lineage(weights: Mapping[str, Any], whose: str = "Its", which: str = "It") -> str:
    """Describe which checkpoints were averaged and which teachers imitated. weights: from describe_weights."""
    return _describe_average(weights, whose) + _describe_teacher(weights, which)


def _describe_average(weights: Mapping[str, Any], whose: str) -> str:
    earlier, teacher = weights.get("averaged"), weights.get("teacher")
    if not earlier:
        return ""
    if teacher and teacher["sha256"] == earlier["sha256"]:
        return f"\n{whose} weights are the mean of those at the start and at the end of the run.\n"
    return f"""
{whose} weights are the mean of two checkpoints of one run. At the first one, after {earlier["steps"]} steps and
{earlier["minutes"]:.0f} minutes, the learning rate had fallen to zero; then it rose again.
"""


def _describe_teacher(weights: Mapping[str, Any], which: str) -> str:
    teacher = weights.get("teacher")
    if not teacher:
        return ""
    start = "the strongest channels of a wider network" if teacher["width"] > weights["width"] else "another network"
    side = teacher.get("side", weights["side"])
    resampled = f" for {side} x {side} rasters (final weights resampled)" if side < weights["side"] else ""
    is_same = (teacher["width"], side) == (weights["width"], weights["side"])
    imitated = "" if is_same else " and imitated it during the first half of the run"
    return f"""
{which} started from {start}{resampled}{imitated}:
{teacher["name"]}, {teacher["width"]} channels, seed {teacher["seed"]}, {teacher["steps"]} steps,
{teacher["drawings"]:,} drawings, {teacher["minutes"]:.0f} minutes, SHA-256 of its embedder.safetensors
{teacher["sha256"]}.
{_describe_lineage(teacher, "That network's", "That network")}"""

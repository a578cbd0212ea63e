"""The card of a model trained on a data set: everything needed to run it and to name it.

It is stored as model.json beside the weights, and as metadata in an exported ONNX file. Nothing in it runs code.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from haleganada_server.core.disk.checksum import require_format, seal, unseal
from haleganada_server.core.error_reasons import Reason
from haleganada_server.core.errors import HaleganadaError, Precondition
from haleganada_server.core.labels import normalize_label
from haleganada_server.core.limits import MAX_LABEL_LENGTH
from haleganada_server.core.lines.alphabet import SymbolKind

CARD_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an ink raster (128 x 128, 255 = ink on 0) becomes a network's input.

    side: height and width in px, resized by area. channels: 1, or 3 equal ones. mean, std: for each channel, subtracted
    and divided by after the ink is scaled to 0..1 (1 = ink). dark_ink: ink is 0 and paper 1 instead, which is how
    ImageNet networks see drawings.
    """

    side: int
    channels: int = 1
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    dark_ink: bool = False


@dataclass(frozen=True, slots=True)
class LineInput:
    """How the picture of a line becomes a network's input: gray, 0 = black to 1 = white, its contrast stretched.

    height, width: in px; width 0 = as wide as the line at that height, times `stretch`, 3,200 px at most. A line that
    is narrower than a given width has paper behind it; a wider one is squeezed. symbols: what the labels are, see
    core/lines/alphabet.py.
    """

    height: int
    width: int = 0
    stretch: float = 1.0
    symbols: str = SymbolKind.POINTS.value


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """One trained model.

    labels: in the order of the outputs, NFC, unique; of a model that reads lines its symbols, before which the outputs
    have one for no symbol. line: how a picture of a line becomes its input; None for a model of single characters.
    temperature: divides the logits before the softmax; fitted on the validation part. parameters: number of weights and
    biases. sha256: of its files, by name. options: of the preset's network. metrics: for example "validation_accuracy",
    "test_accuracy" (0..1), "milliseconds" (one drawing, one core).
    """

    preset: str
    name: str
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    temperature: float
    parameters: int
    created_us: int
    dataset_name: str
    dataset_sha256: str
    sha256: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    """The settings of its training, and the versions of the software that trained it."""
    line: LineInput | None = None
    sizes: dict[str, int] = field(default_factory=dict, compare=False)
    """Bytes of its files, by name; {} in older cards. Ignored when cards are compared, because hashes say more."""

    @property
    def outputs(self) -> int:
        """How many numbers the network says about a drawing, or about each step of a line."""
        return len(self.labels) + (self.line is not None)

    def to_json(self) -> str:
        """Return the card as one JSON object with a checksum."""
        return json.dumps(seal({"format": CARD_FORMAT, **asdict(self)}), ensure_ascii=False, indent=1)

    @staticmethod
    def from_json(text: str | bytes) -> ModelCard:
        """Parse what to_json returns. Raises Precondition for anything that is not a card, or not as it was written."""
        try:
            entry = unseal(json.loads(text))
            require_format(entry, CARD_FORMAT)
            entry.setdefault("sizes", {})  # older cards lack both
            entry.setdefault("line", None)
            known = {name: entry[name] for name in (f.name for f in fields(ModelCard))}
            known["labels"] = tuple(known["labels"])
            known["preprocessing"] = _parse_preprocessing(known["preprocessing"])
            known["line"] = LineInput(**known["line"]) if known["line"] else None
            card = ModelCard(**known)
            card.check()
        except (HaleganadaError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Precondition(f"model.json cannot be read ({error})", Reason.MODEL_DAMAGED) from error
        return card

    def check(self) -> None:
        """Raise ValueError, or InvalidInput for a label, if the fields are inconsistent."""
        if not all(
            isinstance(text, str)
            for text in (self.name, self.preset, *self.labels, *self.sha256, *self.sha256.values())
        ):
            raise ValueError("a name, a label or a hash is not text")
        if not all(
            isinstance(number, (int, float))
            for number in (self.created_us, self.parameters, *self.metrics.values(), *self.sizes.values())
        ):
            raise ValueError("a metric, a size or a count is not a number")
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise ValueError("labels are missing or not unique")
        if self.line is not None:
            _check_line(self.line, self.labels)
        elif any(normalize_label(label, "labels") != label for label in self.labels):
            raise ValueError("a label is not normalized")
        if not self.temperature > 0:
            raise ValueError("temperature is not above 0")


def _check_line(line: LineInput, symbols: tuple[str, ...]) -> None:
    SymbolKind(line.symbols)
    if not all(symbols) or max(map(len, symbols)) > MAX_LABEL_LENGTH or "\n" in "".join(symbols):
        raise ValueError("a symbol is empty, too long, or a line break")
    if not (16 <= line.height <= 256 and 0 <= line.width <= 4096 and 0.25 <= line.stretch <= 4):
        raise ValueError("the size of a line's picture is out of range")


def _parse_preprocessing(entry: dict[str, Any]) -> Preprocessing:
    values = {**entry, "mean": tuple(entry["mean"]), "std": tuple(entry["std"])}
    parsed = Preprocessing(**values)
    if parsed.side < 1 or parsed.channels not in (1, 3) or not len(parsed.mean) == len(parsed.std) == parsed.channels:
        raise ValueError("the preprocessing is inconsistent")
    return parsed

"""Pictures of predictions: well-formed, self-contained, and nothing in a name or label that becomes markup."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from haleganada_client.cli.output.visualization import write_visualization
from haleganada_client.cli.output.visualization_png import Item
from haleganada_client.types import Candidate, Decision, ItemError, Prediction
from numpy.typing import NDArray
from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n and more"
HOSTILE = "<script>alert('x')</script>&\x1b\u202e"
SVG = "{http://www.w3.org/2000/svg}"


def candidate(label: str, probability: float) -> Candidate:
    return Candidate(
        label=label,
        probability=probability,
        canonical=label,
        canonical_probability=probability,
        forms=(label,),
        code_points=tuple(f"U+{ord(char):04X}" for char in label),
        samples=1,
        class_id=0,
    )


def prediction(*candidates: Candidate, decision: Decision = Decision.RECOGNIZED) -> Prediction:
    return Prediction(
        candidates=candidates,
        unknown_probability=0.01,
        decision=decision,
        revision=3,
        prediction_id="id",
        model="few-shot",
    )


ITEMS: list[Item] = [
    ("letters/ಅ.png", PNG, prediction(candidate("ಅ", 0.9), candidate("ಕ್ಷ", 0.05))),
    (HOSTILE, b"\xff\xd8jpeg", prediction(candidate(HOSTILE, 0.5), decision=Decision.UNSURE)),
    ("none.png", PNG, prediction(decision=Decision.NOTHING_TAUGHT)),
    ("bad.png", b"no picture", ItemError(3, "INVALID_INPUT", f"is not an image {HOSTILE}", "image")),
]


def svg_of(path: Path) -> ElementTree.Element:
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def test_an_svg_has_a_card_for_each_drawing(tmp_path: Path) -> None:
    write_visualization(tmp_path / "v.svg", ITEMS)
    root = svg_of(tmp_path / "v.svg")
    text = " ".join(root.itertext())
    assert all(word in text for word in ("ಅ", "ಕ್ಷ", "90.0 %", "0C85", "recognized", "not sure", "not readable"))
    pictures = [image.attrib["href"] for image in root.iter(f"{SVG}image")]
    assert [base64.b64decode(picture.partition(",")[2]) for picture in pictures] == [PNG, b"\xff\xd8jpeg", PNG]
    assert len(root.findall(f"{SVG}g")) == 4


def test_a_page_is_made_of_the_same_cards(tmp_path: Path) -> None:
    write_visualization(tmp_path / "v.HTML", ITEMS)
    page = (tmp_path / "v.HTML").read_text(encoding="utf-8")
    cards = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(cards) == 4
    for card in cards:
        ElementTree.fromstring(card)


@pytest.mark.parametrize("ending", ["svg", "html"])
def test_names_and_labels_are_text(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"v.{ending}"
    write_visualization(path, ITEMS)
    drawn = path.read_text(encoding="utf-8")
    assert "<script" not in drawn and "\x1b" not in drawn and "\u202e" not in drawn
    assert not re.findall(r"(?:href|src)=['\"](?!data:image/)", drawn), "something is fetched from elsewhere"


def test_bars_are_as_long_as_the_probabilities(tmp_path: Path) -> None:
    write_visualization(tmp_path / "v.svg", ITEMS[:1])
    root = svg_of(tmp_path / "v.svg")
    width = {
        rect.attrib["class"]: float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect") if "class" in rect.attrib
    }
    assert width["best"] / width["track"] == pytest.approx(0.9, abs=0.01)
    assert width["bar"] / width["track"] == pytest.approx(0.05, abs=0.01)


def draw_card(path: Path, name: str, content: bytes, *labels: str) -> NDArray[np.uint8]:
    """Return the pixels of a card, the picture's place at its left."""
    write_visualization(path / "v.png", [(name, content, prediction(*(candidate(label, 0.5) for label in labels)))])
    with Image.open(path / "v.png") as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


def test_a_png_shows_the_drawing_beside_its_candidates(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.new("LA", (300, 200), (0, 128)).save(file, "PNG")  # black, half transparent
    plain, card = (draw_card(tmp_path, "a", content, "a") for content in (b"no picture", file.getvalue()))
    place = (slice(70, 90), slice(60, 110))
    assert (plain[place] == 255).all() and np.ptp(card[place]) == 0 and 120 < card[place].mean() < 135
    assert (plain[:, 200:] == card[:, 200:]).all()
    assert (draw_card(tmp_path, "a", b"", "b")[:, 170:240] != card[:, 170:240]).any(), "another label looks different"


def test_a_png_has_a_card_for_each_drawing(tmp_path: Path) -> None:
    write_visualization(tmp_path / "v.png", ITEMS)
    with Image.open(tmp_path / "v.png") as image:
        assert image.size == (3 * 432 + 12, 2 * 178 + 12)

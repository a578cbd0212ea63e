"""Load training material from files. Every source is openly licensed and named in the model card.

- the Omniglot background set (Lake, Salakhutdinov and Tenenbaum 2015), MIT: drawings and pen strokes
- hanzi-writer-data, Arphic Public License: stroke medians of Chinese characters
- handwritten English letters and digits, MIT
- the Detexify database of symbols, ODbL 1.0: pen strokes of strangers
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .polylines import Drawing, resample

HELD_OUT_ALPHABETS = ("Armenian", "Balinese", "Early_Aramaic", "Korean", "Sanskrit", "Tifinagh")
"""Never trained on in any form, fonts included: for choosing checkpoints, calibration and evaluation."""
HELD_OUT_SYMBOLS = 5
"""One in so many of Detexify's symbols is never trained on."""
OMNIGLOT_SIDE = 105
Scans = NDArray[np.uint8]


def load_omniglot(data: Path) -> dict[str, list[Scans]]:
    """Return alphabet -> characters, each (writers, 105, 105), 255 = ink, in the order of the writers."""
    with np.load(data / "omniglot" / "background_105.npz") as file:
        bits, labels, writers, names = file["bits"], file["y"], file["drawer"], file["classes"]
    pixels = np.unpackbits(bits, axis=1)[:, : OMNIGLOT_SIDE**2].reshape(-1, OMNIGLOT_SIDE, OMNIGLOT_SIDE) * 255
    alphabets: dict[str, list[Scans]] = {}
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        rows = rows[np.argsort(writers[rows], kind="stable")]
        alphabets.setdefault(str(names[label]).split("/")[1], []).append(pixels[rows])
    return alphabets


def load_omniglot_strokes(data: Path) -> list[list[list[Drawing]]]:
    """Return drawings as recorded pen strokes by alphabet and character, without the held-out alphabets."""
    alphabets: dict[str, dict[str, list[Drawing]]] = {}
    for part in (1, 2):
        with zipfile.ZipFile(data / "omniglot" / f"strokes_background_small{part}.zip") as archive:
            for name in sorted(archive.namelist()):
                match = re.match(r"strokes_background_small\d/([^/]+)/([^/]+)/\w+\.txt$", name)
                if match and match[1] not in HELD_OUT_ALPHABETS:
                    drawing = _parse_strokes(archive.read(name).decode())
                    if drawing:
                        alphabets.setdefault(match[1], {}).setdefault(match[2], []).append(drawing)
    return [list(characters.values()) for _, characters in sorted(alphabets.items())]


def _parse_strokes(text: str) -> Drawing | None:
    """Parse a drawing in Omniglot's text format: START, lines of x,y,t, and BREAK after each stroke."""
    strokes: list[NDArray[np.float32]] = []
    current: list[tuple[float, float]] = []
    for line in text.splitlines():
        if line.startswith("BREAK"):
            if current:
                strokes.append(np.array(current, np.float32))
            current = []
        elif not line.startswith("START"):
            x, y, _ = line.split(",")
            current.append((float(x) / OMNIGLOT_SIDE, -float(y) / OMNIGLOT_SIDE))
    return Drawing.from_strokes([resample(s, 0.06) for s in strokes]).center() if strokes else None


def load_symbols(folder: Path, held_out: bool = False) -> list[list[Drawing]]:
    """Return Detexify's symbols as recorded pen strokes, each by many people; symbols that are drawn alike are one.

    held_out: return those that are never trained on instead of the others.
    """
    with np.load(folder / "strokes.npz") as file:
        points, labels = file["points"].astype(np.float32) / 255, file["group"][file["y"]]
        stroke_ends, drawing_ends = file["stroke_end"], file["glyph_end"]
    strokes = np.split(points, stroke_ends[:-1])
    symbols: dict[int, list[Drawing]] = {}
    for label, start, end in zip(labels.tolist(), [0, *drawing_ends[:-1]], drawing_ends, strict=True):
        if (label % HELD_OUT_SYMBOLS == 0) == held_out:
            resampled = [resample(s, 0.06, 48) for s in strokes[start:end]]
            symbols.setdefault(label, []).append(Drawing.from_strokes(resampled).center())
    return [drawings for _, drawings in sorted(symbols.items())]


def load_hanzi(folder: Path, most_strokes: int = 10) -> list[Drawing]:
    """Return the stroke medians of characters with at most that many strokes."""
    drawings = []
    for path in sorted(folder.glob("*.json")):
        medians = json.loads(path.read_text())
        medians = medians.get("medians", []) if isinstance(medians, dict) else []
        if 0 < len(medians) <= most_strokes:
            strokes = [resample(np.array(m, np.float32) * (1, -1) / 1024, 0.07) for m in medians]
            drawings.append(Drawing.from_strokes(strokes).center())
    return drawings


def load_english(data: Path) -> list[list[Scans]]:
    """Return digits, capitals and small letters, each a list of characters (drawings, 64, 64), 255 = ink."""
    path = data / "english_chars62" / "english_chars62_64.npz"
    if not path.exists():
        return []
    with np.load(path) as file:
        x, y = file["x"], file["y"]
    characters = [x[y == label] for label in np.unique(y)]
    # Separate, because O, o and 0 in one batch would be three labels of one shape.
    return [characters[:10], characters[10:36], characters[36:62]]


def load_devanagari(data: Path, drawings: int = 60) -> list[Scans]:
    """Return handwritten Devanagari characters (DHCD, CC BY 4.0), (drawings, 32, 32) each, for calibration only."""
    path = data / "dhcd_devanagari" / "dhcd_32.npz"
    if not path.exists():
        return []
    with np.load(path) as file:
        x, y = file["x"], file["y"]
    return [x[y == label][:drawings] for label in np.unique(y)]

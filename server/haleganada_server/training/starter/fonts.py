"""Digits and small letters in handwriting fonts; each font acts as another writer.

The layout is that of @fontsource packages in npm: NAME/package.json and NAME/files/NAME-latin-400-normal.woff. Packages
without one of the open licenses below are skipped.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

OPEN_LICENSES = ("OFL-1.1", "Apache-2.0")
_PATTERN = "*-latin-400-normal.woff"
_EM = 96  # px
_MARGIN = 8  # px

Scan = NDArray[np.uint8]


def find_open_fonts(folder: Path) -> dict[str, str]:
    """Return the license of each openly licensed font at any depth below a folder, by its path, sorted."""
    found = {str(path): _read_license(path) for path in sorted(folder.rglob(_PATTERN))}
    return {path: license for path, license in found.items() if license in OPEN_LICENSES}


def render_labels(path: Path, labels: tuple[str, ...]) -> dict[str, Scan]:
    """Render labels as ink (h, w), 255 = ink; labels that the font lacks are left out."""
    font = ImageFont.truetype(str(path), _EM)
    missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
    rendered = {}
    for label in labels:
        mask = font.getmask(label)
        if mask.getbbox() is not None and (mask.getbbox(), bytes(mask)) != missing:
            rendered[label] = _render(label, font)
    return rendered


def _render(label: str, font: ImageFont.FreeTypeFont) -> Scan:
    left, top, right, bottom = font.getbbox(label)
    image = Image.new("L", (int(right - left) + 2 * _MARGIN, int(bottom - top) + 2 * _MARGIN))
    ImageDraw.Draw(image).text((_MARGIN - left, _MARGIN - top), label, fill=255, font=font)
    return np.asarray(image)


def _read_license(path: Path) -> str:
    """Return the license that the font's package states; "" if there is no package."""
    try:
        return str(json.loads((path.parents[1] / "package.json").read_bytes()).get("license", ""))
    except (OSError, ValueError, AttributeError):
        return ""

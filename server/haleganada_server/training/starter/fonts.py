"""Digits and small letters of handwriting fonts: each font is one more hand.

The fonts come as npm's @fontsource packages lay them out, NAME/package.json and NAME/files/NAME-latin-400-normal.woff;
one whose package names another license than the open ones below is left out.
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


def open_fonts(folder: Path) -> dict[str, str]:
    """Font file, as text, -> license; sorted, for all handwriting fonts at any depth below a folder."""
    found = {str(path): _license(path) for path in sorted(folder.rglob(_PATTERN))}
    return {path: license for path, license in found.items() if license in OPEN_LICENSES}


def written_in(path: Path, labels: tuple[str, ...]) -> dict[str, Scan]:
    """Label -> its ink (h, w), 255 = ink, without the labels that the font does not have."""
    font = ImageFont.truetype(str(path), _EM)
    missing = font.getmask("\uffff").getbbox(), bytes(font.getmask("\uffff"))
    drawn = {}
    for label in labels:
        mask = font.getmask(label)
        if mask.getbbox() is not None and (mask.getbbox(), bytes(mask)) != missing:
            drawn[label] = _scan(label, font)
    return drawn


def _scan(label: str, font: ImageFont.FreeTypeFont) -> Scan:
    left, top, right, bottom = font.getbbox(label)
    image = Image.new("L", (int(right - left) + 2 * _MARGIN, int(bottom - top) + 2 * _MARGIN))
    ImageDraw.Draw(image).text((_MARGIN - left, _MARGIN - top), label, fill=255, font=font)
    return np.asarray(image)


def _license(path: Path) -> str:
    """As the font's package states it; "" if there is no package."""
    try:
        return str(json.loads((path.parents[1] / "package.json").read_bytes()).get("license", ""))
    except (OSError, ValueError, AttributeError):
        return ""

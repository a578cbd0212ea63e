"""What people get to see of how a model reads: error rates, what was read as what, and the worst lines as pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from haleganada_server.core.lines.error_rates import (
    ErrorRate,
    ReadLine,
    count_character_edits,
    count_confusions,
    measure_characters,
    measure_words,
)
from haleganada_server.training.common.atomic_files import write_atomically
from haleganada_server.training.common.lettering import Lettering
from haleganada_server.vision.line_pictures import GrayLine

RESULTS, WORST = "line_results.json", "worst_lines.png"
_SHOWN = 20
_WIDTH, _TEXT, _MARGIN = 1_200, 22, 8  # px
_BLACK, _RED, _WHITE = (0, 0, 0), (176, 0, 32), (255, 255, 255)


def write_report(files: Path, read: Sequence[ReadLine], pictures: Sequence[GrayLine], prefix: str = "") -> list[str]:
    """Write line_results.json and worst_lines.png, and return their names. pictures: of the lines. prefix: of names."""
    worst = sorted(range(len(read)), key=lambda i: (-_rate(read[i]), i))
    worst = [i for i in worst if _rate(read[i]) > 0][:_SHOWN]
    content = {**describe_errors(read), "worst": [_describe_line(read[i], i) for i in worst]}
    results, sheet = f"{prefix}{RESULTS}", f"{prefix}{WORST}"
    write_atomically(files / results, json.dumps(content, ensure_ascii=False, indent=1).encode())
    if not worst:
        return [results]
    _draw([(read[i], pictures[i]) for i in worst]).save(files / sheet)
    return [results, sheet]


def describe_errors(read: Sequence[ReadLine]) -> dict[str, Any]:
    """Return error rates and confusions as JSON values."""
    confusions = [
        {"right": right, "read": wrong, "count": count} for (right, wrong), count in count_confusions(read)[:40]
    ]
    return {
        "lines": len(read),
        "character_error_rate": _describe_rate(measure_characters(read)),
        "word_error_rate": _describe_rate(measure_words(read)),
        "confusions": confusions,
    }


def _describe_rate(rate: ErrorRate) -> dict[str, Any]:
    return {"rate": rate.rate, "low": rate.low, "high": rate.high, "edits": rate.edits, "length": rate.length}


def _describe_line(line: ReadLine, number: int) -> dict[str, Any]:
    edits, length = count_character_edits(line)
    return {"line": number, "text": line.text, "read": line.read, "edits": edits, "length": length}


def _rate(line: ReadLine) -> float:
    edits, length = count_character_edits(line)
    return edits / max(length, 1)


def _draw(lines: Sequence[tuple[ReadLine, GrayLine]]) -> Image.Image:
    """Draw each line above what it says and what was read."""
    lettering = Lettering.for_labels([text for line, _ in lines for text in (line.text, line.read)])
    pictures = [Image.fromarray(np.ascontiguousarray(gray)).convert("RGB") for _, gray in lines]
    for picture in pictures:
        picture.thumbnail((_WIDTH - 2 * _MARGIN, picture.height))
    heights = [picture.height + 2 * (_TEXT + 2 * _MARGIN) for picture in pictures]
    sheet = Image.new("RGB", (_WIDTH, sum(heights)), _WHITE)
    canvas, top = ImageDraw.Draw(sheet), 0
    for (line, _), picture, height in zip(lines, pictures, heights, strict=True):
        sheet.paste(picture, (_MARGIN, top + _MARGIN))
        below = top + picture.height + _MARGIN + _TEXT // 2 + _MARGIN // 2
        for row, (text, color) in enumerate(((line.text, _BLACK), (line.read or "—", _RED))):
            at = (_MARGIN, below + row * (_TEXT + _MARGIN))
            lettering.draw(canvas, at, text, _TEXT, color, width=_WIDTH - 2 * _MARGIN)
        top += height
    return sheet

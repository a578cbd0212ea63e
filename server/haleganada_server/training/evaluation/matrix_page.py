"""confusion_matrix.html: the matrix to zoom into, in one file that needs no network and no library.

A label may be any text. So labels enter as JSON in which nothing can end the script element, and the page's script
shows them as text only. The file's content security policy lets nothing run but that script.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .metrics import Evaluation

MOST_BYTES = 440_000  # for labels and cells; the rarest cells beyond it are left out
_PARTS = Path(__file__).parent / "matrix_page_parts"
_UNSAFE = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def write_confusion_page(path: Path, evaluation: Evaluation, title: str, about: str) -> None:
    """Write the page. title, about: one sentence each."""
    style = (_PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((_PARTS / name).read_text(encoding="utf-8") for name in ("matrix.js", "controls.js"))
    policy = (
        f"default-src 'none'; script-src {_hash_source(script)}; style-src {_hash_source(style)}; base-uri 'none'; "
        "form-action 'none'"
    )
    data = {"title": title, "about": about, **_collect_data(evaluation)}
    values = {
        "policy": policy,
        "title": html.escape(title),
        "style": style,
        "script": script,
        "data": json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE),
    }
    template = (_PARTS / "page.html").read_text(encoding="utf-8")
    # In one pass, because a label may look like a placeholder.
    page = re.sub(r"{{(\w+)}}", lambda match: values[match[1]], template)
    path.write_text(page, encoding="utf-8", newline="\n")


def _hash_source(text: str) -> str:
    """Return how a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _collect_data(evaluation: Evaluation) -> dict[str, list[str] | list[int] | int]:
    """Return the page's data.

    labels: those that were drawn or predicted. totals: number of drawings of each. cells: row, column and count of each
    cell that is not 0, one after another. left_out: number of cells left out to keep the file small. rarest: the
    largest count of those, else 0.
    """
    rows = np.union1d(evaluation.truth, evaluation.predictions.best)
    labels = [evaluation.space.labels[row] for row in rows]
    truth, best = np.searchsorted(rows, evaluation.truth), np.searchsorted(rows, evaluation.predictions.best)
    places, counts = np.unique(truth * len(rows) + best, return_counts=True)
    row, column = np.divmod(places, len(rows))
    order = np.lexsort((places, -counts, row != column))  # correct predictions first, then the most frequent mistakes
    cells = np.stack([row, column, counts], axis=1)[order]
    fitting = _count_fitting(cells, MOST_BYTES - len(json.dumps(labels, ensure_ascii=False).encode()))
    return {
        "labels": labels,
        "totals": np.bincount(truth, minlength=len(rows)).tolist(),
        "cells": cells[:fitting].ravel().tolist(),
        "left_out": len(cells) - fitting,
        "rarest": int(cells[fitting:, 2].max(initial=0)),
    }


def _count_fitting(cells: NDArray[np.int64], room: int) -> int:
    """Return how many cells fit into `room` bytes.

    Equally frequent mistakes are kept or left out together, or else some labels would seem never to be mistaken.
    """
    sizes = accumulate(len(json.dumps(cell, separators=(",", ":"))) for cell in cells.tolist())
    fitting = sum(size <= room for size in sizes)
    wrong = cells[:, 0] != cells[:, 1]
    if fitting == len(cells) or not wrong[fitting]:
        return fitting
    return int((wrong & (cells[:, 2] == cells[fitting, 2])).argmax())

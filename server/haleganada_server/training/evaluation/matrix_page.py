"""confusion_matrix.html: the matrix to zoom into, in one file that needs no network and no library.

Labels may be anything, so they enter as JSON in which nothing can end the script element, and the page's script puts
them on the screen as text only. The policy in the file lets nothing run but that script.
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

from .metrics import Measured

MOST_BYTES = 440_000  # of labels and cells; the rarest cells are left out beyond it
_PARTS = Path(__file__).parent / "matrix_page_parts"
_UNSAFE = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\u2028\u2029"})


def confusion_page(path: Path, measured: Measured, title: str, about: str) -> None:
    """title, about: one sentence each."""
    style = (_PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((_PARTS / name).read_text(encoding="utf-8") for name in ("matrix.js", "controls.js"))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    data = json.dumps({"title": title, "about": about, **_data(measured)}, ensure_ascii=False, separators=(",", ":"))
    filled = {"policy": policy, "title": html.escape(title), "style": style, "script": script}
    filled["data"] = data.translate(_UNSAFE)
    page = (_PARTS / "page.html").read_text(encoding="utf-8")
    whole = re.sub(r"{{(\w+)}}", lambda found: filled[found[1]], page)  # once, as a label may look like a placeholder
    path.write_text(whole, encoding="utf-8", newline="\n")


def _hash(text: str) -> str:
    """As a policy names an inline script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _data(measured: Measured) -> dict[str, list[str] | list[int] | int]:
    """labels: those drawn or answered. totals: of each, how many were drawn. cells: row, column, count of each that is
    not 0, one after another. left_out: how many cells are not there because of the file's size. rarest: the largest
    count of those, else 0.
    """
    rows = np.union1d(measured.truth, measured.answers.best)
    labels = [measured.space.labels[row] for row in rows]
    truth, best = np.searchsorted(rows, measured.truth), np.searchsorted(rows, measured.answers.best)
    places, counts = np.unique(truth * len(rows) + best, return_counts=True)
    row, column = np.divmod(places, len(rows))
    order = np.lexsort((places, -counts, row != column))  # right answers first, then the most frequent wrong ones
    cells = np.stack([row, column, counts], axis=1)[order]
    kept = _kept(cells, MOST_BYTES - len(json.dumps(labels, ensure_ascii=False).encode()))
    return {
        "labels": labels,
        "totals": np.bincount(truth, minlength=len(rows)).tolist(),
        "cells": cells[:kept].ravel().tolist(),
        "left_out": len(cells) - kept,
        "rarest": int(cells[kept:, 2].max(initial=0)),
    }


def _kept(cells: NDArray[np.int64], room: int) -> int:
    """How many cells fit into so many bytes. Of equally frequent wrong answers all are kept or none, or else it would
    seem as if some labels were never mistaken.
    """
    sizes = accumulate(len(json.dumps(cell, separators=(",", ":"))) for cell in cells.tolist())
    kept = sum(size <= room for size in sizes)
    wrong = cells[:, 0] != cells[:, 1]
    if kept == len(cells) or not wrong[kept]:
        return kept
    return int((wrong & (cells[:, 2] == cells[kept, 2])).argmax())

"""Draws a sheet of drawings as a network receives them: python -m haleganada_server.training.preview REQUEST.json.

The request is {"dataset": {"folder", "name", "sha256", "labels"}, "preset", "drawings", "views", "seed", "sheet"}.
Writes a PNG to the path `sheet`, and one line of JSON to standard output: {"done": {"labels": of the rows, "side"}} or
{"failed": {"reason", "message"}}.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haleganada_server.core.models.presets import preset_facts
from haleganada_server.training.common.job_errors import describe_failure


def main(arguments: list[str]) -> int:
    """Carry out one request and return the exit status: 0 whenever a line was written."""
    try:
        answer = {"done": carry_out(json.loads(Path(arguments[0]).read_text(encoding="utf-8")))}
    except Exception as error:
        traceback.print_exc()
        answer = {"failed": describe_failure(error)}
    print(json.dumps(answer, ensure_ascii=False))
    return 0


def carry_out(request: Mapping[str, Any]) -> dict[str, Any]:
    """Write the requested sheet; return the labels of its rows and the side of a view. Raises HaleganadaError, OSError.

    The imports are in here because they fail, and must be reported, where the `train` extra is missing.
    """
    if preset_facts(request["preset"]).line is not None:
        return _draw_lines(request)
    from haleganada_server.core.datasets.dataset import Part
    from haleganada_server.training.common.atomic_files import write_atomically
    from haleganada_server.training.common.training_data import read_dataset, require_trainable

    from .sheet import choose_drawings, draw_sheet, render_views

    data, side = read_dataset(request["dataset"]), preset_facts(request["preset"]).preprocessing.side
    require_trainable(data)
    chosen = choose_drawings(data, int(request["drawings"]), int(request["seed"]))
    views = render_views(data, side, chosen, int(request["views"]), int(request["seed"]))
    labels = [data.labels[label] for label in data.targets(data.part(Part.TRAIN)[chosen])]
    write_atomically(Path(request["sheet"]), draw_sheet(views, labels))
    return {"labels": labels, "side": side}


def _draw_lines(request: Mapping[str, Any]) -> dict[str, Any]:
    from haleganada_server.training.common.atomic_files import write_atomically
    from haleganada_server.training.lines.data import read_lines, require_lines

    from .line_sheet import choose_lines, draw_line_sheet, render_lines

    data, shape = read_lines(request["dataset"]), preset_facts(request["preset"]).line
    assert shape is not None
    require_lines(data)
    chosen = choose_lines(data, int(request["drawings"]), int(request["seed"]))
    views = render_lines(data, shape, chosen, int(request["views"]), int(request["seed"]))
    texts = [data.texts[line] for line in chosen]
    write_atomically(Path(request["sheet"]), draw_line_sheet(views, texts))
    return {"labels": texts, "side": shape.height}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""How an exported model was checked when it was made: both precisions side by side, and how far they are from torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haleganada_client.cli.layout import counted, percent, size, table

_PRECISIONS = ("float32", "int8")
_HEADER = ["", "size", "ms a drawing", "right", "difference in points", "answers as torch"]


def export_report(report: Mapping[str, Any]) -> str:
    """Some lines for people, "" for a model that came without a report. report: ModelExport.report."""
    measured = {name: report[name] for name in _PRECISIONS if name in report}
    if not measured:
        return ""
    whole = measured.get("float32", {}).get("accuracy")
    rows = [_row(name, figures, whole) for name, figures in measured.items()]
    lines = [f"checked when it was made, on {counted(report.get('samples', 0), 'drawing')}:"]
    lines.append(table(rows, _HEADER, right=range(1, len(_HEADER))))
    if "parity" in report:
        lines.append(f"float32 differs from torch by at most {report['parity']:.1e} in a probability")
    return "\n".join(lines)


def _row(name: str, figures: Mapping[str, Any], whole: float | None) -> list[str]:
    """whole: the accuracy of float32, which the others are compared with."""
    accuracy = figures.get("accuracy")
    difference = ""
    if name != "float32" and accuracy is not None and whole is not None:
        difference = f"{100 * (accuracy - whole):+.1f}"
    return [
        name,
        size(figures.get("bytes", 0)),
        f"{figures.get('milliseconds', 0):.2f}",
        percent(accuracy),
        difference,
        percent(figures.get("same_answers")),
    ]

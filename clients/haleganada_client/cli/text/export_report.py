"""How an exported model was checked when it was made: both precisions side by side, and how far they are from torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haleganada_client.cli.layout import counted, percent, size, table

if TYPE_CHECKING:
    from haleganada_client.models import ExportReport, PrecisionReport

_HEADER = ["", "size", "ms a drawing", "right", "difference in points", "answers as torch"]


def export_report(report: ExportReport) -> str:
    """Return some lines for people."""
    whole = report.float32.accuracy if report.float32 else None
    precisions = {"float32": report.float32, "int8": report.int8}
    rows = [_row(name, measured, whole) for name, measured in precisions.items() if measured]
    return "\n".join(
        [
            f"checked when it was made, on {counted(report.samples, 'drawing')}:",
            table(rows, _HEADER, right=range(1, len(_HEADER))),
            f"float32 differs from torch by at most {report.max_difference:.1e} in a probability",
        ]
    )


def _row(name: str, measured: PrecisionReport, whole: float | None) -> list[str]:
    """whole: the accuracy of float32, which the others are compared with."""
    difference = "" if name == "float32" or whole is None else f"{100 * (measured.accuracy - whole):+.1f}"
    return [
        name,
        size(measured.size_bytes),
        f"{measured.latency_ms:.2f}",
        percent(measured.accuracy),
        difference,
        percent(measured.agreement),
    ]

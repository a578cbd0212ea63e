"""The checks of an exported model, as a table: both precisions side by side, and how they compare with torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import format_count, format_percent, format_size, format_table

if TYPE_CHECKING:
    from haleganada_client.training.models import ExportReport, PrecisionReport

_HEADER = ["", "size", "ms per drawing", "accuracy", "change in points", "same answers as torch"]


def format_export_report(report: ExportReport) -> str:
    """Return some lines."""
    full_accuracy = report.float32.accuracy if report.float32 else None
    precisions = {"float32": report.float32, "int8": report.int8}
    rows = [_row(name, measured, full_accuracy) for name, measured in precisions.items() if measured]
    return "\n".join(
        [
            f"checked at export, on {format_count(report.samples, 'drawing')}:",
            format_table(rows, _HEADER, right=range(1, len(_HEADER))),
            f"float32 probabilities differ from torch's by at most {report.max_difference:.1e}",
        ]
    )


def _row(name: str, measured: PrecisionReport, full_accuracy: float | None) -> list[str]:
    """full_accuracy: that of float32, with which the others are compared."""
    compared = name != "float32" and full_accuracy is not None
    return [
        name,
        format_size(measured.size_bytes),
        f"{measured.latency_ms:.2f}",
        format_percent(measured.accuracy),
        f"{100 * (measured.accuracy - (full_accuracy or 0)):+.1f}" if compared else "",
        format_percent(measured.agreement),
    ]

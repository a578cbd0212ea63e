"""A table of measurements as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Table:
    """A table; by default with the columns what, measured, target and baseline."""

    title: str
    columns: tuple[str, ...] = ("what", "measured", "target", "baseline")
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row and print it at once, because some take minutes."""
        self.rows.append(cells)
        print("  ".join(cells), flush=True)

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.columns) + " |", "|" + " --- |" * len(self.columns)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])


def describe_quantiles(seconds: list[float]) -> str:
    """Return the median and the 99th percentile in milliseconds; “none” if nothing was measured."""
    if not seconds:
        return "none"
    return f"{format_quantile(seconds, 0.5)}, {1000 * get_quantile(seconds, 0.99):.0f} ms"


def format_quantile(seconds: list[float], share: float) -> str:
    """Return a quantile in milliseconds; see get_quantile."""
    return f"{1000 * get_quantile(seconds, share):.1f} ms"


def get_quantile(values: list[float], share: float) -> float:
    """Return the value below which a share, 0 to 1, of one or more values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]

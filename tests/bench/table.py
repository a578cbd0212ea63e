"""One table of figures, as Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Table:
    """Rows of (what, measured, target, baseline)."""

    title: str
    columns: tuple[str, ...] = ("what", "measured", "target", "baseline")
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """Add a row, and show it at once: some take minutes."""
        self.rows.append(cells)
        print("  ".join(cells), flush=True)

    def markdown(self) -> str:
        """The table for a README."""
        lines = [f"### {self.title}", "", "| " + " | ".join(self.columns) + " |", "|" + " --- |" * len(self.columns)]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])

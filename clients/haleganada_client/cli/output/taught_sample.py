"""A taught sample, in one line."""

from __future__ import annotations

from haleganada_client.cli.formatting import format_count
from haleganada_client.types import Taught


def describe_taught(taught: Taught) -> str:
    """Say what was learned and how much the workspace knows now."""
    form = f" (a form of {taught.canonical})" if taught.canonical != taught.label else ""
    known = f"{format_count(taught.labels_known, 'label')}, {format_count(taught.samples_total, 'sample')} known"
    return f"learned {taught.label}{form} as sample {taught.sample_id}; {known}"

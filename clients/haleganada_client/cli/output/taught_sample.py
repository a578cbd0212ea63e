"""A taught sample, in one line."""

from __future__ import annotations

from haleganada_client.cli.formatting import format_count
from haleganada_client.types import Taught


def describe_taught(taught: Taught) -> str:
    """Say what was learned and how much the workspace knows now."""
    if taught.duplicate and taught.known_sample_id:
        return f"nothing was learned: this drawing is known as {taught.label}, sample {taught.known_sample_id}"
    form = f" (a form of {taught.canonical})" if taught.canonical != taught.label else ""
    known = f"{format_count(taught.labels_known, 'label')}, {format_count(taught.samples_total, 'sample')} known"
    text = f"learned {taught.label}{form} as sample {taught.sample_id}; {known}"
    if taught.known_sample_id:
        text += f"\nthe same drawing was taught before, as sample {taught.known_sample_id}; --skip-known skips it"
    return text

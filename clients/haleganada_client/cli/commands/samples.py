"""samples: look at what was taught."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.png_file import PngFile
from haleganada_client.cli.layout import moment, table
from haleganada_client.cli.session import Session, with_session
from haleganada_client.types import Sample


@click.group("samples", cls=DefaultGroup)
def samples_command() -> None:
    """List taught samples (ls, also without the word), or show one."""


@samples_command.command("ls")
@click.option("--label", default="", help="Only samples of this label.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most.")
@with_session
def list_samples(session: Session, label: str, limit: int) -> None:
    """List taught samples, newest first."""
    with session.client() as client:
        found = list(islice(client.iter_samples(label=label), limit))
    session.show(found, _table(found) if found else "no samples")


@samples_command.command("show")
@click.argument("sample_id", type=int)
@click.option("--to", type=PngFile(), metavar="FILE.png", help="Write its picture, a PNG.")
@with_session
def show_sample(session: Session, sample_id: int, to: Path | None) -> None:
    """Show sample SAMPLE_ID, and write its picture to a file."""
    with session.client() as client:
        sample = client.get_sample(sample_id)
    if to is not None:
        to.write_bytes(sample.picture)
    session.show(sample, _table([sample]))


def _table(samples: Sequence[Sample]) -> str:
    rows = [
        [
            str(sample.sample_id),
            sample.label,
            sample.canonical if sample.canonical != sample.label else "",
            f"{sample.loss:.2f}",
            moment(sample.create_time),
            sample.predicted or "-",
            "correction" if sample.correction else "",
        ]
        for sample in samples
    ]
    return table(rows, ["sample", "label", "form of", "loss", "taught", "taken for", ""], right={0, 3})

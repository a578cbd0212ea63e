"""samples, relabel and forget: review what was taught."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.png_path import PngPath
from haleganada_client.cli.formatting import format_table, format_time
from haleganada_client.cli.output.online_learning import describe_relearning
from haleganada_client.cli.session import Session, with_session
from haleganada_client.types import Sample


@click.group("samples", cls=DefaultGroup)
def samples_command() -> None:
    """List taught samples (ls, the default), or show one."""


@samples_command.command("ls")
@click.option("--label", default="", help="List only samples of this label.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="List at most so many.")
@with_session
def list_samples(session: Session, label: str, limit: int) -> None:
    """List taught samples, newest first."""
    with session.client() as client:
        samples = list(islice(client.iter_samples(label=label), limit))
    session.show(samples, _format_samples(samples) if samples else "no samples")


@samples_command.command("show")
@click.argument("sample_id", type=int)
@click.option("--to", type=PngPath(), metavar="FILE.png", help="Write the picture to this file.")
@with_session
def show_sample(session: Session, sample_id: int, to: Path | None) -> None:
    """Show the sample SAMPLE_ID. Optionally, write its picture to a file."""
    with session.client() as client:
        sample = client.get_sample(sample_id)
    if to is not None:
        to.write_bytes(sample.picture)
    session.show(sample, _format_samples([sample]))


@click.command("relabel")
@click.argument("sample_id", type=int)
@click.argument("label")
@with_session
def relabel_command(session: Session, sample_id: int, label: str) -> None:
    """Give the sample SAMPLE_ID another LABEL, as if it had been taught with it."""
    with session.client() as client:
        sample = client.relabel(sample_id, label)
        relearning = describe_relearning(session, client)
    session.show(sample, "\n".join([f"sample {sample.sample_id} is now {sample.label}", *relearning]))


@click.command("forget")
@click.argument("sample_id", type=int)
@with_session
def forget_command(session: Session, sample_id: int) -> None:
    """Delete the sample SAMPLE_ID, as if it had never been taught. `haleganada undo` brings it back."""
    with session.client() as client:
        revision = client.forget(sample_id)
        relearning = describe_relearning(session, client)
    text = f"forgot sample {sample_id}; `{session.command_line('undo')}` brings it back"
    session.show({"revision": revision}, "\n".join([text, *relearning]))


def _format_samples(samples: Sequence[Sample]) -> str:
    rows = [
        [
            str(sample.sample_id),
            sample.label,
            sample.canonical if sample.canonical != sample.label else "",
            f"{sample.loss:.2f}",
            format_time(sample.create_time),
            sample.predicted or "-",
            "correction" if sample.correction else "",
        ]
        for sample in samples
    ]
    return format_table(rows, ["sample", "label", "form of", "loss", "taught", "predicted", ""], right={0, 3})

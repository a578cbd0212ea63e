"""samples, relabel and forget: review what was taught."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from haleganada_client.cli.default_group import DefaultGroup
from haleganada_client.cli.files.overwriting import overwrite_option, require_free
from haleganada_client.cli.files.png_path import PngPath
from haleganada_client.cli.formatting import format_count, format_table, format_time, printable
from haleganada_client.cli.one_by_one import do_each, end_with
from haleganada_client.cli.output.online_learning import describe_relearning
from haleganada_client.cli.session import Session, say_if_stopped, with_session
from haleganada_client.errors import NotFound
from haleganada_client.json_values import to_json_value
from haleganada_client.types import Sample

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.client import HaleganadaClient


@click.group("samples", cls=DefaultGroup)
def samples_command() -> None:
    """List taught samples (ls, the default), or show one."""


@samples_command.command("ls")
@click.option("--label", default="", help="List only samples of this label.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="List at most this many.")
@with_session
def list_samples(session: Session, label: str, limit: int) -> None:
    """List taught samples, newest first."""
    with session.client() as client:
        samples = list(islice(client.iter_samples(label=label), limit))
    session.show(samples, _format_samples(samples) if samples else "no samples")


@samples_command.command("show")
@click.argument("sample_id", type=int)
@click.option("--to", type=PngPath(), metavar="FILE.png", help="Write the picture to this file.")
@overwrite_option
@with_session
def show_sample(session: Session, sample_id: int, to: Path | None, overwrite: bool) -> None:
    """Show the sample SAMPLE_ID. Optionally, write its picture to a file."""
    require_free(to, overwrite)
    with session.client() as client:
        sample = client.get_sample(sample_id)
    if to is not None:
        to.write_bytes(sample.picture)
    session.show(sample, _format_samples([sample]))


@click.command("relabel")
@click.argument("sample", metavar="SAMPLE_ID|OLD")
@click.argument("label", metavar="NEW")
@click.option("--all", "whole_label", is_flag=True, help="OLD is a label, even if it is a number.")
@with_session
def relabel_command(session: Session, sample: str, label: str, whole_label: bool) -> None:
    """Give a sample, or all samples of the label OLD, the label NEW, as if they had been taught with it.

    \b
    haleganada relabel 7 ಅ
    haleganada relabel ಅಾ ಆ
    haleganada relabel --all 0 O
    """
    with session.client() as client:
        if sample.isascii() and sample.isdecimal() and not whole_label:
            changed = client.relabel(int(sample), label)
            text, value = f"sample {changed.sample_id} is now {changed.label}", to_json_value(changed)
        else:
            changes, revision = _relabel_all(client, sample, label)
            text = f"{format_count(len(changes), 'sample')} of {printable(sample)} are now {printable(label)}"
            back = session.command_line("undo", "--batch", "--revision", str(revision))
            text += f"; `{back}` takes it back"
            value = {"relabeled": changes}
        relearning = describe_relearning(session, client)
    session.show(value, "\n".join([text, *relearning]))


def _relabel_all(client: HaleganadaClient, old: str, new: str) -> tuple[list[int], int]:
    """Relabel all samples of a label, as one batch; return their ids and the last revision. Raise HaleganadaError."""
    sample_ids = [sample.sample_id for sample in client.iter_samples(label=old)]
    if not sample_ids:
        raise NotFound(f"there are no samples of the label {old}; `haleganada stats` lists the labels", field="label")
    batch_id, done, revision = str(uuid4()), 0, 0
    with say_if_stopped(lambda: f"{done:,} of {len(sample_ids):,} samples have the new label; repeat the command"):
        for sample_id in sample_ids:
            revision = client.relabel(sample_id, new, batch_id=batch_id).workspace_revision
            done += 1
    return sample_ids, revision


@click.command("forget")
@click.argument("sample_ids", nargs=-1, required=True, type=int, metavar="SAMPLE_ID...")
@with_session
def forget_command(session: Session, sample_ids: tuple[int, ...]) -> None:
    """Delete samples, as if they had never been taught. `haleganada undo` brings one back, `undo --batch` several."""
    batch_id = str(uuid4()) if len(sample_ids) > 1 else ""
    with session.client() as client:
        outcomes = do_each(sample_ids, lambda sample_id: client.forget(sample_id, batch_id=batch_id))
        relearning = describe_relearning(session, client)
    forgotten = ", ".join(map(str, outcomes.done)) or "nothing"
    revision = max(outcomes.done.values(), default=0)
    back = session.command_line("undo", *(["--batch"] if batch_id else []), "--revision", str(revision))
    text = f"forgot {'samples' if batch_id else 'sample'} {forgotten}"
    if outcomes.done:
        text += f"; `{back}` brings {'them' if batch_id else 'it'} back"
    value: dict[str, object] = {"revision": revision}
    if batch_id:
        value["forgotten"] = list(outcomes.done)
    end_with(session, outcomes, value, "\n".join([text, *relearning]))


def _format_samples(samples: Sequence[Sample]) -> str:
    rows = [
        [
            str(sample.sample_id),
            sample.label,
            sample.canonical if sample.canonical != sample.label else "",
            f"{sample.loss:.2f}",
            format_time(sample.create_time),
            sample.author,
            sample.predicted or "-",
            "correction" if sample.correction else "synthetic" if sample.synthetic else "",
        ]
        for sample in samples
    ]
    return format_table(rows, ["sample", "label", "form of", "loss", "taught", "by", "predicted", ""], right={0, 3})

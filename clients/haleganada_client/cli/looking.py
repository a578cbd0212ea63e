"""stats and samples."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import click

from haleganada_client.types import Stats, Suspect, TeachNext

from .layout import bar, percent, size, table
from .session import Session, with_session


@click.command("stats")
@click.option("--suspects", is_flag=True, help="Also look for samples that are probably mislabelled.")
@with_session
def stats_command(session: Session, suspects: bool) -> None:
    """What is known, how well it is recognised, what to teach next."""
    with session.client() as client:
        stats = client.stats(find_suspects=suspects)
        session.show(stats, "\n\n".join(part for part in _sections(stats) if part))


def _sections(stats: Stats) -> list[str]:
    return [
        _overview(stats), _labels(stats),
        _listed("Taken for one another", [f"{p.label} for {p.predicted} ({p.count}x)" for p in stats.confused_pairs]),
        _listed("Teach these next", [_advice(next_one) for next_one in stats.teach_next]),
        _listed("Probably mislabelled", [_doubt(suspect) for suspect in stats.suspects]),
    ]  # fmt: skip


def _advice(advice: TeachNext) -> str:
    why = f"is taken for {advice.confused_with}" if advice.confused_with else "has few samples"
    return f"{advice.label}, which {why}"


def _doubt(suspect: Suspect) -> str:
    looks = f"{suspect.label} looks like {suspect.looks_like} ({percent(suspect.probability)})"
    return f"sample {suspect.sample_id}: {looks}"


def _overview(stats: Stats) -> str:
    loss = "-" if stats.average_loss is None else f"{stats.average_loss:.3f}"
    rows = [
        ["labels", str(stats.labels_known)],
        ["samples", str(stats.samples_total)],
        ["revision", str(stats.revision)],
        ["recognised before learned", f"{percent(stats.accuracy)} of {stats.accuracy_samples}"],
        ["mean loss", loss],
        ["corrections", str(stats.corrections)],
        ["groups of variants", str(stats.variant_groups)],
        ["on disk", size(stats.bytes_on_disk)],
        ["device", stats.device],
        ["weights", f"{stats.versions.get('weights', '')} ({stats.embedder_hash[:12]})"],
    ]
    return table(rows)


def _labels(stats: Stats) -> str:
    if not stats.labels:
        return ""
    most = max(label.samples for label in stats.labels)
    rows = [
        [
            label.label, str(label.samples), bar(label.samples / most, 12), percent(label.accuracy),
            f"{label.average_loss:.2f}", label.canonical if label.canonical != label.label else "",
        ]
        for label in stats.labels
    ]  # fmt: skip
    return table(rows, ["label", "samples", "", "recognised", "loss", "form of"])


def _listed(title: str, lines: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {line}" for line in lines)]) if lines else ""


@click.command("samples")
@click.argument("sample_id", type=int, required=False)
@click.option("--label", default="", help="Only samples of this label.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most, newest first.")
@click.option(
    "--picture", type=click.Path(dir_okay=False, path_type=Path), help="Write the picture of SAMPLE_ID to this PNG."
)
@with_session
def samples_command(session: Session, sample_id: int | None, label: str, limit: int, picture: Path | None) -> None:
    """List taught samples, or show one."""
    if picture is not None and sample_id is None:
        raise click.UsageError("--picture needs a SAMPLE_ID")
    with session.client() as client:
        found = (
            [client.get_sample(sample_id)]
            if sample_id is not None
            else list(islice(client.iter_samples(label=label), limit))
        )
    if picture is not None:
        picture.write_bytes(found[0].picture)
    rows = [
        [
            str(s.sample_id),
            s.label,
            f"{s.loss:.2f}",
            s.time.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            s.predicted or "-",
        ]
        for s in found
    ]
    session.show(found, table(rows, ["sample", "label", "loss", "taught", "taken for"]) if rows else "no samples")

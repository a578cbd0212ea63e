"""stats."""

from __future__ import annotations

from collections.abc import Mapping

import click

from haleganada_client.cli.layout import bar, counted, percent, size, table
from haleganada_client.cli.session import Session, plain, with_session
from haleganada_client.cli.text import online_learning
from haleganada_client.limits import HISTORY_POINTS
from haleganada_client.types import NearDuplicate, Stats, Suspect, TeachNext, WorkspaceInfo

_TWO_LABELS = "The same drawing with two labels, one of which is wrong"


@click.command("stats")
@click.option("--suspects", is_flag=True, help="Also look for samples that are probably mislabeled or there twice.")
@click.option(
    "--history",
    type=click.IntRange(*HISTORY_POINTS.bounds),
    metavar="N",
    help="Points of history in the JSON, the newest. [default: 500]",
)
@with_session
def stats_command(session: Session, suspects: bool, history: int | None) -> None:
    """What is known, how well it is recognized, what to teach next.

    "recognized" is the share of samples that were recognized before they were learned, first samples left out.
    """
    with session.client() as client:
        stats = client.stats(history_points=history, find_suspects=suspects)
        here = client.get_workspace()
        answering = _answering(here, online_learning.names_of(client, online_learning.names_needed([here])))
    known = {**plain(stats), "model": here.model, "online": plain(here.online)}
    session.show(known, "\n\n".join(part for part in _sections(session, stats, answering) if part))


def _answering(here: WorkspaceInfo, names: Mapping[str, str]) -> list[list[str]]:
    rows = [["answers", online_learning.answers(here, names)]]
    return [*rows, ["learning along", online_learning.progress(here, names)]] if here.online else rows


def _sections(session: Session, stats: Stats, answering: list[list[str]]) -> list[str]:
    confused = [f"{pair.label} for {pair.predicted} ({pair.count}x)" for pair in stats.confused_pairs]
    return [
        _overview(stats, answering),
        _labels(stats),
        _listed("Taken for one another", confused),
        _listed("Teach these next", [_advice(advice) for advice in stats.teach_next]),
        _listed("Probably mislabeled", [_doubt(session, suspect) for suspect in stats.suspects]),
        *_twice(session, stats),
    ]


def _advice(advice: TeachNext) -> str:
    why = f"is taken for {advice.confused_with}" if advice.confused_with else "has few samples"
    return f"{advice.label}, which {why}"


def _doubt(session: Session, suspect: Suspect) -> str:
    looks = f"{suspect.label} looks like {suspect.looks_like} ({percent(suspect.probability)})"
    return f"sample {suspect.sample_id}: {looks}; {session.command_line('relabel', str(suspect.sample_id), 'LABEL')}"


def _twice(session: Session, stats: Stats) -> list[str]:
    """Where the labels agree one of the two can go. Where they differ, only a person knows which of them is wrong."""
    agree = [pair for pair in stats.near_duplicates if pair.label == pair.other_label]
    differ = [pair for pair in stats.near_duplicates if pair.label != pair.other_label]
    lines = [_one_is_wrong(session, pair) for pair in differ]
    if differ:
        lines.append(f"look at both first: {session.command_line('samples', 'show', 'ID', '--to', 'FILE.png')}")
    forget = [f"{_both(pair)}; {session.command_line('forget', str(pair.sample_id))}" for pair in agree]
    return [_listed(_TWO_LABELS, lines), _listed("The same drawing twice", forget)]


def _one_is_wrong(session: Session, pair: NearDuplicate) -> str:
    older = session.command_line("relabel", str(pair.other_sample_id), pair.label)
    newer = session.command_line("relabel", str(pair.sample_id), pair.other_label)
    return f"{_both(pair)}; {older}, or {newer}"


def _both(pair: NearDuplicate) -> str:
    return f"samples {pair.other_sample_id} ({pair.other_label}) and {pair.sample_id} ({pair.label})"


def _overview(stats: Stats, answering: list[list[str]]) -> str:
    recognized = f"{percent(stats.accuracy)} of {stats.accuracy_samples}" if stats.accuracy_samples else "-"
    rows = [
        ["labels", str(stats.labels_known)],
        ["samples", str(stats.samples_total)],
        ["revision", str(stats.revision)],
        ["recognized", recognized],
        ["mean loss", "-" if stats.average_loss is None else f"{stats.average_loss:.3f}"],
        ["corrections", str(stats.corrections)],
        ["groups of forms", str(stats.variant_groups)],
        *answering,
        ["on disk", size(stats.size_bytes)],
        ["device", stats.device],
        ["weights", f"{stats.versions.get('weights', '')} ({stats.embedder_hash[:12]})"],
    ]
    if stats.samples_to_embed:
        rows.append(
            ["to embed anew", f"{counted(stats.samples_to_embed, 'sample')}, left out of predictions until then"]
        )
    return table(rows)


def _labels(stats: Stats) -> str:
    if not stats.labels:
        return ""
    most = max(1, *(label.samples for label in stats.labels))
    rows = [
        [
            label.label,
            str(label.samples),
            bar(label.samples / most, 12),
            percent(label.accuracy),
            f"{label.average_loss:.2f}",
            label.canonical if label.canonical != label.label else "",
        ]
        for label in stats.labels
    ]
    return table(rows, ["label", "samples", "", "recognized", "loss", "form of"], right={1, 3, 4})


def _listed(title: str, lines: list[str]) -> str:
    return f"{title}:\n{table([['', line] for line in lines])}" if lines else ""

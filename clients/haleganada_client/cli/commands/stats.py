"""stats."""

from __future__ import annotations

from collections.abc import Mapping

import click

from haleganada_client.cli.formatting import format_bar, format_count, format_percent, format_size, format_table
from haleganada_client.cli.output import online_learning
from haleganada_client.cli.output.quotas import quota_rows
from haleganada_client.cli.session import Session, with_session
from haleganada_client.json_values import to_json_value
from haleganada_client.label_text import find_strangers
from haleganada_client.limits import DEFAULT_HISTORY_POINTS, HISTORY_POINTS
from haleganada_client.types import NearDuplicate, Stats, Suspect, TeachNext, WorkspaceInfo


@click.command("stats")
@click.option("--suspects", is_flag=True, help="Also list samples that are probably mislabeled or duplicates.")
@click.option(
    "--history",
    type=click.IntRange(*HISTORY_POINTS.bounds),
    metavar="N",
    help=f"How many points of the history to include in the JSON, the newest ones. [default: {DEFAULT_HISTORY_POINTS}]",
)
@with_session
def stats_command(session: Session, suspects: bool, history: int | None) -> None:
    """Show what was taught, how well it is recognized, and what to teach next.

    "recognized" is the share of samples that were recognized before they were learned; each label's first one does not
    count.
    """
    with session.client() as client:
        stats = client.stats(history_points=history, find_suspects=suspects)
        workspace = client.get_workspace()
        names = online_learning.model_names(client, online_learning.models_of([workspace]))
    value = {**to_json_value(stats), "model": workspace.model, "online": to_json_value(workspace.online)}
    sections = [_overview(stats, _model_rows(workspace, names)), _label_table(stats), *_advice(session, stats)]
    session.show(value, "\n\n".join(section for section in sections if section))


def _model_rows(workspace: WorkspaceInfo, names: Mapping[str, str]) -> list[list[str]]:
    rows = [["model", online_learning.describe_model(workspace, names)]]
    if workspace.online:
        rows.append(["online learning", online_learning.describe_online_status(workspace, names)])
    return rows


def _overview(stats: Stats, model_rows: list[list[str]]) -> str:
    recognized = f"{format_percent(stats.accuracy)} of {stats.accuracy_samples}" if stats.accuracy_samples else "-"
    rows = [
        ["labels", str(stats.labels_known)],
        ["samples", str(stats.samples_total)],
        ["revision", str(stats.revision)],
        ["recognized", recognized],
        ["mean loss", "-" if stats.average_loss is None else f"{stats.average_loss:.3f}"],
        ["corrections", str(stats.corrections)],
        ["groups of forms", str(stats.variant_groups)],
        *model_rows,
        ["on disk", format_size(stats.size_bytes)],
        *quota_rows(stats.quotas),
        ["device", stats.device],
        ["weights", f"{stats.versions.get('weights', '')} ({stats.embedder_hash[:12]})"],
    ]
    if stats.samples_to_embed:
        samples = format_count(stats.samples_to_embed, "sample")
        rows.append(["to re-embed", f"{samples}, which predictions ignore until then"])
    return format_table(rows)


def _label_table(stats: Stats) -> str:
    if not stats.labels:
        return ""
    most = max(1, *(label.samples for label in stats.labels))
    rows = [
        [
            label.label,
            str(label.samples),
            format_bar(label.samples / most, 12),
            format_percent(label.accuracy),
            f"{label.average_loss:.2f}",
            label.canonical if label.canonical != label.label else "",
        ]
        for label in stats.labels
    ]
    return format_table(rows, ["label", "samples", "", "recognized", "loss", "form of"], right={1, 3, 4})


def _advice(session: Session, stats: Stats) -> list[str]:
    """Return what to do next, a section for each kind of advice."""
    confused = [f"{pair.label} for {pair.predicted} ({pair.count}x)" for pair in stats.confused_pairs]
    same_label = [pair for pair in stats.near_duplicates if pair.label == pair.other_label]
    two_labels = [pair for pair in stats.near_duplicates if pair.label != pair.other_label]
    conflicts = [_suggest_relabel(session, pair) for pair in two_labels]
    if conflicts:  # only a person can tell which label is wrong
        conflicts.append(f"look at both first: {session.command_line('samples', 'show', 'ID', '--to', 'FILE.png')}")
    duplicates = [
        f"{_describe_pair(pair)}; {session.command_line('forget', str(pair.sample_id))}" for pair in same_label
    ]
    return [
        _section("Mistaken for one another", confused),
        _section("Of another script than nearly all labels", _describe_strangers(session, stats)),
        _section("Teach these next", [_describe_teach_next(advice) for advice in stats.teach_next]),
        _section("Probably mislabeled", [_describe_suspect(session, suspect) for suspect in stats.suspects]),
        _section("The same drawing with two labels, one of which is wrong", conflicts),
        _section("The same drawing twice", duplicates),
    ]


def _describe_strangers(session: Session, stats: Stats) -> list[str]:
    strangers = find_strangers(found.label for found in stats.labels)
    return [
        f"{label} ({script}); look with {session.command_line('characters', label)}, change it with "
        f"{session.command_line('relabel', label, 'NEW')}"
        for label, script in strangers.items()
    ]


def _describe_teach_next(advice: TeachNext) -> str:
    reason = f"is mistaken for {advice.confused_with}" if advice.confused_with else "has few samples"
    return f"{advice.label}, which {reason}"


def _describe_suspect(session: Session, suspect: Suspect) -> str:
    looks = f"{suspect.label} looks like {suspect.looks_like} ({format_percent(suspect.probability)})"
    return f"sample {suspect.sample_id}: {looks}; {session.command_line('relabel', str(suspect.sample_id), 'LABEL')}"


def _suggest_relabel(session: Session, pair: NearDuplicate) -> str:
    older = session.command_line("relabel", str(pair.other_sample_id), pair.label)
    newer = session.command_line("relabel", str(pair.sample_id), pair.other_label)
    return f"{_describe_pair(pair)}; {older}, or {newer}"


def _describe_pair(pair: NearDuplicate) -> str:
    return f"samples {pair.other_sample_id} ({pair.other_label}) and {pair.sample_id} ({pair.label})"


def _section(title: str, lines: list[str]) -> str:
    return f"{title}:\n{format_table([['', line] for line in lines])}" if lines else ""

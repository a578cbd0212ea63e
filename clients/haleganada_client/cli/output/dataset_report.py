"""Data sets in words and tables: a row in a list, and all about one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haleganada_client.cli.formatting import (
    format_bar,
    format_count,
    format_size,
    format_table,
    format_time,
    printable,
)
from haleganada_client.cli.setting_names import name_options

from .refusals import group_refused

if TYPE_CHECKING:  # gRPC is imported when a server is called
    from haleganada_client.training.datasets import Dataset, RepeatedItem

_MAX_LABELS = 40
_MAX_ITEMS = 20


def format_datasets(datasets: Sequence[Dataset]) -> str:
    """Return a table of data sets, and a line for each damaged one."""
    header = ["id", "name", "labels", "train", "validation", "test", "writers", "refused", "on disk", "created"]
    rows = [_row(dataset) for dataset in datasets]
    damaged = [f"damaged: {dataset.dataset_id}, {printable(dataset.damage)}" for dataset in datasets if dataset.damage]
    return "\n".join([format_table(rows, header, right={2, 3, 4, 5, 6, 7, 8}), *damaged]) if rows else "no data sets"


def _row(dataset: Dataset) -> list[str]:
    counts = [dataset.labels_total, dataset.train, dataset.validation, dataset.test, dataset.writers]
    numbers = [f"{count:,}" for count in (*counts, dataset.refused_total)]
    size, created = format_size(dataset.size_bytes), format_time(dataset.create_time)
    name = f"{dataset.name} (damaged)" if dataset.damage else dataset.name
    return [dataset.dataset_id, name, *numbers, size, created]


def format_dataset(dataset: Dataset, show_all: bool = False) -> str:
    """Return all about a data set. show_all: every label, and every item that is known by name."""
    facts = [
        ["id", dataset.dataset_id],
        ["name", dataset.name],
        ["training", f"{dataset.train:,}"],
        ["validation", f"{dataset.validation:,}"],
        ["test", f"{dataset.test:,}"],
        *_describe_content(dataset),
        ["left out", f"{dataset.duplicates:,} duplicates, {dataset.leaks:,} that are also in a later part"],
        ["on disk", format_size(dataset.size_bytes)],
        ["SHA-256", dataset.sha256],
    ]
    if dataset.damage:
        facts.append(["damaged", dataset.damage])
    notes = [f"note: {printable(name_options(note.message))}" for note in dataset.notes]
    sections = [format_table(facts), *notes, _label_table(dataset, show_all)]
    if dataset.leaks:
        title = "left out because the same image is also in a later part"
        sections.append(_list_left_out(title, dataset.leaked, dataset.leaks, show_all))
    if dataset.duplicated:  # older data sets have only the number of duplicates
        title = "left out because the same image is in the part twice"
        sections.append(_list_left_out(title, dataset.duplicated, dataset.duplicates, show_all))
    if dataset.refused_total:
        sections.append(_list_refused(dataset, show_all))
    return "\n\n".join(sections)


def _describe_content(dataset: Dataset) -> list[list[str]]:
    """Return rows about what the items are, and whose."""
    writers = f"{dataset.writers:,}" if dataset.writers else "unknown"
    if dataset.kind == "lines":
        return [["items", "lines"], ["characters", f"{dataset.labels_total:,}"], ["writers or documents", writers]]
    return [
        ["labels", f"{dataset.labels_total:,}"],
        *_describe_unknown(dataset),
        ["imbalance", _describe_imbalance(dataset)],
        ["writers", writers],
    ]


def _describe_unknown(dataset: Dataset) -> list[list[str]]:
    """Return a row about drawings of none of the labels, if there are any."""
    counts = dataset.unknown
    if not counts.train + counts.validation + counts.test:
        return []
    parts = f"training {counts.train:,}, validation {counts.validation:,}, test {counts.test:,}"
    return [["none of them", f"{parts}: drawings of none of the labels"]]


def _list_refused(dataset: Dataset, show_all: bool) -> str:
    """List what was refused by its reasons, conflicts of labels first, as the server sends it; or all items."""
    refused = [(item.item, item.error.message) for item in dataset.refused]
    if show_all:
        lines = [f"{printable(name)}: {printable(reason)}" for name, reason in refused]
        return _list_items("refused", lines, dataset.refused_total, show_all)
    lines = group_refused(refused)
    more = [f"and {len(lines) - _MAX_ITEMS:,} more reasons (--all lists each item)"] if len(lines) > _MAX_ITEMS else []
    return "\n  ".join([f"{dataset.refused_total:,} refused:", *lines[:_MAX_ITEMS], *more])


def _describe_imbalance(dataset: Dataset) -> str:
    """Describe the imbalance of the training part, the only one in which it matters."""
    if not dataset.imbalance:
        return "-"
    if dataset.imbalance == 1:
        return "none, every label has the same number of training drawings"
    return f"the largest label has {dataset.imbalance:.3g} times as many training drawings as the smallest"


def _label_table(dataset: Dataset, show_all: bool) -> str:
    """Return a table of the labels, or of the characters of lines, the rarest first, since those may need more."""
    labels, is_lines = dataset.labels, dataset.kind == "lines"
    what, items = ("character", "lines") if is_lines else ("label", "drawings")
    rarest = sorted(labels, key=lambda label: label.train)
    shown = rarest if show_all else rarest[:_MAX_LABELS]
    most = max((label.train for label in labels), default=0) or 1
    rows = [
        [label.label, f"{label.train:,}", f"{label.validation:,}", f"{label.test:,}", format_bar(label.train / most)]
        for label in shown
    ]
    text = format_table(rows, [what, "train", "validation", "test", ""], right={1, 2, 3})
    left = len(labels) - len(shown)
    return f"{text}\nand {format_count(left, what)} with more {items} (--all lists them)" if left else text


def _list_left_out(title: str, items: Sequence[RepeatedItem], total: int, show_all: bool) -> str:
    lines = [f"{_locate(item.item, item.part)}: {_locate(item.kept, item.kept_part)} is kept" for item in items]
    return _list_items(title, lines, total, show_all)


def _locate(item: str, part: str) -> str:
    """Add the part to an item's name unless the name begins with it."""
    return f"{printable(item)} ({part})" if part and not item.startswith(f"{part}/") else printable(item)


def _list_items(title: str, lines: Sequence[str], total: int, show_all: bool) -> str:
    """List items; the server names at most a thousand of the `total`."""
    shown = lines if show_all else lines[:_MAX_ITEMS]
    left = total - len(shown)
    more = [f"and {left:,} more" + ("" if show_all else " (--all lists up to a thousand)")] if left else []
    return "\n  ".join([f"{total:,} {title}:", *shown, *more])

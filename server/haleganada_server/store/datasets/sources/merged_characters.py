"""Labels of IDX files that stand for several characters: EMNIST gives a capital and its small letter the same label.

Its “letters” set does so for all 26, and lists both in the mapping; “balanced” and “bymerge” do so for those that look
alike, and list only the capital.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haleganada_server.core.datasets.dataset import DatasetNote
from haleganada_server.core.limits import MAX_LISTED_ITEMS

from .source_item import LabelName, make_label_name

REASON = "MERGED_CHARACTERS"
_SHOWN = 3


def find_merged_characters(rows: Sequence[Sequence[LabelName]], is_emnist: bool) -> dict[str, str]:
    """Return label -> another character that it also stands for. rows: of the mapping; the first name of each is the
    label.
    """
    labels = {row[0].label for row in rows}
    found = {}
    for first, *more in rows:
        named = [name.label for name in more if name.error is None and name.label not in labels]
        small = first.label.lower()
        if named:
            found[first.label] = named[0]
        elif is_emnist and small != first.label and small not in labels:
            found[first.label] = small
    return found


def name_small_letter_first(names: Sequence[LabelName], is_emnist: bool) -> list[LabelName]:
    """Return the names of a row, the small letter first if the row stands for a capital and its small letter."""
    small = find_merged_characters([names], is_emnist).get(names[0].label, "")
    if not small or small != names[0].label.lower():
        return list(names)
    return [make_label_name(small, small), *(name for name in names if name.label != small)]


def describe_merged_characters(others: Mapping[str, str]) -> DatasetNote:
    """Return the note about such labels. others: as find_merged_characters returns them, at least one, sorted."""
    shown = ", ".join(f"“{label}” also for “{other}”" for label, other in list(others.items())[:_SHOWN])
    more = ", …" if len(others) > _SHOWN else ""
    count = f"{len(others)} labels stand" if len(others) > 1 else "one label stands"
    message = f"{count} for several characters ({shown}{more}); a model trained on this never predicts the others"
    return DatasetNote(REASON, message, tuple(others)[:MAX_LISTED_ITEMS])

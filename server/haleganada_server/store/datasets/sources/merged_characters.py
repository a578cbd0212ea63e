"""Labels of IDX files that stand for several characters: EMNIST gives a capital and its small letter one label.

Its “letters” do so with all 26, and name both in the mapping; “balanced” and “bymerge” do so with those that look
alike, and name the capital only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from haleganada_server.core.datasets.dataset import DatasetNote
from haleganada_server.core.limits import MAX_LISTED_ITEMS

from .source_item import LabelName

REASON = "MERGED_CHARACTERS"
_SHOWN = 3


def other_characters(rows: Sequence[Sequence[LabelName]], is_emnist: bool) -> dict[str, str]:
    """label -> another character that it stands for, of those that do. rows: of the mapping, the first name of each is
    the label.
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


def merged_characters(others: Mapping[str, str]) -> DatasetNote:
    """What to know about such labels. others: as of other_characters, one at least, sorted."""
    shown = ", ".join(f"“{label}” also for “{other}”" for label, other in list(others.items())[:_SHOWN])
    more = ", …" if len(others) > _SHOWN else ""
    count = f"{len(others)} labels stand" if len(others) > 1 else "one label stands"
    message = (
        f"{count} for several characters ({shown}{more}); a model that is trained on this never answers the others"
    )
    return DatasetNote(REASON, message, tuple(others)[:MAX_LISTED_ITEMS])
